#include "core/engine/job_context.h"

#include "core/base/secret.h"

#include <algorithm>
#include <chrono>
#include <climits>

namespace aiflow {

namespace {

// Not everything that lets an item in can ring, e.g. a journal that has caught up.
constexpr std::chrono::milliseconds kLongestSleep{20};
constexpr std::int64_t kFewestForPercent = 20;

} // namespace

void Doorbell::ring()
{
    if (!m_asleep.load()) return;
    {
        const std::lock_guard lock(m_mutex);
        m_rung = true;
    }
    m_bell.notify_one();
}

void Doorbell::sleep()
{
    std::unique_lock lock(m_mutex);
    m_bell.wait_for(lock, kLongestSleep, [this] { return m_rung; });
    m_rung = false;
}

JobContext::JobContext(JobParts jobParts, EngineSettings engineSettings)
    : parts(jobParts), settings(std::move(engineSettings)), plan(parts.pipeline), jobName(parts.live.snapshot().job),
      window(parts.pipeline, [this] { bell.ring(); }), waiting(parts.live)
{
}

void JobContext::queueWork(const Token& token, ItemIndex item, WorkKind kind, std::unique_ptr<TaskResult> result)
{
    Work work{.priority = 0, .item = item, .stepFromEnd = 0, .token = token, .kind = kind, .result = std::move(result)};
    switch (kind) {
    case WorkKind::Begin:
        work.stepFromEnd = INT_MAX;
        break;
    case WorkKind::Finish:
        work.priority = INT_MIN;
        work.stepFromEnd = -1;
        break;
    default:
        work.priority = step(token).priority;
        work.stepFromEnd = stepPlan(token).stepFromEnd;
    }
    work.op = (kind == WorkKind::Step || kind == WorkKind::Task) && step(token).kind == StepKind::Op;
    queue.push(std::move(work));
}

void JobContext::moveStep(ActiveItem& item, StepIndex step, TaskState to)
{
    auto& state = item.steps[static_cast<std::size_t>(step.value())].state;
    const TaskState from = state.exchange(to);
    if (from != to) parts.live.taskMoved(step, from, to);
}

void JobContext::stop()
{
    m_stopping.store(true);
    queue.closeForGood();
    // What was sent may land; what waits for its place, maybe for hours, goes back.
    if (parts.api != nullptr) parts.api->cancelWaiting();
    bell.ring();
}

void JobContext::stopBecause(Error cause)
{
    {
        const std::lock_guard lock(m_mutex);
        if (!m_cause) m_cause = std::move(cause);
    }
    stop();
}

std::optional<Error> JobContext::cause() const
{
    const std::lock_guard lock(m_mutex);
    return m_cause;
}

void JobContext::countEnded(TaskState state)
{
    std::optional<Error> tooMany;
    {
        const std::lock_guard lock(m_mutex);
        ++m_ended[state];
        m_endedHere.fetch_add(1);
        if (state == TaskState::Failed) {
            ++m_failedHere;
            tooMany = tooManyFailures();
        }
    }
    if (tooMany) stopBecause(std::move(*tooMany));
    bell.ring();
}

std::optional<Error> JobContext::tooManyFailures() const
{
    const auto stopped = [](std::string why) { return Error{Reason::Cancelled, "stopped early: " + why, {}, {}}; };
    if (settings.failFast) return stopped("an item failed");
    if (settings.maxFailures && m_failedHere > *settings.maxFailures)
        return stopped(std::to_string(m_failedHere) + " items failed");
    const double percent = 100.0 * static_cast<double>(m_failedHere) / static_cast<double>(m_endedHere.load());
    if (settings.maxFailurePercent && m_endedHere.load() >= kFewestForPercent && percent > *settings.maxFailurePercent)
        return stopped(std::to_string(m_failedHere) + " of " + std::to_string(m_endedHere.load()) + " items failed");
    return std::nullopt;
}

void JobContext::countRestored(TaskState state)
{
    const std::lock_guard lock(m_mutex);
    ++m_ended[state];
}

StateCounts JobContext::ended() const
{
    const std::lock_guard lock(m_mutex);
    return m_ended;
}

void JobContext::countReused(const std::string& fromJob, std::int64_t tasks)
{
    const std::int64_t all = tasksReused.fetch_add(tasks) + tasks;
    std::string most;
    {
        const std::lock_guard lock(m_mutex);
        m_reused[fromJob] += tasks;
        most = std::ranges::max_element(m_reused, {}, [](const auto& entry) { return entry.second; })->first;
    }
    parts.live.setReuse(std::move(most), all);
}

ItemProgress progressOf(const ActiveItem& item, TaskState state)
{
    ItemProgress progress;
    progress.item = item.handle.index;
    progress.state = state;
    progress.steps = stepStates(item);
    progress.worked = item.worked;
    progress.cost = item.cost;
    return progress;
}

TaskEnded endedRecord(const TaskKey& task, const TaskResult& result)
{
    TaskEnded ended;
    ended.task = task;
    ended.state = result.state;
    if (result.error && result.state == TaskState::Failed) ended.reason = result.error->reason;
    if (result.error) ended.message = cleanMessage(*result.error);
    ended.attempts = result.attempts;
    ended.startedAt = result.startedAt;
    ended.waited = result.waited;
    ended.worked = result.worked;
    ended.outputs = result.durable;
    ended.provenance = result.provenance;
    ended.cost = result.cost;
    ended.currency = result.currency;
    return ended;
}

std::string cleanMessage(const Error& error) { return redact(error.text()); }

} // namespace aiflow
