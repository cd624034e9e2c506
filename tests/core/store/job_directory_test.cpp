#include "core/store/job_directory.h"
#include "core/store/owner_lock.h"

#include <array>
#include <csignal>
#include <fstream>
#include <QtTest>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace aiflow;

class JobDirectoryTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_base;
    int m_states = 0;
    ManualClock m_clock;
    SeededRandom m_random{1};

    std::filesystem::path newState()
    {
        return std::filesystem::path(m_base.path().toStdString()) / ("state" + std::to_string(++m_states));
    }

    std::unique_ptr<JobDirectory> create(const std::filesystem::path& state)
    {
        JobDescription description;
        description.command = "aiflow-cli batch 商品.csv";
        description.pipelineName = "hero-image";
        description.pipelineFile = "/p/pipeline.yaml";
        description.pipelineHash = sha256("p");
        description.input = "/in/\xFF\xFE bad.csv";
        description.inputRoot = "/in";
        description.inputHash = sha256("i");
        description.inputFormat = "csv";
        description.inputEncoding = "GB18030";
        description.output = "/out";
        description.version = "0.1.0";
        description.stepNames = {"a", "b"};
        description.settings = "{\"offline\":true}";
        auto job = JobDirectory::create(state, std::move(description), m_clock, m_random);
        if (!job) qFatal("%s", job.error().text().c_str());
        return std::move(*job);
    }

    // A child that owns the job until it is killed.
    static pid_t ownInChild(const std::filesystem::path& state, const JobId& id)
    {
        std::array<int, 2> channel{};
        if (::pipe(channel.data()) != 0) qFatal("no pipe");
        const pid_t pid = ::fork();
        if (pid == 0) {
            auto job = JobDirectory::own(state, id);
            const char good = job ? 'y' : 'n';
            std::ignore = ::write(channel[1], &good, 1);
            ::pause();
            ::_exit(0);
        }
        char good = 'n';
        std::ignore = ::read(channel[0], &good, 1);
        ::close(channel[0]);
        ::close(channel[1]);
        return good == 'y' ? pid : -1;
    }

private Q_SLOTS:
    void descriptionComesBackAsItWas()
    {
        const auto state = newState();
        const auto created = create(state);
        const auto found = findJob(state, created->description().id.text());
        QVERIFY2(found, found ? "" : found.error().text().c_str());
        const JobDescription& job = found->description;
        QCOMPARE(job.command, std::string("aiflow-cli batch 商品.csv"));
        QVERIFY(job.input == std::filesystem::path("/in/\xFF\xFE bad.csv"));
        QVERIFY(job.pipelineHash == sha256("p") && job.inputHash == sha256("i"));
        QVERIFY(job.startedAt == m_clock.wall());
        QCOMPARE(job.stepNames, (std::vector<std::string>{"a", "b"}));
        QCOMPARE(job.settings, std::string("{\"offline\":true}"));
        QVERIFY(found->path == created->path());
        QVERIFY(found->owner);
        QCOMPARE(found->owner->pid, std::int64_t{::getpid()});
    }

    void everythingIsForThisUserAlone()
    {
        const auto job = create(newState());
        for (const auto& path : {job->path(), job->spool(), job->path().parent_path()}) {
            struct stat s {};
            QCOMPARE(::stat(path.c_str(), &s), 0);
            QCOMPARE(s.st_mode & 0777U, 0700U);
        }
        struct stat s {};
        QCOMPARE(::stat((job->path() / "job.json").c_str(), &s), 0);
        QCOMPARE(s.st_mode & 0777U, 0600U);
    }

    void idsAreShortAndSortByTime()
    {
        const auto state = newState();
        std::vector<std::string> ids;
        for (int i = 0; i < 20; ++i) {
            ids.push_back(create(state)->description().id.text());
            if (i % 3 == 0) m_clock.advance(std::chrono::seconds(45));
        }
        QVERIFY(std::ranges::is_sorted(ids));
        QVERIFY(std::ranges::adjacent_find(ids) == ids.end());
        for (const auto& id : ids) QCOMPARE(id.size(), std::size_t{6});
    }

    void jobsAreListedNewestFirstAndBrokenOnesNamed()
    {
        const auto state = newState();
        const std::string older = create(state)->description().id.text();
        m_clock.advance(std::chrono::hours(1));
        const std::string newer = create(state)->description().id.text();
        std::filesystem::create_directories(state / "jobs" / "abcdef");
        std::vector<std::string> warnings;
        const auto jobs = listJobs(state, &warnings);
        QCOMPARE(jobs->size(), std::size_t{2});
        QCOMPARE(jobs->front().description.id.text(), newer);
        QCOMPARE(jobs->back().description.id.text(), older);
        QVERIFY(!jobs->front().owner);
        QCOMPARE(warnings.size(), std::size_t{1});
        QVERIFY(warnings.front().find("abcdef") != std::string::npos);
        QCOMPARE(findJob(state, "last")->description.id.text(), newer);
    }

    void prefixFindsTheOneJobThatItFits()
    {
        const auto state = newState();
        const std::string first = create(state)->description().id.text();
        QCOMPARE(findJob(state, first.substr(0, 4))->description.id.text(), first);
        const std::string second = create(state)->description().id.text();
        const auto both = findJob(state, first.substr(0, 2));
        QVERIFY(!both);
        QVERIFY(both.error().message.find(first) != std::string::npos);
        QVERIFY(both.error().message.find(second) != std::string::npos);
    }

    void unknownJobNamesNearOnes()
    {
        const auto state = newState();
        QCOMPARE(findJob(state, "last").error().reason, Reason::JobNotFound);
        const std::string id = create(state)->description().id.text();
        std::string mistyped = id;
        mistyped[5] = mistyped[5] == '0' ? '1' : '0';
        for (const auto& error :
             {findJob(state, mistyped).error(), JobDirectory::own(state, JobId(mistyped)).error()}) {
            QCOMPARE(error.reason, Reason::JobNotFound);
            QVERIFY(error.hint.find(id) != std::string::npos);
        }
        QCOMPARE(findJob(state, "../../etc").error().reason, Reason::JobNotFound);
        QCOMPARE(JobDirectory::own(state, JobId("..")).error().reason, Reason::JobNotFound);
    }

    void secondOwnerIsToldWhoTheFirstIs()
    {
        const auto state = newState();
        const JobId id = create(state)->description().id;
        const pid_t pid = ownInChild(state, id);
        QVERIFY(pid > 0);
        const auto refused = JobDirectory::own(state, id);
        QVERIFY(!refused);
        QCOMPARE(refused.error().reason, Reason::JobLocked);
        const QString message = QString::fromStdString(refused.error().message);
        const QRegularExpression form("^job " + QString::fromStdString(id.text()) + " is run by process " +
                                      QString::number(pid) + " on host \\S+ since \\d\\d:\\d\\d:\\d\\d$");
        QVERIFY2(form.match(message).hasMatch(), qPrintable(message));
        QCOMPARE(findJob(state, id.text())->owner->pid, std::int64_t{pid});
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        QVERIFY(!findJob(state, id.text())->owner);
        QVERIFY(JobDirectory::own(state, id));
    }

    void outputFolderHasOneWriter()
    {
        const auto output = newState() / "out";
        auto first = OutputLock::take(output, JobId("7f3a9c"));
        QVERIFY(first);
        const auto second = OutputLock::take(output, JobId("7f3a9d"));
        QVERIFY(!second);
        QCOMPARE(second.error().reason, Reason::JobLocked);
        QVERIFY(second.error().message.find("job 7f3a9c") != std::string::npos);
        QVERIFY(second.error().message.find(output.string()) != std::string::npos);
        first->reset();
        QVERIFY(OutputLock::take(output, JobId("7f3a9d")));
    }

    void stateDirectoryFollowsTheEnvironment()
    {
        QCOMPARE(stateDirectory("/x/state")->string(), std::string("/x/state"));
        qputenv("AIFLOW_STATE_DIR", "/y");
        QCOMPARE(stateDirectory({})->string(), std::string("/y"));
        qunsetenv("AIFLOW_STATE_DIR");
        qputenv("XDG_STATE_HOME", "/z");
        QCOMPARE(stateDirectory({})->string(), std::string("/z/aiflow"));
        qputenv("XDG_STATE_HOME", "relative");
        qputenv("HOME", "/home/me");
        QCOMPARE(stateDirectory({})->string(), std::string("/home/me/.local/state/aiflow"));
        qunsetenv("HOME");
        qunsetenv("XDG_STATE_HOME");
        const auto fromDatabase = stateDirectory({});
        QVERIFY(fromDatabase && fromDatabase->is_absolute());
    }

    void localDiskIsAccepted()
    {
        QVERIFY(!networkFileSystemOf(m_base.path().toStdString()));
        QVERIFY(!networkFileSystemOf(std::filesystem::path(m_base.path().toStdString()) / "not" / "there" / "yet"));
        QVERIFY(requireLocalDisk(m_base.path().toStdString()));
    }
};

QTEST_GUILESS_MAIN(JobDirectoryTest)
#include "job_directory_test.moc"
