#include "core/engine/calls/lane_calls.h"

#include "core/base/json.h"

#include <algorithm>
#include <utility>

namespace aiflow {

namespace {

TaskResult failure(Error error)
{
    TaskResult result;
    result.state = TaskState::Failed;
    result.error = std::move(error);
    return result;
}

TaskResult reused(OpenCall& call)
{
    CachedResult& found = *call.cargo->found;
    TaskResult result;
    result.state = TaskState::Cached;
    result.durable = std::move(found.outputs);
    result.provenance = std::move(found.provenance);
    result.fromJob = std::move(found.job);
    result.startedAt = call.startedAt;
    return result;
}

// Of its step, the one that the lane sends last.
bool isLastElement(const ActiveItem& item, const Token& token)
{
    const auto& fanout = item.steps[static_cast<std::size_t>(token.step)].fanout;
    return token.element < 0 || static_cast<std::size_t>(token.element) + 1 == fanout->elements.size();
}

bool isOp(const JobContext& job, const Token& token) { return job.step(token).kind == StepKind::Op; }

} // namespace

LaneCalls::LaneCalls(JobContext& job, ItemValues& values)
    : m_job(job), m_values(values), m_keys(job, values),
      m_keeper(
          job, [this](KeepOrder& order) { bringBack(order.token, order.task.item, std::move(order.result)); },
          [this](KeepOrder& order) { drop(order.token); })
{
}

std::optional<TaskResult> LaneCalls::start(ActiveItem& item, const Token& token, TaskSlot& task)
{
    auto call = std::make_shared<OpenCall>();
    call->owner = this;
    call->cargo = std::make_unique<OpenCall::Cargo>();
    call->token = token;
    call->task = {item.handle.index, StepIndex(token.step), token.element};
    call->startedAt = m_job.parts.clock.wall();
    const bool remote = m_job.step(token).kind == StepKind::Api;
    if (auto ready = remote ? prepareRequest(item, *call) : prepareInput(item, *call); !ready) {
        TaskResult result = failure(std::move(ready.error()));
        result.startedAt = call->startedAt;
        return result;
    }
    if (call->cargo->found) return reused(*call);
    task.call = std::move(call);
    return std::nullopt;
}

Result<void> LaneCalls::prepareRequest(ActiveItem& item, OpenCall& call)
{
    const Step& step = m_job.step(call.token);
    auto request = requestOf(item, call.token);
    if (!request) return tl::unexpected(std::move(request.error()));
    std::string text = dumpJson(*request);
    if (step.cache && m_job.parts.cache != nullptr) call.key = TaskKeys::ofRequest(step, text);
    if (lookUp(call)) return {};
    call.cargo->request =
        ApiCall{.task = call.task,
                .itemId = item.handle.id,
                .route = step.target,
                .request = std::move(text),
                .priority = m_job.settings.jobPriority + step.priority,
                .stepFromEnd = m_job.stepPlan(call.token).stepFromEnd,
                .turn = item.handle.index.value() + m_job.settings.stepLag * m_job.stepPlan(call.token).callsBefore,
                .timeout = step.timeout.value_or(std::chrono::milliseconds{0})};
    if (m_job.parts.attempts) call.cargo->request->open = m_job.parts.attempts->take(call.task);
    return {};
}

Result<void> LaneCalls::prepareInput(ActiveItem& item, OpenCall& call)
{
    const Step& step = m_job.step(call.token);
    if (step.cache && m_job.parts.cache != nullptr) {
        auto key = m_keys.ofTask(item, call.task.step, call.task.element);
        if (!key) return tl::unexpected(std::move(key.error()));
        call.key = *key;
        if (lookUp(call)) return {};
    }
    TaskInputs inputs(m_values, m_job, item, call.task.step, call.task.element);
    auto values = inputs.all();
    if (!values) return tl::unexpected(std::move(values.error()));
    auto prepared = m_job.parts.models->prepare(step.target, *values, *m_job.stepPlan(call.token).params);
    if (!prepared) return tl::unexpected(std::move(prepared.error()));
    call.cargo->prepared = std::move(*prepared);
    call.preparedBytes = call.cargo->prepared->size().count();
    return {};
}

Result<Json> LaneCalls::requestOf(ActiveItem& item, const Token& token)
{
    const Step& step = m_job.step(token);
    TaskInputs inputs(m_values, m_job, item, StepIndex(token.step), token.element);
    Json request = Json::object();
    for (const auto& [field, source] : step.inputs) {
        auto value = inputs.value(source);
        if (!value) return tl::unexpected(std::move(value.error()));
        if (value->empty()) continue;
        auto json = requestValue(*value);
        if (!json) return json;
        request[field] = std::move(*json);
    }
    if (step.promptTemplate) {
        auto prompt = inputs.render(*step.promptTemplate);
        if (!prompt) return tl::unexpected(std::move(prompt.error()));
        request["prompt"] = std::move(*prompt);
    } else if (!step.prompt.empty()) {
        request["prompt"] = step.prompt;
    }
    if (step.schema) request["schema"] = *step.schema;
    return request;
}

// Bytes do not travel in a request's text: it may wait for hours. The lane reads them from the artifacts.
Result<Json> LaneCalls::requestValue(const Value& value)
{
    if (const Json* json = value.json()) return *json;
    if (const Value::List* list = value.list()) {
        Json array = Json::array();
        for (const Value& element : *list) {
            auto json = element.empty() ? Result<Json>(Json()) : requestValue(element);
            if (!json) return json;
            array.push_back(std::move(*json));
        }
        return array;
    }
    EncodedValue encoded = encodeValue(value);
    auto artifact = m_job.parts.artifacts.put(std::move(encoded.mediaType), encoded.bytes);
    if (!artifact) return tl::unexpected(std::move(artifact.error()));
    return Json{{"artifact", artifact->hash.hex()}, {"media_type", artifact->mediaType}, {"size", artifact->size}};
}

std::optional<CachedResult> LaneCalls::find(const ContentHash& key) const
{
    if (m_job.settings.fresh || m_job.parts.cache == nullptr) return std::nullopt;
    auto found = m_job.parts.cache->find(key);
    if (!found) return std::nullopt;
    const bool whole = std::ranges::all_of(found->outputs, [this](const TaskOutput& output) {
        return m_job.parts.artifacts.contains(output.artifact.hash);
    });
    return whole ? std::move(found) : std::nullopt;
}

bool LaneCalls::lookUp(OpenCall& call) const
{
    if (!call.key) return false;
    call.cargo->found = find(*call.key);
    return call.cargo->found.has_value();
}

void LaneCalls::submit(ActiveItem& item, const Token& token, TaskSlot& task) noexcept
{
    const auto call = std::exchange(task.call, nullptr);
    const bool remote = m_job.step(token).kind == StepKind::Api;
    if (m_job.hurry.stop_requested() || (remote && m_job.stopping())) {
        m_job.graph->dropped(token);
        return;
    }
    m_job.running.fetch_add(1);
    m_job.tasksRun.fetch_add(1);
    m_job.window.openCall(token, remote);
    m_job.window.addBytes(nullptr, call->preparedBytes);
    call->submitted = m_job.parts.clock.monotonic();
    const auto cargo = std::move(call->cargo);
    if (remote) {
        call->unsent = true;
        m_job.unsent.fetch_add(1);
        const bool last = m_job.settings.callingItems > 0 && isLastElement(item, token);
        cargo->request->onSent = [this, call, last] {
            countSent(*call);
            if (last) m_job.window.callsSent(call->token, call->token.step);
        };
        m_job.parts.api->submit(std::move(*cargo->request),
                                [call](Result<ApiAnswer> answer) { call->owner->answered(call, std::move(answer)); });
        if (m_job.stopping()) m_job.parts.api->cancelWaiting(); // the stop came between
        return;
    }
    const LaneOrder order{.priority = m_job.settings.jobPriority + m_job.step(token).priority,
                          .item = item.handle.index,
                          .stepFromEnd = m_job.stepPlan(token).stepFromEnd,
                          .element = token.element};
    m_job.parts.models->submit(
        m_job.step(token).target, std::move(cargo->prepared), order,
        [call](Result<Values> values, ModelTiming timing) { call->owner->answered(call, std::move(values), timing); });
}

void LaneCalls::countSent(OpenCall& call)
{
    if (call.unsent.exchange(false)) m_job.unsent.fetch_sub(1);
}

TaskResult LaneCalls::timed(const OpenCall& call) const
{
    TaskResult result;
    result.startedAt = call.startedAt;
    result.worked =
        std::chrono::duration_cast<std::chrono::microseconds>(m_job.parts.clock.monotonic() - call.submitted);
    return result;
}

void LaneCalls::answered(const std::shared_ptr<OpenCall>& call, Result<ApiAnswer> answer)
{
    TaskResult result = timed(*call);
    countSent(*call);
    m_job.waiting.ended(call->task);
    m_job.window.closeCall(call->token, true);
    m_job.running.fetch_sub(1);
    if (!answer) {
        failed(*call, std::move(answer.error()), std::move(result));
        return;
    }
    m_keeper.keep(KeepOrder{call->token, call->task, std::move(result), std::move(*answer), call->key});
}

void LaneCalls::answered(const std::shared_ptr<OpenCall>& call, Result<Values> values, ModelTiming timing)
{
    TaskResult result = timed(*call);
    result.waited = timing.waited;
    if (timing.worked.count() > 0) result.worked = timing.worked;
    m_job.window.dropBytes(nullptr, call->preparedBytes);
    m_job.window.closeCall(call->token, false);
    m_job.running.fetch_sub(1);
    if (!values) {
        failed(*call, std::move(values.error()), std::move(result));
        return;
    }
    result.values = std::make_shared<const Values>(std::move(*values));
    m_keeper.keep(KeepOrder{call->token, call->task, std::move(result), std::nullopt, call->key});
}

void LaneCalls::failed(const OpenCall& call, Error error, TaskResult result)
{
    // Told to hurry, the lane gives back what it had not begun: the task did not end.
    if (error.reason == Reason::Cancelled && m_job.stopping()) {
        drop(call.token);
        return;
    }
    result.state = TaskState::Failed;
    result.error = std::move(error);
    bringBack(call.token, call.task.item, std::move(result));
}

void LaneCalls::keepOpResult(KeepOrder order)
{
    m_job.graph->hold();
    m_keeper.keep(std::move(order));
}

void LaneCalls::bringBack(const Token& token, ItemIndex item, TaskResult result)
{
    m_job.queueWork(token, item, WorkKind::Settle, std::make_unique<TaskResult>(std::move(result)));
    if (!isOp(m_job, token)) {
        m_job.graph->returned(token);
        return;
    }
    m_job.graph->turn();
    m_job.graph->letGo();
}

void LaneCalls::drop(const Token& token)
{
    m_job.window.endWork(token);
    if (isOp(m_job, token))
        m_job.graph->letGo();
    else
        m_job.graph->dropped(token);
}

} // namespace aiflow
