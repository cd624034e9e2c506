#include "core/facade/running_job.h"

#include "aiflow/job_event.h"
#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/engine/job_runner.h"
#include "core/facade/client/job_export.h"
#include "core/facade/client/job_files.h"
#include "core/facade/client/job_input.h"
#include "core/facade/forecasting/chosen_order.h"
#include "core/facade/item_stream.h"
#include "core/facade/open_calls_text.h"
#include "core/facade/running/earlier_items.h"
#include "core/facade/running/live_view.h"
#include "core/facade/running/outage_watch.h"
#include "core/live/feed_server.h"
#include "core/store/output_folder.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

class RunningJob final : public JobSession {
public:
    RunningJob(std::unique_ptr<Workbench> bench, JobPlan plan, std::unique_ptr<JobDirectory> directory,
               WorkChoice choice)
        : m_bench(std::move(bench)), m_plan(std::move(plan)), m_directory(std::move(directory)),
          m_choice(std::move(choice))
    {
    }

    ~RunningJob() override
    {
        m_pauses = {};
        m_outages.reset();
        m_feed.reset();
        m_runner.reset();
        m_bench->tools.reset(); // calls that were cut off are recorded while the journal is there
    }

    // Opens journal, stores, lanes and the feed. Nothing runs yet.
    Result<void> open(const Surroundings& surroundings)
    {
        const auto& job = m_directory->description();
        if (auto opened = openLog(surroundings); !opened) return opened;
        if (auto locked = OutputLock::take(m_plan.output, job.id); locked)
            m_outputLock = std::move(*locked);
        else
            return tl::unexpected(locked.error());
        if (auto opened = openStores(); !opened) return opened;
        auto items = ItemStream::open(m_directory->inputSnapshot(), snapshotSettings(job), *m_plan.columns,
                                      m_plan.inputRoot, m_plan.preparation.total, m_cache.get());
        if (!items) return tl::unexpected(items.error());
        m_items = std::move(*items);
        return openLive();
    }

    const Preparation& preparation() const override { return m_plan.preparation; }

    Result<JobReport> run(std::function<void(const EventLine&)> onEvent) override
    {
        Subscription listening;
        if (onEvent) listening = m_live->subscribe(std::move(onEvent));
        auto runner =
            JobRunner::create(parts(), engineSettings(), [this](const ItemHandle& item) { return restore(item); });
        if (!runner) return tl::unexpected(runner.error());
        {
            const std::lock_guard lock(m_mutex);
            m_runner = std::move(*runner);
        }
        auto feed = FeedServer::start(
            m_directory->socket(), *m_live, [this](const Json& wish) { return obey(wish); },
            [this](std::int64_t from, std::int64_t limit) { return journaledEvents(*m_journal, from, limit); });
        if (feed)
            m_feed = std::move(*feed);
        else
            m_jobLog->warning("no feed: viewers cannot follow this job", {{"why", feed.error().text()}});

        if (!routesOf(m_plan.pipeline).empty()) watchOutages();
        m_live->setState(JobState::Running);
        m_live->jobStarted(m_restoredItems);
        m_runner->serveCalls(m_directory->description().id.text(), m_money);
        if (m_stopAsked != 0) m_runner->stop(m_stopAsked > 1 ? StopKind::Now : StopKind::Drain);
        auto end = m_runner->run();
        if (!end) return tl::unexpected(end.error());
        return finish(*end);
    }

    JobSnapshot snapshot() const override
    {
        JobSnapshot snapshot = m_live->snapshot();
        snapshot.ownerPid = ::getpid();
        return snapshot;
    }

    EventLine progressLine() const override { return m_live->progress(); }

    void stop(bool now) override
    {
        const std::lock_guard lock(m_mutex);
        m_stopAsked = now ? 2 : std::max(m_stopAsked.load(), 1);
        if (m_runner) m_runner->stop(now ? StopKind::Now : StopKind::Drain);
    }

    void pause() override { pauseBy("you"); }
    void resume() override { resumeBy("you"); }

private:
    JobParts parts()
    {
        return {m_plan.pipeline,
                *m_items,
                m_bench->tools->ops(),
                &m_bench->tools->models(),
                &m_bench->tools->api(),
                *m_journal,
                *m_artifacts,
                m_cache.get(),
                m_output.get(),
                *m_live,
                m_bench->clock,
                *m_jobLog,
                m_attempts};
    }

    EngineSettings engineSettings() const
    {
        const JobOptions& options = m_plan.options;
        EngineSettings settings;
        settings.cores = options.cores.value_or(0);
        if (options.memoryBytes) settings.valueMemory = Bytes(*options.memoryBytes);
        settings.jobPriority = options.priority;
        settings.fresh = m_choice.fresh;
        settings.failFast = options.failFast;
        settings.maxFailures = options.maxFailures;
        settings.maxFailurePercent = options.maxFailurePercent;
        for (const std::int64_t item : m_choice.again) settings.only.emplace_back(item);
        if (m_bench->tools->callsServices()) {
            const JobSize size{itemsLeft(*m_reader, m_plan.preparation.total, m_choice.again), settings.cores};
            const auto order = chooseOrder(m_plan.pipeline, m_bench->tools->services().settings(), size, *m_jobLog);
            settings.callingItems = order.callingItems;
            settings.stepLag = order.stepLag;
        }
        return settings;
    }

    Result<void> openLog(const Surroundings& surroundings)
    {
        LogSettings settings;
        settings.level = surroundings.detail == LogDetail::Everything ? LogLevel::Debug : LogLevel::Info;
        settings.format = surroundings.logAsJson ? LogFormat::Json : LogFormat::Text;
        settings.file = surroundings.logFile.value_or(m_directory->logFile());
        auto log = Log::open(settings);
        if (!log) return tl::unexpected(log.error());
        m_jobLog = std::move(*log);
        m_plan.preparation.log = settings.file;
        return {};
    }

    Result<void> openStores()
    {
        auto artifacts = ArtifactStore::open(m_bench->state / "artifacts", systemFiles());
        if (!artifacts) return tl::unexpected(artifacts.error());
        m_artifacts = std::move(*artifacts);
        auto cache = ResultCache::open(m_bench->state / "results");
        if (cache)
            m_cache = std::move(*cache);
        else
            m_jobLog->warning("no result cache: nothing is reused", {{"why", cache.error().text()}});
        if (m_plan.preparation.resumed || !m_plan.preparation.leftBehind.empty()) removeLeftTemporaries(m_plan.output);
        auto output = OutputFolder::open(m_plan.output, *m_artifacts);
        if (!output) return tl::unexpected(output.error());
        m_output = std::move(*output);
        auto journal = Journal::open(m_directory->journalFile(),
                                     {.beforeCommit = [artifacts = m_artifacts.get()] { return artifacts->sync(); }});
        if (!journal) return tl::unexpected(journal.error());
        m_journal = std::move(*journal);
        auto reader = m_journal->reader();
        if (!reader) return tl::unexpected(reader.error());
        m_reader = std::move(*reader);
        m_journal->write(JobField{std::string(job_field::kTotal), std::to_string(m_plan.preparation.total)});
        // The last process's farewell is not this one's.
        m_journal->write(JobField{std::string(job_field::kFinalSnapshot), ""});
        if (m_plan.preparation.resumed)
            if (auto claimed = claimPlacedFiles(*m_reader, *m_output); !claimed) return claimed;
        if (auto opened = openCalls(); !opened) return opened;
        return m_journal->flush();
    }

    // What earlier processes of the job called and spent.
    Result<void> openCalls()
    {
        auto attempts =
            AttemptRecorder::open(*m_journal, *m_reader, *m_artifacts, m_bench->clock, m_directory->spool());
        if (!attempts) return tl::unexpected(attempts.error());
        m_attempts = std::move(*attempts);
        const ApiSettings& services = m_bench->tools->services().settings();
        if (const std::string note = openCallsText(m_attempts->earlier(), services.unknown); !note.empty())
            m_plan.preparation.notes.push_back(note);
        auto money = jobMoney(services, m_plan.options.budget, *m_reader);
        if (!money) return tl::unexpected(money.error());
        m_money = std::move(*money);
        return {};
    }

    Result<void> openLive()
    {
        const auto seq = m_reader->lastEventSeq();
        if (!seq) return tl::unexpected(seq.error());
        auto identity =
            liveIdentity(m_directory->description(), m_plan, m_bench->tools->services().settings(), m_money, *seq + 1);
        m_live = LiveJob::create(std::move(identity), m_bench->clock, [this](const EventLine& event) {
            m_journal->write(EventRecord{event.seq, event.json});
        });
        m_live->watchAccounts([this] { return accountsOf(m_bench->tools->api()); });
        return {};
    }

    std::optional<RestoredItem> restore(const ItemHandle& item)
    {
        if (!m_plan.preparation.resumed) return std::nullopt;
        auto restored = restoredItem(*m_reader, item, m_choice.again.contains(item.index.value()));
        if (restored && isTerminal(restored->state)) ++m_restoredItems;
        return restored;
    }

    // Tells the watch who stops answering, as the events do.
    void watchOutages()
    {
        m_outages.emplace(m_bench->tools->services().settings(), routesOf(m_plan.pipeline),
                          OutagePatience{m_plan.options.stopOnOutage, m_plan.options.maxWait}, m_bench->clock,
                          [this] { stop(false); });
        m_pauses = m_live->subscribe([this](const EventLine& line) {
            if (line.type != "provider_paused" && line.type != "provider_resumed") return;
            const auto event = eventFromJson(line.json);
            if (!event) return;
            if (event->type == "provider_resumed")
                m_outages->resumed(event->provider);
            else
                m_outages->paused(event->provider, event->reason.value_or(Reason::ProviderOutage), event->detail);
        });
    }

    void pauseBy(const std::string& who)
    {
        const std::lock_guard lock(m_mutex);
        if (!m_runner || m_runner->paused()) return;
        m_runner->pause();
        m_live->jobPaused(who, "asked to");
    }

    void resumeBy(const std::string& who)
    {
        const std::lock_guard lock(m_mutex);
        if (!m_runner || !m_runner->paused()) return;
        m_runner->resume();
        m_live->jobResumed(who);
    }

    // A viewer's wish, on the feed's thread.
    Result<Json> obey(const Json& wish)
    {
        const std::string command = wish.value("command", "");
        const std::string id = m_directory->description().id.text();
        if (command == "pause") {
            pauseBy("a viewer");
            return Json{{"message", "job " + id + " is paused; what runs finishes first"}};
        }
        if (command == "resume") {
            resumeBy("a viewer");
            return Json{{"message", "job " + id + " goes on"}};
        }
        if (command == "cancel") {
            m_cancelled = true;
            const std::lock_guard lock(m_mutex);
            m_runner->cancel(wish.value("now", false) ? StopKind::Now : StopKind::Drain);
            return Json{{"message", "job " + id + " is being cancelled; what runs finishes first"}};
        }
        return fail(Reason::UsageInvalid, "this job knows no command \"" + command + "\"");
    }

    Result<JobReport> finish(const JobEnd& end)
    {
        JobReport report;
        report.cause = end.cause;
        if (m_outages && !report.cause && end.state == JobState::Interrupted) report.cause = m_outages->cause();
        report.tasksRun = end.tasksRun;
        report.tasksReused = end.tasksReused;
        report.recomputed = end.recomputed;
        report.exitCode = exitCode(end, report.cause);
        m_live->jobFinished(end.state, report.exitCode);
        JobSnapshot last = m_live->snapshot();
        last.exitCode = report.exitCode;
        if (m_plan.preparation.resumed) last.failures = allFailures(last.failures);
        if (end.state != JobState::Interrupted)
            m_journal->write(JobField{std::string(job_field::kFinalSnapshot), toJson(last)});
        if (auto kept = m_journal->flush(); !kept && !report.cause) report.cause = kept.error();
        if (m_cache)
            if (const auto kept = m_cache->flush(); !kept)
                m_jobLog->warning("some results were not kept for later jobs", {{"why", kept.error().text()}});
        report.snapshot = std::move(last);
        exportLists(report);
        if (auto synced = m_output->sync(); !synced && !report.cause) report.cause = synced.error();
        m_feed.reset();
        return report;
    }

    static int exitCode(const JobEnd& end, const std::optional<Error>& cause)
    {
        if (cause) return exitCodeOf(*cause) == 1 && stoppedByFailures(end) ? 7 : exitCodeOf(*cause);
        switch (end.state) {
        case JobState::Succeeded:
            return 0;
        case JobState::Partial:
            return 3;
        case JobState::Cancelled:
        case JobState::Interrupted:
            return 130;
        default:
            return 1;
        }
    }

    static bool stoppedByFailures(const JobEnd& end)
    {
        return end.items[TaskState::Failed] > 0 && end.cause && end.cause->reason == Reason::Cancelled;
    }

    // A resumed job's failures are also those of its earlier processes.
    std::vector<FailureGroupSnapshot> allFailures(std::vector<FailureGroupSnapshot> ours)
    {
        (void)m_journal->flush();
        const auto groups = m_reader->failureGroups();
        if (!groups) return ours;
        std::vector<FailureGroupSnapshot> all;
        for (const FailureGroup& group : *groups) all.push_back(toSnapshot(group, m_plan.preparation.steps, *m_reader));
        return all;
    }

    // results.csv and failures.csv beside the result files; trouble with them is told, not fatal.
    void exportLists(JobReport& report)
    {
        ExportRequest request;
        request.files = {ExportFile::Results, ExportFile::Failures};
        const JobEntry entry{m_directory->description(), m_directory->path(), std::nullopt};
        const auto written = exportJobFiles(entry, m_bench->state, request);
        if (written) {
            report.files = written->written;
            report.resultFiles = written->files;
        } else {
            m_jobLog->error("results.csv could not be written", {{"why", written.error().text()}});
            if (!report.cause) report.cause = written.error();
        }
    }

    std::unique_ptr<Workbench> m_bench;
    JobPlan m_plan;
    std::unique_ptr<JobDirectory> m_directory;
    WorkChoice m_choice;
    std::shared_ptr<Log> m_jobLog;
    std::unique_ptr<OutputLock> m_outputLock;
    std::unique_ptr<ArtifactStore> m_artifacts;
    std::unique_ptr<ResultCache> m_cache;
    std::unique_ptr<OutputFolder> m_output;
    std::unique_ptr<Journal> m_journal;
    std::unique_ptr<JournalReader> m_reader; // for restore(): on the thread of run()
    std::shared_ptr<AttemptRecorder> m_attempts;
    JobMoney m_money;
    std::unique_ptr<ItemStream> m_items;
    std::unique_ptr<LiveJob> m_live;
    std::mutex m_mutex; // guards m_runner's making against calls from other threads
    std::unique_ptr<JobRunner> m_runner;
    std::unique_ptr<FeedServer> m_feed;
    std::optional<OutageWatch> m_outages; // stops m_runner
    Subscription m_pauses;                // feeds m_outages
    std::atomic<int> m_stopAsked{0};      // 1: drain, 2: now; may come before run()
    std::atomic<bool> m_cancelled{false};
    std::int64_t m_restoredItems = 0;
};

} // namespace

Result<std::unique_ptr<JobSession>> openRunningJob(std::unique_ptr<Workbench> bench, JobPlan plan,
                                                   std::unique_ptr<JobDirectory> directory, WorkChoice choice,
                                                   const Surroundings& surroundings)
{
    auto job = std::make_unique<RunningJob>(std::move(bench), std::move(plan), std::move(directory), std::move(choice));
    if (auto opened = job->open(surroundings); !opened) return tl::unexpected(opened.error());
    return job;
}

} // namespace aiflow
