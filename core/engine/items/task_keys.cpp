#include "core/engine/items/task_keys.h"

#include "core/base/json.h"
#include "core/engine/items/task_inputs.h"

namespace aiflow {

namespace {

// Tags keep values of different kinds apart even if their bytes are equal.
constexpr std::string_view kItemTag = "aiflow-item-1";
constexpr std::string_view kTaskTag = "aiflow-task-1";
constexpr std::string_view kRequestTag = "aiflow-request-1";

void addPath(Hasher& hasher, const std::vector<std::string>& path)
{
    hasher.addNumber(static_cast<std::int64_t>(path.size()));
    for (const std::string& part : path) hasher.addField(part);
}

} // namespace

Result<ContentHash> TaskKeys::ofItem(ActiveItem& item)
{
    Hasher hasher;
    hasher.addField(kItemTag).addField(m_job.pipeline().contentHash);
    for (const PlannedColumn& column : m_job.plan.columns)
        if (auto added = addField(hasher, item, column.name); !added) return tl::unexpected(std::move(added.error()));
    return hasher.finish();
}

Result<ContentHash> TaskKeys::ofTask(ActiveItem& item, StepIndex step, std::int32_t element)
{
    const Step& made = m_job.pipeline().at(step);
    Hasher hasher;
    hasher.addField(kTaskTag).addField(made.contentHash);
    for (const auto& [port, source] : made.inputs) {
        hasher.addField(port);
        if (auto added = addSource(hasher, item, step, element, source); !added)
            return tl::unexpected(std::move(added.error()));
    }
    if (made.forEach && element < 0)
        if (auto added = addSource(hasher, item, step, element, *made.forEach); !added)
            return tl::unexpected(std::move(added.error()));
    return hasher.finish();
}

ContentHash TaskKeys::ofRequest(const Step& step, std::string_view request)
{
    Hasher hasher;
    hasher.addField(kRequestTag).addField(step.contentHash).addField(request);
    return hasher.finish();
}

Result<void> TaskKeys::addSource(Hasher& hasher, ActiveItem& item, StepIndex step, std::int32_t element,
                                 const Source& source)
{
    if (const auto* field = std::get_if<ItemField>(&source.from)) return addField(hasher, item, field->column);
    if (const auto* output = std::get_if<StepOutput>(&source.from)) return addOutput(hasher, item, *output);
    if (const auto* each = std::get_if<EachElement>(&source.from)) {
        hasher.addField("each").addNumber(element); // -1: of all at once
        addPath(hasher, each->path);
        return addSource(hasher, item, step, -1, *m_job.pipeline().at(step).forEach);
    }
    if (const auto* object = std::get_if<ObjectOf>(&source.from)) {
        hasher.addField("object").addNumber(static_cast<std::int64_t>(object->fields.size()));
        for (const auto& [name, part] : object->fields) {
            hasher.addField(name);
            if (auto added = addSource(hasher, item, step, element, *part); !added) return added;
        }
        return {};
    }
    if (const auto* array = std::get_if<ArrayOf>(&source.from)) {
        hasher.addField("array").addNumber(static_cast<std::int64_t>(array->elements.size()));
        for (const auto& part : array->elements)
            if (auto added = addSource(hasher, item, step, element, *part); !added) return added;
        return {};
    }
    TaskInputs inputs(m_values, m_job, item, step, element);
    const auto json = inputs.value(source);
    if (!json) return tl::unexpected(json.error());
    hasher.addField("json").addField(json->json() != nullptr ? dumpJson(*json->json()) : std::string("null"));
    return {};
}

Result<void> TaskKeys::addField(Hasher& hasher, ActiveItem& item, const std::string& column)
{
    const auto fields = m_values.fields(item);
    if (!fields) return tl::unexpected(fields.error());
    hasher.addField("field").addField(column);
    const auto cell = (*fields)->find(column);
    if (cell == (*fields)->end() || cell->is_null()) {
        hasher.addField("null");
    } else if (m_job.plan.isFile(column) && cell->is_string() && !cell->get_ref<const std::string&>().empty()) {
        const auto hash = m_job.parts.items.fileHash(item.handle, cell->get<std::string>());
        if (!hash) return tl::unexpected(hash.error());
        hasher.addField(*hash);
    } else {
        hasher.addField(dumpJson(*cell));
    }
    return {};
}

Result<void> TaskKeys::addOutput(Hasher& hasher, ActiveItem& item, const StepOutput& output)
{
    const StepRun& run = item.steps[static_cast<std::size_t>(output.step.value())];
    hasher.addField("output");
    addPath(hasher, output.path);
    if (!isGood(run.state.load())) {
        hasher.addField("empty");
        return {};
    }
    if (const KeptPort kept = findKept(run.task, output.port); kept.output != nullptr) {
        hasher.addField(kept.output->artifact.hash).addField(kept.inside ? output.port : std::string());
        return {};
    }
    if (run.fanout && m_job.plan.at(output.step).keeps(output.port)) {
        hasher.addNumber(static_cast<std::int64_t>(run.fanout->elements.size()));
        for (const TaskSlot& element : run.fanout->elements) {
            const KeptPort kept = findKept(element, output.port);
            hasher.addField(kept.output != nullptr ? kept.output->artifact.hash : ContentHash{});
            hasher.addField(kept.inside ? output.port : std::string());
        }
        return {};
    }
    const auto derived = ofTask(item, output.step, -1);
    if (!derived) return tl::unexpected(derived.error());
    hasher.addField(output.port).addField(*derived);
    return {};
}

} // namespace aiflow
