#include "core/engine/job_runner.h"

#include "core/engine/item_admission.h"
#include "core/engine/task_runner.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

namespace aiflow {

namespace {

Result<void> check(const JobParts& parts)
{
    const Pipeline& pipeline = parts.pipeline;
    if (pipeline.steps.empty()) return fail(Reason::PipelineInvalid, "the pipeline has no steps");
    for (const Step& step : pipeline.steps) {
        const std::string where = "step " + step.name + ": ";
        if (step.kind == StepKind::Op && parts.ops.find(step.target) == nullptr)
            return fail(Reason::PipelineInvalid, where + "there is no op " + step.target);
        if (step.kind == StepKind::Model && (parts.models == nullptr || parts.models->find(step.target) == nullptr))
            return fail(Reason::ComputeModelMissing, where + "there is no model " + step.target);
        if (step.kind == StepKind::Api && (parts.api == nullptr || !parts.api->hasRoute(step.target)))
            return fail(Reason::ConfigInvalid, where + "there is no route " + step.target);
    }
    return {};
}

EngineSettings withDefaults(EngineSettings settings, const JobParts& parts)
{
    if (settings.cores <= 0) settings.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    if (settings.activeItems <= 0) {
        const GraphPlan plan(parts.pipeline);
        // Enough that no core waits for a row, that a batch fills, and that calls are at hand when a place is free.
        settings.activeItems =
            std::int64_t{32} * settings.cores + (plan.callsModels ? 64 : 0) + (plan.callsRemote ? 256 : 0);
    }
    return settings;
}

std::string nameOf(const ApiPause& told) { return told.account.empty() ? told.provider : told.account; }

void showPause(JobContext& job, const ApiPause& told)
{
    if (!told.paused) {
        job.parts.live.providerResumed(nameOf(told));
        return;
    }
    const auto probe = told.probeIn.count() > 0 ? toIso8601(job.parts.clock.wall() + told.probeIn) : std::string();
    job.parts.live.providerPaused(nameOf(told), told.reason, told.detail, probe);
}

class GraphJobRunner final : public JobRunner {
public:
    GraphJobRunner(JobParts parts, EngineSettings settings, Restore restore)
        : m_job(std::make_shared<JobContext>(parts, std::move(settings))), m_restore(std::move(restore))
    {
    }

    Result<JobEnd> run() override
    {
        if (auto broken = m_job->parts.journal.brokenBy()) return tl::unexpected(std::move(*broken));
        // The journal may break after this job: then nobody listens any more.
        m_job->parts.journal.onBroken([job = std::weak_ptr(m_job)](const Error& error) {
            if (const auto living = job.lock()) living->stopBecause(error);
        });
        {
            TaskRunner tasks(*m_job);
            openGraph(tasks);
            ItemAdmission admission(*m_job, tasks, m_restore);
            admission.admitAll();
            m_job->bell.sleepUntil([&] { return m_job->stopping() || m_job->endedHere() == admission.admitted(); });
            m_job->graph->wait();
            closeGraph();
            m_job->window.visit([&](ActiveItem& item) {
                tasks.finisher().leave(item, m_cancelled.load());
                if (!m_cancelled.load()) ++m_remaining;
            });
            if (m_cancelled.load()) admission.cancelRest();
            m_remaining += admission.remaining();
        }
        return end();
    }

    void serveCalls(const std::string& job, JobMoney money) override
    {
        if (m_job->parts.api == nullptr) return;
        ApiJob serving;
        serving.id = job;
        serving.recorder = m_job->parts.attempts;
        serving.budget = std::move(money.budget);
        serving.spent = std::move(money.spent);
        // The lane may live longer than this job.
        const std::weak_ptr<JobContext> weak = m_job;
        serving.onWaiting = [weak](const ApiWaiting& told) {
            if (const auto living = weak.lock()) living->waiting.changed(told);
        };
        serving.onPause = [weak](const ApiPause& told) {
            if (const auto living = weak.lock()) showPause(*living, told);
        };
        serving.onStop = [weak](const Error& cause) {
            if (const auto living = weak.lock()) living->stopBecause(cause);
        };
        m_job->parts.api->serve(std::move(serving));
    }

    void pause() override
    {
        m_paused.store(true);
        m_job->queue.close();
    }

    void resume() override
    {
        m_paused.store(false);
        const std::int64_t owed = m_job->queue.open();
        const std::lock_guard lock(m_mutex);
        if (m_graphOpen) m_job->graph->turn(owed);
        m_job->bell.ring();
    }

    bool paused() const override { return m_paused.load(); }

    void stop(StopKind kind) override
    {
        m_job->stop();
        if (kind == StopKind::Drain) return;
        m_job->hurry.request_stop();
        if (m_job->parts.models != nullptr) m_job->parts.models->cancelWaiting();
        if (m_job->parts.api != nullptr) m_job->parts.api->abortOpen();
    }

    void cancel(StopKind kind) override
    {
        m_cancelled.store(true);
        stop(kind);
    }

    std::int64_t running() const override { return m_job->running.load(); }

private:
    void openGraph(TaskRunner& tasks)
    {
        const std::lock_guard lock(m_mutex);
        // One place more, never for ops, feeds the lanes while long ops take all cores.
        const bool feeds = m_job->plan.callsRemote || m_job->plan.callsModels;
        if (feeds) m_job->queue.limitOps(m_job->settings.cores);
        m_job->graph = std::make_unique<JobGraph>(m_job->pipeline(), m_job->settings.cores + (feeds ? 1 : 0), tasks);
        m_graphOpen = true;
    }

    // A resume() that comes now finds nothing to wake; turns that it gave before are waited for.
    void closeGraph()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_graphOpen = false;
        }
        m_job->graph->wait();
    }

    JobEnd end()
    {
        const auto flushed = m_job->parts.journal.flush();
        if (!flushed) m_job->stopBecause(flushed.error());
        if (m_job->parts.cache != nullptr)
            if (const auto stored = m_job->parts.cache->flush(); !stored)
                m_job->parts.log.warning("results were not stored for later jobs", {{"why", stored.error().message}});
        JobEnd end;
        end.items = m_job->ended();
        end.items[TaskState::Queued] = m_remaining;
        end.tasksRun = m_job->tasksRun.load();
        end.tasksReused = m_job->tasksReused.load();
        end.recomputed = m_job->recomputed.load();
        end.cause = m_job->cause();
        end.state = stateOf(end.items);
        return end;
    }

    JobState stateOf(const StateCounts& items) const
    {
        if (m_cancelled.load()) return JobState::Cancelled;
        if (m_job->stopping()) return JobState::Interrupted;
        return items[TaskState::Failed] > 0 ? JobState::Partial : JobState::Succeeded;
    }

    const std::shared_ptr<JobContext> m_job;
    const Restore m_restore;
    std::mutex m_mutex;
    bool m_graphOpen = false; // guarded by m_mutex
    std::atomic<bool> m_paused{false};
    std::atomic<bool> m_cancelled{false};
    std::int64_t m_remaining = 0; // items that did not end
};

} // namespace

Result<std::unique_ptr<JobRunner>> JobRunner::create(JobParts parts, EngineSettings settings, Restore restore)
{
    if (auto checked = check(parts); !checked) return tl::unexpected(std::move(checked.error()));
    settings = withDefaults(std::move(settings), parts);
    return std::make_unique<GraphJobRunner>(parts, std::move(settings), std::move(restore));
}

} // namespace aiflow
