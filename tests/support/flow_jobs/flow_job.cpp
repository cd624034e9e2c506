#include "tests/support/flow_jobs/flow_job.h"

#include "core/api/lane/network_lane.h"
#include "core/base/json.h"
#include "core/engine/calls/attempt_recorder.h"
#include "core/store/limits/limit_database.h"
#include "tests/support/flow_jobs/flow_pipeline.h"
#include "tests/support/flow_jobs/flow_services.h"
#include "tests/support/must.h"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aiflow::test {

namespace {

constexpr const char* kMarker = "--as-flow-job";

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double cpuSeconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Json toJson(const FlowJob& job)
{
    return {{"flow", job.flow},
            {"speed", job.speed},
            {"port", job.port},
            {"folder", job.folder.string()},
            {"state", job.state.string()},
            {"name", job.name},
            {"items", job.items},
            {"calling_items", job.callingItems},
            {"step_lag", job.stepLag},
            {"priority", job.priority}};
}

FlowJob jobFrom(const Json& json)
{
    FlowJob job;
    job.flow = json.at("flow");
    job.speed = json.at("speed");
    job.port = json.at("port");
    job.folder = json.at("folder").get<std::string>();
    job.state = json.at("state").get<std::string>();
    job.name = json.at("name");
    job.items = json.at("items");
    job.callingItems = json.at("calling_items");
    job.stepLag = json.at("step_lag");
    job.priority = json.at("priority");
    return job;
}

std::optional<RestoredItem> restored(JournalReader& journal, const ItemHandle& item)
{
    const auto row = journal.item(item.index);
    if (!row || !*row) return std::nullopt;
    RestoredItem found{(*row)->state, (*row)->steps, {}};
    if (isTerminal(found.state)) return found;
    found.state = TaskState::Queued;
    for (TaskState& step : found.steps)
        if (!isGood(step)) step = TaskState::Queued;
    for (TaskEnded& task : must(journal.tasksOf(item.index)))
        if (isGood(task.state)) found.tasks.push_back(std::move(task));
    return found;
}

// The parts of a job in the order in which they must end.
class Bench {
public:
    Bench(const FlowJob& job, NamedFlow named)
        : m_job(job), m_folder(job.folder), m_models(standInDevice(named.flow, job.speed)),
          m_items(flowItems(job.items > 0 ? job.items : named.flow.items))
    {
        const bool again = std::filesystem::exists(m_folder / "journal.db");
        std::filesystem::create_directories(m_folder);
        std::filesystem::create_directories(job.state);
        addStandInOps(*m_ops);
        m_pipeline = pipelineOf(named.flow, job.speed, *m_ops, *m_models, job.name, m_folder);
        m_artifacts = must(ArtifactStore::open(m_folder / "artifacts", systemFiles()));
        m_journal =
            must(Journal::open(m_folder / "journal.db", {.beforeCommit = [this] { return m_artifacts->sync(); }}));
        m_reader = must(m_journal->reader());
        m_lane = makeNetworkLane({jobSettings(named, job.speed, job.port), must(makeCurlTransport({}, m_clock)),
                                  must(openLimitStore(job.state, m_clock)), m_clock, m_random, *m_log});
        openLive();
        m_attempts = must(AttemptRecorder::open(*m_journal, *m_reader, *m_artifacts, m_clock, m_folder / "spool"));
        EngineSettings settings;
        settings.cores = static_cast<int>(named.flow.cpuPlaces);
        settings.callingItems = job.callingItems;
        settings.stepLag = job.stepLag;
        settings.jobPriority = job.priority;
        Restore restore;
        if (again) restore = [this](const ItemHandle& item) { return restored(*m_reader, item); };
        m_runner = must(JobRunner::create({m_pipeline, *m_items, *m_ops, m_models.get(), m_lane.get(), *m_journal,
                                           *m_artifacts, nullptr, nullptr, *m_live, m_clock, *m_log, m_attempts},
                                          settings, restore));
    }

    FlowJobEnd run()
    {
        FlowJobEnd end;
        end.openAtStart = m_attempts->earlier().unknown;
        JobMoney money;
        for (const auto& [currency, nanos] : must(m_reader->spentNanos())) money.spent = {Nanos(nanos), currency};
        end.startedNs = now();
        m_runner->serveCalls(m_job.name, money);
        const JobEnd done = must(m_runner->run());
        end.endedNs = now();
        end.succeeded = done.items[TaskState::Succeeded];
        end.failed = done.items[TaskState::Failed];
        m_runner.reset();
        must(m_journal->flush());
        end.cost = must(m_reader->spentNanos());
        for (const FailureGroup& group : must(m_reader->failureGroups())) end.failure = group.sampleMessage;
        end.cpuSeconds = cpuSeconds();
        return end;
    }

private:
    void openLive()
    {
        LiveIdentity identity;
        identity.job = m_job.name;
        identity.total = m_items->total();
        identity.firstSeq = must(m_reader->lastEventSeq()) + 1;
        for (const Step& step : m_pipeline.steps) identity.steps.push_back({step.name, {}, {}, "api", step.target});
        m_live = LiveJob::create(std::move(identity), m_clock, [this](const EventLine& line) {
            m_journal->write(EventRecord{line.seq, line.json});
        });
    }

    FlowJob m_job;
    std::filesystem::path m_folder;
    SystemClock m_clock;
    SystemRandom m_random;
    std::shared_ptr<Log> m_log = Log::nowhere();
    std::unique_ptr<OpRegistry> m_ops = must(OpRegistry::open({}));
    std::unique_ptr<ModelLane> m_models;
    std::unique_ptr<ItemSource> m_items;
    Pipeline m_pipeline;
    std::unique_ptr<ArtifactStore> m_artifacts;
    std::unique_ptr<Journal> m_journal;
    std::unique_ptr<JournalReader> m_reader;
    std::unique_ptr<LiveJob> m_live;
    std::shared_ptr<AttemptRecorder> m_attempts;
    std::unique_ptr<ApiLane> m_lane;
    std::unique_ptr<JobRunner> m_runner;
};

} // namespace

std::optional<int> runAsFlowJob(int argc, char** argv, const FlowRegistry& registry)
{
    if (argc != 3 || std::string(argv[1]) != kMarker) return std::nullopt;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const FlowJob job = jobFrom(must(parseJson(argv[2])));
    Bench bench(job, registry(job.flow));
    const FlowJobEnd end = bench.run();
    const Json line{{"started_ns", end.startedNs},      {"ended_ns", end.endedNs},
                    {"succeeded", end.succeeded},       {"failed", end.failed},
                    {"open_at_start", end.openAtStart}, {"cost", end.cost},
                    {"cpu_seconds", end.cpuSeconds},    {"failure", end.failure}};
    std::printf("%s\n", line.dump().c_str());
    return 0;
}

FlowJobProcess FlowJobProcess::start(const FlowJob& job)
{
    FlowJobProcess process;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) must(Result<void>(fail(Reason::Internal, "no pipe")));
    const std::string text = toJson(job).dump();
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
    process.m_pid = ::fork();
    if (process.m_pid == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::execl(program.c_str(), program.c_str(), kMarker, text.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    process.m_output = ends[0];
    return process;
}

FlowJobProcess::FlowJobProcess(FlowJobProcess&& other) noexcept
    : m_pid(std::exchange(other.m_pid, -1)), m_output(std::exchange(other.m_output, -1))
{
}

FlowJobProcess::~FlowJobProcess()
{
    if (m_pid > 0) {
        kill();
        ::waitpid(m_pid, nullptr, 0);
    }
    if (m_output >= 0) ::close(m_output);
}

void FlowJobProcess::kill() { ::kill(m_pid, SIGKILL); }

FlowJobEnd FlowJobProcess::wait()
{
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(m_output, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    ::waitpid(std::exchange(m_pid, -1), &status, 0);
    FlowJobEnd end;
    end.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (end.killed) return end;
    if (status != 0) must(Result<void>(fail(Reason::Internal, "a job of the bench ended badly")));
    const Json line = must(parseJson(text));
    end.startedNs = line.at("started_ns");
    end.endedNs = line.at("ended_ns");
    end.succeeded = line.at("succeeded");
    end.failed = line.at("failed");
    end.openAtStart = line.at("open_at_start");
    end.cost = line.at("cost").get<std::map<std::string, std::int64_t>>();
    end.cpuSeconds = line.at("cpu_seconds");
    end.failure = line.at("failure");
    return end;
}

} // namespace aiflow::test
