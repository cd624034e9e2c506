#include "core/engine/task_runner.h"

#include "core/base/json.h"
#include "core/engine/task_report.h"

#include <algorithm>
#include <utility>

namespace aiflow {

namespace {

constexpr std::size_t kMostElements = 4096;
constexpr int kMostLocalTries = 2;

StepRun& runOf(ActiveItem& item, const Token& token) { return item.steps[static_cast<std::size_t>(token.step)]; }

TaskSlot& slotOf(ActiveItem& item, const Token& token)
{
    StepRun& run = runOf(item, token);
    return token.element < 0 ? run.task : run.fanout->elements[static_cast<std::size_t>(token.element)];
}

Token elementToken(Token token, std::size_t element)
{
    token.element = static_cast<std::int32_t>(element);
    return token;
}

TaskResult failure(Error error)
{
    TaskResult result;
    result.state = TaskState::Failed;
    result.error = std::move(error);
    return result;
}

bool stopsTheJob(const TaskResult& result)
{
    return result.error &&
           (result.error->reason == Reason::OutputDiskFull || result.error->reason == Reason::OutputDenied);
}

// What the steps before make of a step before it looks at its own rules; nothing: it may run.
struct Verdict {
    std::optional<TaskState> state;
    StepIndex because;
};

Verdict verdictOf(const Pipeline& pipeline, const StepPlan& plan, const Step& step, const ActiveItem& item)
{
    const auto stateOf = [&item](StepIndex index) {
        return item.steps[static_cast<std::size_t>(index.value())].state.load();
    };
    for (const StepIndex before : step.dependsOn) {
        const TaskState state = stateOf(before);
        if (state == TaskState::Blocked || (state == TaskState::Failed && !pipeline.at(before).optional))
            return {TaskState::Blocked, before};
    }
    for (const StepIndex before : plan.needs)
        if (!isGood(stateOf(before))) return {TaskState::Skipped, before};
    return {};
}

} // namespace

TaskRunner::TaskRunner(JobContext& job) : m_job(job), m_values(job), m_finisher(job, m_values), m_calls(job, m_values)
{
}

void TaskRunner::enter(const Token& token, ActiveItem& item, bool lookUp)
{
    if (lookUp) {
        m_job.queueWork(token, item.handle.index, WorkKind::Begin);
        m_job.graph->turn();
        return;
    }
    const ItemIndex index = item.handle.index;
    begin(token, item);
    endPiece(token, index);
}

bool TaskRunner::arrive(const Token& token) noexcept
{
    ActiveItem& item = m_job.window.at(token);
    StepRun& run = runOf(item, token);
    if (run.pending.fetch_sub(1) != 1) return false;
    if (isTerminal(run.state.load())) { // it ended in an earlier process
        m_values.consumed(item, m_job.step(token));
        m_job.graph->ended(token);
        return false;
    }
    const Verdict verdict = verdictOf(m_job.pipeline(), m_job.stepPlan(token), m_job.step(token), item);
    if (!verdict.state) {
        m_job.window.addWork(token);
        m_job.queueWork(token, item.handle.index, WorkKind::Step);
        return true;
    }
    if (*verdict.state == TaskState::Skipped)
        skip(token, item, "skipped: " + m_job.pipeline().at(verdict.because).name + " gave nothing");
    else
        endStep(token, item, *verdict.state);
    return false;
}

void TaskRunner::countDown(const Token& token) noexcept { m_job.window.endStep(token); }

void TaskRunner::work() noexcept
{
    auto work = m_job.queue.pop();
    if (!work) return;
    const ItemIndex item = work->item;
    const bool op = work->op;
    try {
        execute(*work);
    } catch (const std::exception& error) {
        m_job.stopBecause(
            Error{Reason::Internal, std::string("the engine failed: ") + error.what(), "report this", {}});
        m_job.window.endWork(work->token);
        m_job.parts.log.error("the engine failed", {{"what", error.what()}, {"item", std::to_string(item.value())}});
    }
    if (op && m_job.queue.endOp()) m_job.graph->turn();
}

void TaskRunner::call(const Token& token) noexcept
{
    ActiveItem& item = m_job.window.at(token);
    m_calls.submit(item, token, slotOf(item, token));
}

void TaskRunner::execute(Work& work)
{
    const Token token = work.token;
    const ItemIndex index = work.item;
    ActiveItem& item = m_job.window.at(token);
    switch (work.kind) {
    case WorkKind::Begin:
        if (!reuseItem(item)) {
            begin(token, item);
            break;
        }
        [[fallthrough]];
    case WorkKind::Finish:
        if (m_finisher.finish(item)) m_job.window.release(token);
        return;
    case WorkKind::Step:
        decide(token, item);
        break;
    case WorkKind::Task:
        run(token, item);
        break;
    case WorkKind::Settle:
        settle(token, item, std::move(*work.result));
        break;
    }
    endPiece(token, index);
}

void TaskRunner::endPiece(const Token& token, ItemIndex item)
{
    if (!m_job.window.endWork(token)) return;
    m_job.window.addWork(token);
    m_job.queueWork(token, item, WorkKind::Finish);
    m_job.graph->turn();
}

void TaskRunner::begin(const Token& token, ActiveItem& item)
{
    if (!item.announced) {
        item.announced = true;
        m_job.parts.live.itemMoved(TaskState::Queued, TaskState::Running);
    }
    m_job.graph->begin(token);
}

// True: an earlier job did the same item completely.
bool TaskRunner::reuseItem(ActiveItem& item)
{
    const auto key = m_calls.keys().ofItem(item);
    if (!key) return false; // a file is missing: the step that needs it says so
    item.key = *key;
    if (item.announced) return false; // partly done already
    const auto found = m_calls.find(*key);
    if (!found || !restoreRecord(m_job.pipeline(), *found, item)) return false;
    const auto good = std::ranges::count_if(item.steps, [](const StepRun& run) { return isGood(run.state.load()); });
    m_job.countReused(found->job, good);
    return true;
}

void TaskRunner::decide(const Token& token, ActiveItem& item)
{
    const Step& step = m_job.step(token);
    if (step.when) {
        TaskInputs inputs(m_values, m_job, item, StepIndex(token.step));
        const auto holds = inputs.holds(*step.when);
        if (!holds) {
            settle(token, item, failure(holds.error()));
            return;
        }
        if (!*holds) {
            skip(token, item, "skipped: when " + step.when->text);
            return;
        }
    }
    if (step.forEach)
        fanOut(token, item);
    else
        run(token, item);
}

void TaskRunner::fanOut(const Token& token, ActiveItem& item)
{
    StepRun& run = runOf(item, token);
    auto list = m_values.elements(item, StepIndex(token.step));
    const auto length = list ? lengthOf(*list) : std::nullopt;
    if (!list || !length || *length > kMostElements) {
        const std::string what = length ? std::to_string(*length) + " elements; at most 4096 are allowed" : "no list";
        settle(token, item,
               failure(list ? Error{Reason::InputFieldBad, "for_each got " + what, {}, {}} : list.error()));
        return;
    }
    if (!run.fanout) run.fanout = std::make_unique<Fanout>(*length);
    run.fanout->elements.resize(*length); // restored elements of an earlier process stay
    run.fanout->list = std::move(*list);
    std::vector<Token> open;
    for (std::size_t i = 0; i < *length; ++i)
        if (!isTerminal(run.fanout->elements[i].state)) open.push_back(elementToken(token, i));
    m_job.moveStep(item, StepIndex(token.step), TaskState::Running);
    // One more than there are, so that the step cannot end before all are queued.
    run.fanout->left.store(static_cast<std::int32_t>(open.size()) + 1);
    for (const Token& element : open) {
        m_job.window.addWork(element);
        m_job.queueWork(element, item.handle.index, WorkKind::Task);
    }
    m_job.graph->turn(static_cast<std::int64_t>(open.size()));
    endElement(token, item);
}

void TaskRunner::run(const Token& token, ActiveItem& item)
{
    TaskSlot& task = slotOf(item, token);
    ++task.attempts;
    m_job.moveStep(item, StepIndex(token.step), TaskState::Running);
    const bool local = m_job.step(token).kind == StepKind::Op;
    auto result = local ? runOp(token, item) : m_calls.start(item, token, task);
    if (result)
        settle(token, item, std::move(*result));
    else if (!local)
        m_job.graph->call(token);
}

std::optional<TaskResult> TaskRunner::runOp(const Token& token, ActiveItem& item)
{
    const Step& step = m_job.step(token);
    const StepPlan& plan = m_job.stepPlan(token);
    TaskResult result;
    m_job.running.fetch_add(1);
    m_job.tasksRun.fetch_add(1);
    result.startedAt = m_job.parts.clock.wall();
    const MonotonicTime start = m_job.parts.clock.monotonic();
    Result<Values> values = [&]() -> Result<Values> {
        try {
            TaskInputs inputs(m_values, m_job, item, StepIndex(token.step), token.element);
            auto gathered = inputs.all();
            if (!gathered) return gathered;
            return m_job.parts.ops.run(step.target, *gathered, *plan.params, m_job.hurry.get_token());
        } catch (const std::exception& error) {
            return fail(Reason::Internal, step.target + " failed: " + error.what());
        } catch (...) {
            return fail(Reason::Internal, step.target + " failed with an unknown exception");
        }
    }();
    result.worked = std::chrono::duration_cast<std::chrono::microseconds>(m_job.parts.clock.monotonic() - start);
    m_job.running.fetch_sub(1);
    if (!values) {
        result.state = TaskState::Failed;
        result.error = std::move(values.error());
        return result;
    }
    result.values = std::make_shared<const Values>(std::move(*values));
    if (!plan.keepsAny()) return result;
    m_job.window.addWork(token);
    const TaskKey key{item.handle.index, StepIndex(token.step), token.element};
    m_calls.keepOpResult(KeepOrder{token, key, std::move(result), std::nullopt, std::nullopt});
    return std::nullopt;
}

bool TaskRunner::triesAgain(const Token& token, ActiveItem& item, const TaskResult& result)
{
    if (result.state != TaskState::Failed || m_job.step(token).kind == StepKind::Api || !result.error) return false;
    if (!info(result.error->reason).retriesByItself || slotOf(item, token).attempts >= kMostLocalTries) return false;
    m_job.parts.live.taskRetried(StepIndex(token.step));
    m_job.window.addWork(token);
    m_job.queueWork(token, item.handle.index, WorkKind::Task);
    m_job.graph->turn();
    return true;
}

void TaskRunner::settle(const Token& token, ActiveItem& item, TaskResult result)
{
    if (stopsTheJob(result)) {
        m_job.stopBecause(std::move(*result.error));
        return;
    }
    const StepIndex index(token.step);
    TaskSlot& task = slotOf(item, token);
    // An op gives the same answer again, unless it was short of memory.
    if (task.attempts > 0 && triesAgain(token, item, result)) return;
    if (m_job.step(token).kind != StepKind::Api) result.attempts = std::max(task.attempts, 1);
    reportTask(m_job, token, item, result);
    const bool wanted = runOf(item, token).consumers.load() > 0;
    task.durable = std::move(result.durable);
    if (result.values && wanted) m_values.hold(item, task, std::move(result.values));
    task.state = result.state;
    if (result.error && result.state == TaskState::Failed) {
        const std::lock_guard lock(item.mutex);
        item.failures.push_back({index, std::move(*result.error)});
    }
    if (token.element < 0)
        endStep(token, item, result.state);
    else
        endElement(token, item);
}

void TaskRunner::endElement(const Token& token, ActiveItem& item)
{
    StepRun& run = runOf(item, token);
    if (run.fanout->left.fetch_sub(1) != 1) return;
    const auto& elements = run.fanout->elements;
    const auto is = [&elements](TaskState state) { return std::ranges::count(elements, state, &TaskSlot::state); };
    const bool failed = is(TaskState::Failed) > 0 && !m_job.step(token).optional;
    const bool cached = !elements.empty() && is(TaskState::Cached) == std::ssize(elements);
    if (!failed) m_values.gatherElements(item, StepIndex(token.step));
    endStep(token, item, failed ? TaskState::Failed : cached ? TaskState::Cached : TaskState::Succeeded);
}

void TaskRunner::endStep(const Token& token, ActiveItem& item, TaskState state)
{
    m_job.moveStep(item, StepIndex(token.step), state);
    if (m_job.step(token).kind == StepKind::Api) m_job.window.callsSent(token, token.step);
    m_values.consumed(item, m_job.step(token));
    m_job.graph->ended(token);
}

void TaskRunner::skip(const Token& token, ActiveItem& item, std::string why)
{
    if (m_job.step(token).kind != StepKind::Op) {
        TaskResult result;
        result.state = TaskState::Skipped;
        result.error = Error{Reason::Cancelled, why, {}, {}};
        m_job.parts.journal.write(endedRecord({item.handle.index, StepIndex(token.step), -1}, result));
    }
    {
        const std::lock_guard lock(item.mutex);
        if (item.skipText.empty()) item.skipText = std::move(why);
    }
    endStep(token, item, TaskState::Skipped);
}

} // namespace aiflow
