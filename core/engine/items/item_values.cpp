#include "core/engine/items/item_values.h"

#include "core/base/json.h"
#include "core/engine/items/task_inputs.h"

#include <algorithm>

namespace aiflow {

namespace {

StepRun& runOf(ActiveItem& item, StepIndex step) { return item.steps[static_cast<std::size_t>(step.value())]; }

std::int64_t sizeOf(const std::shared_ptr<const Values>& values)
{
    return values ? static_cast<std::int64_t>(values->byteSize()) : 0;
}

} // namespace

Value elementOf(const Value& list, std::size_t index)
{
    if (const Value::List* values = list.list()) return index < values->size() ? (*values)[index] : Value();
    const Json* json = list.json();
    if (json == nullptr || !json->is_array() || index >= json->size() || (*json)[index].is_null()) return {};
    return Value((*json)[index]);
}

std::optional<std::size_t> lengthOf(const Value& list)
{
    if (const Value::List* values = list.list()) return values->size();
    if (const Json* json = list.json(); json != nullptr && json->is_array()) return json->size();
    return std::nullopt;
}

KeptPort findKept(const TaskSlot& task, std::string_view port) noexcept
{
    const auto named = [&task](std::string_view name) -> const TaskOutput* {
        const auto found = std::ranges::find(task.durable, name, &TaskOutput::port);
        return found == task.durable.end() ? nullptr : &*found;
    };
    if (const TaskOutput* own = named(port)) return {own, false};
    const std::string_view around = port == "images" ? "image" : port == "image" ? "images" : kAnswerPort;
    const TaskOutput* holder = named(around);
    return {holder, holder != nullptr};
}

Result<std::shared_ptr<const Json>> ItemValues::fields(ActiveItem& item)
{
    {
        const std::lock_guard lock(item.mutex);
        if (item.fields.values) return item.fields.values;
    }
    auto again = m_job.parts.items.fields(item.handle);
    if (!again) return tl::unexpected(std::move(again.error()));
    if (!again->values) return fail(Reason::Internal, "the row of " + item.handle.id + " cannot be read again");
    const std::lock_guard lock(item.mutex);
    if (!item.fields.values) item.fields = std::move(*again);
    return item.fields.values;
}

Result<Value> ItemValues::file(ActiveItem& item, const std::string& column, const Json& cell)
{
    if (!cell.is_string()) return fail(Reason::InputFieldBad, "column " + column + " is no path");
    auto blob = m_job.parts.items.open(item.handle, cell.get<std::string>());
    if (!blob) return tl::unexpected(std::move(blob.error()));
    return Value(std::move(*blob));
}

Result<Value> ItemValues::output(ActiveItem& item, StepIndex step, std::string_view port)
{
    StepRun& run = runOf(item, step);
    if (!isGood(run.state.load())) return Value();
    if (run.fanout && run.fanout->elements.empty()) return Value(Value::List{});
    {
        const std::lock_guard lock(item.mutex);
        if (run.task.values) return run.task.values->get(port);
    }
    if (m_job.pipeline().at(step).forEach) return loadList(item, step, port);
    if (const KeptPort kept = findKept(run.task, port); kept.output != nullptr) return load(kept, port);
    // What a lane answered is all there was: a port that is not kept was not in the answer.
    if (m_job.pipeline().at(step).kind != StepKind::Op) return Value();
    auto values = makeAgain(item, step);
    if (!values) return tl::unexpected(std::move(values.error()));
    return (*values)->get(port);
}

Result<Value> ItemValues::load(const KeptPort& kept, std::string_view port)
{
    const ArtifactRef& artifact = kept.output->artifact;
    auto bytes = m_job.parts.artifacts.get(artifact.hash);
    if (!bytes) return tl::unexpected(std::move(bytes.error()));
    auto value = decodeValue(artifact.mediaType, *bytes);
    if (!value || !kept.inside) return value;
    if (port == "images") return Value(Value::List{std::move(*value)});
    if (port == "image") return elementOf(*value, 0);
    const Json* answer = value->json();
    if (answer == nullptr || !answer->is_object()) return Value();
    const auto field = answer->find(port);
    return field == answer->end() || field->is_null() ? Value() : Value(*field);
}

Result<Value> ItemValues::loadList(ActiveItem& item, StepIndex step, std::string_view port)
{
    StepRun& run = runOf(item, step);
    if (!m_job.plan.at(step).keeps(port)) {
        auto values = makeAgain(item, step);
        if (!values) return tl::unexpected(std::move(values.error()));
        return (*values)->get(port);
    }
    Value::List list;
    if (!run.fanout) return Value(std::move(list));
    for (const TaskSlot& element : run.fanout->elements) {
        const KeptPort kept = findKept(element, port);
        auto value = kept.output != nullptr ? load(kept, port) : Result<Value>(Value());
        if (!value) return value;
        list.push_back(std::move(*value));
    }
    return Value(std::move(list));
}

Result<Value> ItemValues::elements(ActiveItem& item, StepIndex step)
{
    StepRun& run = runOf(item, step);
    {
        const std::lock_guard lock(item.mutex);
        if (run.fanout && !run.fanout->list.empty()) return run.fanout->list;
    }
    TaskInputs inputs(*this, m_job, item, step);
    auto list = inputs.value(*m_job.pipeline().at(step).forEach);
    if (!list) return list;
    const std::lock_guard lock(item.mutex);
    if (run.fanout) run.fanout->list = *list;
    return list;
}

Result<std::shared_ptr<const Values>> ItemValues::makeAgain(ActiveItem& item, StepIndex step)
{
    const Step& made = m_job.pipeline().at(step);
    StepRun& run = runOf(item, step);
    Values all;
    if (!made.forEach) {
        auto values = runAgain(item, step, -1);
        if (!values) return tl::unexpected(std::move(values.error()));
        all = std::move(*values);
    } else {
        const std::size_t count = run.fanout ? run.fanout->elements.size() : 0;
        std::vector<Values> parts(count);
        for (std::size_t i = 0; i < count; ++i) {
            if (!isGood(run.fanout->elements[i].state)) continue;
            auto values = runAgain(item, step, static_cast<std::int32_t>(i));
            if (!values) return tl::unexpected(std::move(values.error()));
            parts[i] = std::move(*values);
        }
        all = joinElements(parts);
    }
    auto shared = std::make_shared<const Values>(std::move(all));
    if (run.consumers.load() > 0) hold(item, run.task, shared);
    return shared;
}

Result<Values> ItemValues::runAgain(ActiveItem& item, StepIndex step, std::int32_t element)
{
    TaskInputs inputs(*this, m_job, item, step, element);
    auto values = inputs.all();
    if (!values) return values;
    m_job.recomputed.fetch_add(1);
    const Step& made = m_job.pipeline().at(step);
    return m_job.parts.ops.run(made.target, *values, *m_job.plan.at(step).params, m_job.hurry.get_token());
}

void ItemValues::hold(ActiveItem& item, TaskSlot& task, std::shared_ptr<const Values> values)
{
    const std::int64_t bytes = sizeOf(values);
    {
        const std::lock_guard lock(item.mutex);
        if (task.values) return; // another branch made the same
        task.values = std::move(values);
    }
    m_job.window.addBytes(&item, bytes);
}

void ItemValues::consumed(ActiveItem& item, const Step& step)
{
    for (const StepIndex from : step.dependsOn) {
        StepRun& run = runOf(item, from);
        if (run.consumers.fetch_sub(1) == 1) drop(item, run);
    }
}

void ItemValues::drop(ActiveItem& item, StepRun& run)
{
    std::vector<std::shared_ptr<const Values>> dropped; // destroyed outside of the lock
    std::int64_t bytes = 0;
    {
        const std::lock_guard lock(item.mutex);
        bytes += sizeOf(run.task.values);
        dropped.push_back(std::move(run.task.values));
        if (run.fanout) {
            for (TaskSlot& element : run.fanout->elements) {
                bytes += sizeOf(element.values);
                if (element.values) dropped.push_back(std::move(element.values));
            }
        }
    }
    m_job.window.dropBytes(&item, bytes);
}

Values joinElements(const std::vector<Values>& parts)
{
    Values joined;
    for (const Values& part : parts) {
        for (const auto& [port, value] : part) {
            if (joined.find(port) != nullptr) continue;
            Value::List list;
            for (const Values& each : parts) list.push_back(each.get(port));
            joined.set(port, Value(std::move(list)));
        }
    }
    return joined;
}

void ItemValues::gatherElements(ActiveItem& item, StepIndex step)
{
    StepRun& run = runOf(item, step);
    std::vector<Values> parts;
    std::int64_t bytes = 0;
    {
        const std::lock_guard lock(item.mutex);
        for (TaskSlot& element : run.fanout->elements) {
            // An element that only has artifacts: the list is read when someone asks for it.
            if (isGood(element.state) && !element.values) return;
            parts.push_back(element.values ? *element.values : Values());
            bytes += sizeOf(element.values);
        }
        for (TaskSlot& element : run.fanout->elements) element.values.reset();
        run.fanout->list = Value();
    }
    m_job.window.dropBytes(&item, bytes);
    if (run.consumers.load() > 0) hold(item, run.task, std::make_shared<const Values>(joinElements(parts)));
}

} // namespace aiflow
