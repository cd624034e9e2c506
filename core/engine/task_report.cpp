#include "core/engine/task_report.h"

#include <algorithm>

namespace aiflow {

namespace {

void record(JobContext& job, const Token& token, ActiveItem& item, const TaskResult& result)
{
    {
        const std::lock_guard lock(item.mutex);
        item.worked += result.worked;
        item.cost += result.cost;
        if (!result.currency.empty()) item.currency = result.currency;
        item.attempts = std::max(item.attempts, result.attempts);
        item.reusable = item.reusable && result.reusable && result.state != TaskState::Failed;
    }
    const bool silent = job.step(token).kind == StepKind::Op && token.element < 0 && result.durable.empty() &&
                        result.state != TaskState::Failed;
    if (result.journaled || silent) return;
    TaskEnded ended = endedRecord({item.handle.index, StepIndex(token.step), token.element}, result);
    // A failure leaves no call to be settled either; a reused result never made one.
    ended.settlesAttempts =
        job.parts.attempts && job.step(token).kind == StepKind::Api && result.state == TaskState::Failed;
    job.parts.journal.write(std::move(ended));
}

void tell(JobContext& job, const Token& token, const ActiveItem& item, const TaskResult& result)
{
    LiveJob& live = job.parts.live;
    const StepIndex index(token.step);
    if (result.state == TaskState::Cached)
        job.countReused(result.fromJob, 1);
    else
        live.taskWorked(index, result.worked);
    const MoneyAmount cost{result.cost, result.currency};
    if (result.cost > 0) live.spent(index, cost);
    if (job.step(token).kind == StepKind::Op && result.state != TaskState::Failed) return;
    TaskOutcome outcome;
    outcome.id = item.handle.id;
    outcome.line = item.handle.line;
    outcome.step = index;
    outcome.element = token.element;
    outcome.attempt = result.attempts;
    outcome.state = result.state;
    outcome.worked = std::chrono::duration_cast<std::chrono::milliseconds>(result.worked);
    outcome.cost = cost;
    outcome.tokensIn = result.tokensIn;
    outcome.tokensOut = result.tokensOut;
    outcome.requestId = result.requestId;
    if (result.error) {
        outcome.reason = result.error->reason;
        outcome.message = cleanMessage(*result.error);
        outcome.retryable = info(result.error->reason).retriesByItself;
    }
    live.taskFinished(outcome);
}

} // namespace

void reportTask(JobContext& job, const Token& token, ActiveItem& item, const TaskResult& result)
{
    record(job, token, item, result);
    tell(job, token, item, result);
}

} // namespace aiflow
