#include "core/base/failpoint.h"
#include "core/store/journal.h"
#include "core/store/journal_schema.h"

#include <array>
#include <csignal>
#include <cstring>
#include <QtTest>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tuple>
#include <unistd.h>

using namespace aiflow;

// What is left after a kill, on a full disk, from an older and a newer program.
class JournalFaultsTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_files = 0;

    std::filesystem::path newFile()
    {
        const auto folder = std::filesystem::path(m_folder.path().toStdString()) / std::to_string(++m_files);
        std::filesystem::create_directories(folder);
        return folder / "journal.db";
    }

    static void must(const Result<void>& result)
    {
        if (!result) qFatal("%s", result.error().text().c_str());
    }

    static SqliteDatabase database(const std::filesystem::path& file)
    {
        auto opened = SqliteDatabase::open(file, SqliteDatabase::Mode::ReadWrite);
        if (!opened) qFatal("%s", opened.error().text().c_str());
        return std::move(*opened);
    }

    // In the child: writes events for ever and reports each durable one's number.
    [[noreturn]] static void writeAndAcknowledge(const std::filesystem::path& file, int acknowledge)
    {
        auto journal = Journal::open(file, {});
        if (!journal) ::_exit(1);
        auto reader = (*journal)->reader();
        if (!reader) ::_exit(1);
        const std::int64_t first = *(*reader)->lastEventSeq() + 1;
        for (std::int64_t seq = first;; ++seq) {
            (*journal)->write(EventRecord{seq, "{}"}, [seq, acknowledge](const Result<void>& outcome) {
                if (outcome) std::ignore = ::write(acknowledge, &seq, sizeof seq);
            });
            if ((*journal)->congested()) std::ignore = (*journal)->flush();
        }
    }

    // Kills a writer after it has acknowledged `count` records; the last number it acknowledged.
    static std::int64_t killAfter(const std::filesystem::path& file, int count)
    {
        std::array<int, 2> channel{};
        if (::pipe(channel.data()) != 0) qFatal("no pipe");
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::close(channel[0]);
            writeAndAcknowledge(file, channel[1]);
        }
        ::close(channel[1]);
        std::int64_t seq = 0;
        std::int64_t last = 0;
        for (int received = 0; ::read(channel[0], &seq, sizeof seq) == sizeof seq;) {
            last = seq;
            if (++received == count) ::kill(pid, SIGKILL);
        }
        ::close(channel[0]);
        ::waitpid(pid, nullptr, 0);
        return last;
    }

    static void armFault([[maybe_unused]] const std::string& plan)
    {
#ifdef AIFLOW_FAILPOINTS
        failpoint::arm(plan);
#endif
    }

private Q_SLOTS:
    void everyAcknowledgedRecordSurvivesAKill()
    {
        const auto file = newFile();
        for (int kill = 0; kill < 30; ++kill) {
            const std::int64_t acknowledged = killAfter(file, 1 + kill * 37);
            auto reader = JournalReader::open(file);
            QVERIFY2(reader, reader ? "" : reader.error().text().c_str());
            const auto last = (*reader)->lastEventSeq();
            QVERIFY(last && *last >= acknowledged);
            QCOMPARE((*reader)->events(0, 10'000'000)->size(), static_cast<std::size_t>(*last));
        }
        auto checked = database(file);
        QCOMPARE(*checked.value("PRAGMA integrity_check"), std::string("ok"));
    }

    // The limit on file sizes stands for a full disk: write fails with EFBIG instead of ENOSPC.
    void fullDiskStopsTheJournalAndLosesNothingBeforeIt()
    {
        const auto file = newFile();
        const pid_t pid = ::fork();
        if (pid == 0) {
            std::signal(SIGXFSZ, SIG_IGN);
            auto journal = Journal::open(file, {});
            if (!journal) ::_exit(1);
            const rlimit limit{400'000, 400'000};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            int told = 0;
            (*journal)->onBroken([&](const Error& error) { told += error.reason == Reason::OutputDiskFull ? 1 : 100; });
            std::int64_t lastGood = 0;
            bool goodAfterBad = false;
            bool bad = false;
            for (std::int64_t seq = 1; seq <= 20'000; ++seq) {
                (*journal)->write(EventRecord{seq, std::string(100, 'x')}, [&, seq](const Result<void>& outcome) {
                    if (outcome) lastGood = seq;
                    if (outcome && bad) goodAfterBad = true;
                    if (!outcome) bad = true;
                });
                if (seq % 100 == 0) std::ignore = (*journal)->flush();
            }
            const auto flushed = (*journal)->flush();
            const auto broken = (*journal)->brokenBy();
            const bool right = !flushed && broken && broken->reason == Reason::OutputDiskFull && told == 1 && bad &&
                               !goodAfterBad && lastGood > 0;
            journal->reset();
            auto reader = JournalReader::open(file);
            ::_exit(right && reader && *(*reader)->lastEventSeq() == lastGood ? 0 : 2);
        }
        int status = 0;
        QCOMPARE(::waitpid(pid, &status, 0), pid);
        QVERIFY(WIFEXITED(status));
        QCOMPARE(WEXITSTATUS(status), 0);
        // With space again the next process goes on.
        auto journal = Journal::open(file, {});
        QVERIFY(journal);
        (*journal)->write(EventRecord{30'000, "{}"});
        QVERIFY((*journal)->flush());
    }

    // Commit by commit, until a run has no failure: the N-th failing one loses nothing that was acknowledged.
    void nthFailingCommitBreaksTheJournalOnce()
    {
#ifndef AIFLOW_FAILPOINTS
        QSKIP("fault points are not compiled in: configure with AIFLOW_FAILPOINTS=ON");
#endif
        for (int nth = 1; nth <= 12; ++nth) {
            const auto file = newFile();
            const pid_t pid = ::fork();
            if (pid == 0) {
                armFault("commit=error:" + std::to_string(nth));
                auto journal = Journal::open(file, {});
                if (!journal) ::_exit(1);
                std::int64_t good = 0;
                for (int group = 1; group <= 10; ++group) {
                    (*journal)->write(EventRecord{group, "{}"}, [&](const Result<void>& r) { good += r.has_value(); });
                    std::ignore = (*journal)->flush();
                }
                const bool broke = (*journal)->brokenBy().has_value();
                journal->reset();
                auto reader = JournalReader::open(file);
                const bool right = good == std::min(nth - 1, 10) && broke == (nth <= 10) && reader &&
                                   *(*reader)->lastEventSeq() == good;
                ::_exit(right ? 0 : 2);
            }
            int status = 0;
            QCOMPARE(::waitpid(pid, &status, 0), pid);
            QCOMPARE(status, 0);
        }
    }

    void killsAroundTheCommitLeaveAllOrNothing_data()
    {
        QTest::addColumn<QString>("point");
        QTest::addColumn<qlonglong>("expected");
        QTest::newRow("before") << "before_commit=kill:3" << 4LL;
        QTest::newRow("after") << "after_commit=kill:3" << 6LL;
    }

    void killsAroundTheCommitLeaveAllOrNothing()
    {
#ifndef AIFLOW_FAILPOINTS
        QSKIP("fault points are not compiled in: configure with AIFLOW_FAILPOINTS=ON");
#endif
        QFETCH(QString, point);
        QFETCH(qlonglong, expected);
        const auto file = newFile();
        const pid_t pid = ::fork();
        if (pid == 0) {
            armFault(point.toStdString());
            auto journal = Journal::open(file, {});
            for (int group = 0; journal && group < 5; ++group) {
                (*journal)->write({EventRecord{2 * group + 1, "{}"}, EventRecord{2 * group + 2, "{}"}});
                std::ignore = (*journal)->flush();
            }
            ::_exit(1);
        }
        int status = 0;
        QCOMPARE(::waitpid(pid, &status, 0), pid);
        QVERIFY(WIFSIGNALED(status));
        auto reader = JournalReader::open(file);
        QVERIFY(reader);
        QCOMPARE(*(*reader)->lastEventSeq(), expected);
    }

    void writingConnectionHasEverySetting()
    {
        auto db = database(newFile());
        must(configureJournal(db));
        const std::pair<const char*, const char*> expected[] = {
            {"journal_mode", "wal"},  {"synchronous", "2"},        {"foreign_keys", "1"},
            {"trusted_schema", "0"},  {"cell_size_check", "1"},    {"mmap_size", "0"},
            {"busy_timeout", "5000"}, {"wal_autocheckpoint", "0"}, {"journal_size_limit", "67108864"}};
        for (const auto& [name, value] : expected)
            QCOMPARE(*db.value(std::string("PRAGMA ") + name), std::string(value));
    }

    void newerFileIsRefusedWithTheWayOut()
    {
        const auto file = newFile();
        must(database(file).execute("PRAGMA user_version = 99"));
        for (const auto& error : {Journal::open(file, {}).error(), JournalReader::open(file).error()}) {
            QCOMPARE(error.reason, Reason::Internal);
            QVERIFY(QString::fromStdString(error.message).contains("written by a newer AIFlow (journal format 99"));
            QVERIFY(!error.hint.empty());
        }
    }

    void olderFileIsBackedUpAndBroughtForward()
    {
        const auto file = newFile();
        std::vector<JournalMigration> migrations(journalMigrations().begin(), journalMigrations().end());
        auto db = database(file);
        must(configureJournal(db));
        must(migrateJournal(db, migrations));
        must(db.execute("INSERT INTO event VALUES(1, 'kept')"));
        migrations.push_back({"ALTER TABLE event ADD COLUMN extra TEXT; UPDATE event SET extra = 'new';"});
        must(migrateJournal(db, migrations));
        QCOMPARE(*db.value("SELECT json || extra FROM event"), std::string("keptnew"));
        QCOMPARE(*db.value("PRAGMA user_version"), std::to_string(migrations.size()));
        const std::string before = std::to_string(journalMigrations().size());
        auto copy = database(file.string() + ".v" + before + ".bak");
        QCOMPARE(*copy.value("SELECT json FROM event"), std::string("kept"));
        QCOMPARE(*copy.value("PRAGMA user_version"), before);
    }

    void migrationThatFailsChangesNothing()
    {
        const auto file = newFile();
        std::vector<JournalMigration> migrations(journalMigrations().begin(), journalMigrations().end());
        auto db = database(file);
        must(migrateJournal(db, migrations));
        migrations.push_back({"CREATE TABLE half(x); THIS IS NO SQL;"});
        QVERIFY(!migrateJournal(db, migrations));
        QCOMPARE(*db.value("PRAGMA user_version"), std::to_string(journalMigrations().size()));
        QCOMPARE(*db.value("SELECT count(*) FROM sqlite_master WHERE name = 'half'"), std::string("0"));
    }

    void attemptsOfTheFirstJournalsAreReadAndThenBroughtForward()
    {
        const auto file = newFile();
        {
            auto db = database(file);
            must(configureJournal(db));
            must(migrateJournal(db, journalMigrations().first(1)));
            must(db.execute("INSERT INTO attempt VALUES('a1',3,1,-1,0,0,'p','m','acc','','','','',0,0,'',NULL,'{}')"));
        }
        for (int run = 0; run < 2; ++run) {
            auto reader = JournalReader::open(file);
            QVERIFY(reader);
            const auto open = (*reader)->openAttempts();
            QVERIFY(open);
            QCOMPARE(open->size(), std::size_t{1});
            QCOMPARE(open->front().account, std::string("acc"));
            QCOMPARE(open->front().number, 1);
            reader->reset();
            QVERIFY(Journal::open(file, {}));
        }
    }

    void damagedFileIsNamedWithTheWayOut()
    {
        const auto file = newFile();
        FILE* out = std::fopen(file.c_str(), "w");
        std::fputs(std::string(8192, 'x').c_str(), out);
        std::fclose(out);
        const auto journal = Journal::open(file, {});
        QVERIFY(!journal);
        QCOMPARE(journal.error().reason, Reason::Internal);
        QVERIFY(journal.error().message.find(file.string()) != std::string::npos);
        QVERIFY(!journal.error().hint.empty());
    }

    void finishedJobIsReadFromAReadOnlyFolder()
    {
        if (::geteuid() != 0) QSKIP("needs root: the reader runs as another user");
        const auto file = newFile();
        {
            auto journal = Journal::open(file, {});
            (*journal)->write(EventRecord{1, "{}"});
        }
        std::filesystem::remove(file.string() + "-wal");
        std::filesystem::remove(file.string() + "-shm");
        for (auto part = file.parent_path(); part != "/tmp" && part != "/"; part = part.parent_path())
            std::filesystem::permissions(part, std::filesystem::perms(0755));
        std::filesystem::permissions(file, std::filesystem::perms(0644));
        const pid_t pid = ::fork();
        if (pid == 0) {
            if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(3);
            auto reader = JournalReader::open(file);
            ::_exit(reader && *(*reader)->lastEventSeq() == 1 ? 0 : 2);
        }
        int status = 0;
        QCOMPARE(::waitpid(pid, &status, 0), pid);
        QCOMPARE(WEXITSTATUS(status), 0);
    }
};

QTEST_GUILESS_MAIN(JournalFaultsTest)
#include "journal_faults_test.moc"
