#include "core/engine/item_finisher.h"

#include "core/base/json.h"
#include "core/engine/items/task_inputs.h"
#include "core/pipeline/template.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

namespace aiflow {

namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kListType = "application/x-aiflow-list";

StepRun& runOf(ActiveItem& item, StepIndex step) { return item.steps[static_cast<std::size_t>(step.value())]; }

bool isDiskError(const Error& error)
{
    return error.reason == Reason::OutputDiskFull || error.reason == Reason::OutputDenied;
}

// The failure that the item is judged by: of its first step in the pipeline's order that may not fail.
const StepFailure* decisiveFailure(const Pipeline& pipeline, const ActiveItem& item)
{
    const StepFailure* first = nullptr;
    for (const StepFailure& failure : item.failures)
        if (!pipeline.at(failure.step).optional && (first == nullptr || failure.step < first->step)) first = &failure;
    return first;
}

const Json* walk(const Json& value, const std::vector<std::string>& path)
{
    const Json* at = &value;
    for (const std::string& name : path) {
        std::size_t index = 0;
        if (at->is_object() && at->contains(name))
            at = &at->at(name);
        else if (at->is_array() && std::from_chars(name.data(), name.data() + name.size(), index).ec == std::errc{} &&
                 index < at->size())
            at = &at->at(index);
        else
            return nullptr;
    }
    return at;
}

ItemAdmitted admittedRecord(const ItemHandle& handle)
{
    return {handle.index, handle.id, handle.line, handle.byteOffset, handle.byteLength, handle.title};
}

} // namespace

TaskState outcomeOf(const Pipeline& pipeline, const std::vector<TaskState>& steps)
{
    bool worked = false, reused = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i] == TaskState::Failed && !pipeline.steps[i].optional) return TaskState::Failed;
        worked = worked || steps[i] == TaskState::Succeeded || steps[i] == TaskState::Failed;
        reused = reused || steps[i] == TaskState::Cached;
    }
    return worked ? TaskState::Succeeded : reused ? TaskState::Cached : TaskState::Skipped;
}

std::string recordName(const Step& step, const std::string& port, std::int64_t element)
{
    std::string name = step.name + "." + port;
    return element < 0 ? name : name + "[" + std::to_string(element) + "]";
}

bool restoreRecord(const Pipeline& pipeline, const CachedResult& record, ActiveItem& item)
{
    if (record.steps.size() != pipeline.steps.size()) return false;
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        StepRun& run = item.steps[i];
        run.state.store(record.steps[i] == TaskState::Skipped ? TaskState::Skipped : TaskState::Cached);
        if (step.forEach) run.fanout = std::make_unique<Fanout>(0);
        const std::string prefix = step.name + ".";
        for (const TaskOutput& output : record.outputs) {
            if (!output.port.starts_with(prefix)) continue;
            const std::string rest = output.port.substr(prefix.size());
            const auto bracket = rest.find('[');
            TaskSlot* task = &run.task;
            if (step.forEach) {
                std::size_t element = 0;
                if (bracket == std::string::npos) return false;
                std::from_chars(rest.data() + bracket + 1, rest.data() + rest.size(), element);
                if (element >= run.fanout->elements.size()) run.fanout->elements.resize(element + 1);
                task = &run.fanout->elements[element];
                task->state = TaskState::Cached;
            }
            task->durable.push_back({rest.substr(0, bracket), output.artifact});
        }
    }
    return true;
}

bool ItemFinisher::finish(ActiveItem& item)
{
    ItemProgress progress = progressOf(item, outcomeOf(m_job.pipeline(), stepStates(item)));
    if (isGood(progress.state)) {
        auto files = place(item);
        if (!files && isDiskError(files.error())) {
            m_job.stopBecause(std::move(files.error()));
            return false;
        }
        if (files) {
            progress.files = std::move(*files);
        } else {
            // An output that cannot be made fails its item, like the step that it belongs to.
            progress.state = TaskState::Failed;
            progress.reason = files.error().reason;
            progress.message = cleanMessage(files.error());
        }
    }
    if (const StepFailure* failure = decisiveFailure(m_job.pipeline(), item);
        failure != nullptr && progress.state == TaskState::Failed) {
        progress.reason = failure->error.reason;
        progress.failedStep = failure->step;
        progress.message = cleanMessage(failure->error);
    }
    if (progress.state == TaskState::Skipped) progress.message = item.skipText;
    progress.endedAt = m_job.parts.clock.wall();
    if (isGood(progress.state)) remember(item);
    const TaskState state = progress.state;
    announce(item, {}, std::move(progress));
    m_job.countEnded(state);
    return true;
}

Result<std::vector<TaskOutput>> ItemFinisher::place(ActiveItem& item)
{
    std::vector<TaskOutput> files;
    if (m_job.parts.output == nullptr) return files;
    for (const Output& output : m_job.pipeline().outputs) {
        StepRun& run = runOf(item, output.step);
        if (!isGood(run.state.load())) continue;
        if (!run.fanout) {
            if (auto placed = placeOne(item, output, -1, run.task, files); !placed)
                return tl::unexpected(std::move(placed.error()));
            continue;
        }
        for (std::size_t i = 0; i < run.fanout->elements.size(); ++i)
            if (auto placed = placeOne(item, output, static_cast<std::int64_t>(i), run.fanout->elements[i], files);
                !placed)
                return tl::unexpected(std::move(placed.error()));
    }
    return files;
}

Result<void> ItemFinisher::placeOne(ActiveItem& item, const Output& output, std::int64_t element, const TaskSlot& task,
                                    std::vector<TaskOutput>& files)
{
    const KeptPort kept = findKept(task, output.port);
    if (kept.output == nullptr) return {};
    const ArtifactRef& whole = kept.output->artifact;
    const bool asItIs = !kept.inside && whole.mediaType != kJsonType && whole.mediaType != kListType;
    if (asItIs) return placeFile(item, output, element, whole, files);
    const auto value = m_values.load(kept, output.port);
    if (!value) return tl::unexpected(value.error());
    const Value::List* list = value->list();
    if (list == nullptr || !output.path.empty()) return placeValue(item, output, element, *value, files);
    for (std::size_t i = 0; i < list->size(); ++i)
        if (auto placed = placeValue(item, output, static_cast<std::int64_t>(i), (*list)[i], files); !placed)
            return placed;
    return {};
}

// People read text as text: a JSON string is written without its quotes, other JSON with line breaks.
Result<void> ItemFinisher::placeValue(ActiveItem& item, const Output& output, std::int64_t element, const Value& value,
                                      std::vector<TaskOutput>& files)
{
    if (value.empty()) return {};
    EncodedValue encoded;
    if (const Json* json = value.json()) {
        const Json* part = walk(*json, output.path);
        if (part == nullptr || part->is_null()) return {};
        const bool isText = part->is_string();
        const std::string text =
            isText ? part->get<std::string>() : part->dump(2, ' ', false, Json::error_handler_t::replace);
        const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
        encoded = {isText ? "text/plain" : std::string(kJsonType), {bytes.begin(), bytes.end()}};
    } else {
        encoded = encodeValue(value);
    }
    const auto artifact = m_job.parts.artifacts.put(std::move(encoded.mediaType), encoded.bytes);
    if (!artifact) return tl::unexpected(artifact.error());
    return placeFile(item, output, element, *artifact, files);
}

Result<void> ItemFinisher::placeFile(ActiveItem& item, const Output& output, std::int64_t element,
                                     const ArtifactRef& artifact, std::vector<TaskOutput>& files)
{
    const auto name = nameOf(item, output, element);
    if (!name) return tl::unexpected(name.error());
    const auto placed = m_job.parts.output->place(*name, artifact, item.handle.id);
    if (!placed) return tl::unexpected(placed.error());
    files.push_back({placed->generic_string(), artifact});
    return {};
}

Result<std::string> ItemFinisher::nameOf(ActiveItem& item, const Output& output, std::int64_t element)
{
    if (!output.name) return output.nameTemplate;
    TaskInputs inputs(m_values, m_job, item, output.step, static_cast<std::int32_t>(element));
    return inputs.render(*output.name);
}

void ItemFinisher::remember(const ActiveItem& item)
{
    if (m_job.parts.cache == nullptr || item.key.isZero() || !item.reusable || !m_job.plan.recordsItems) return;
    CachedResult record;
    record.job = m_job.jobName;
    bool fresh = false;
    for (std::size_t i = 0; i < item.steps.size(); ++i) {
        const StepRun& run = item.steps[i];
        const Step& step = m_job.pipeline().steps[i];
        fresh = fresh || run.state.load() == TaskState::Succeeded;
        record.steps.push_back(run.state.load() == TaskState::Skipped ? TaskState::Skipped : TaskState::Succeeded);
        for (const TaskOutput& output : run.task.durable)
            record.outputs.push_back({recordName(step, output.port, -1), output.artifact});
        if (!run.fanout) continue;
        for (std::size_t element = 0; element < run.fanout->elements.size(); ++element)
            for (const TaskOutput& output : run.fanout->elements[element].durable)
                record.outputs.push_back(
                    {recordName(step, output.port, static_cast<std::int64_t>(element)), output.artifact});
    }
    if (fresh) m_job.parts.cache->add(item.key, std::move(record));
}

void ItemFinisher::announce(const ActiveItem& item, std::vector<JournalRecord> records, ItemProgress progress)
{
    LiveJob& live = m_job.parts.live;
    if (item.announced)
        live.itemMoved(TaskState::Running, progress.state);
    else
        live.itemRestored(progress.state, progress.steps);
    ItemOutcome outcome;
    outcome.id = item.handle.id;
    outcome.line = item.handle.line;
    outcome.state = progress.state;
    outcome.reason = progress.reason;
    if (progress.failedStep) outcome.step = m_job.pipeline().at(*progress.failedStep).name;
    outcome.message = progress.message;
    outcome.worked = std::chrono::duration_cast<std::chrono::milliseconds>(item.worked);
    outcome.attempts = std::max(item.attempts, 1);
    outcome.cost = {item.cost, item.currency};
    // In one piece: a crash between the two would announce the item again, or never.
    live.itemFinished(outcome, [&](const EventLine& event) {
        records.emplace_back(EventRecord{event.seq, event.json});
        records.emplace_back(std::move(progress));
        m_job.parts.journal.write(std::move(records));
    });
}

void ItemFinisher::refuse(const ItemRecord& record, bool known)
{
    ItemProgress progress;
    progress.item = record.handle.index;
    progress.state = TaskState::Failed;
    progress.steps.assign(m_job.pipeline().steps.size(), TaskState::Blocked);
    progress.steps.front() = TaskState::Failed;
    progress.reason = record.error->reason;
    progress.failedStep = StepIndex(0);
    progress.message = cleanMessage(*record.error);
    progress.endedAt = m_job.parts.clock.wall();
    ActiveItem item;
    item.handle = record.handle;
    std::vector<JournalRecord> records;
    if (!known) records.emplace_back(admittedRecord(record.handle));
    announce(item, std::move(records), std::move(progress));
    m_job.countEnded(TaskState::Failed);
}

void ItemFinisher::leave(ActiveItem& item, bool cancelled)
{
    const TaskState rest = cancelled ? TaskState::Cancelled : TaskState::Queued;
    if (!item.announced) {
        if (cancelled) m_job.parts.live.itemMoved(TaskState::Queued, rest);
    } else {
        m_job.parts.live.itemMoved(TaskState::Running, rest);
    }
    for (std::size_t i = 0; i < item.steps.size(); ++i)
        if (!isTerminal(item.steps[i].state.load()))
            m_job.moveStep(item, StepIndex(static_cast<std::int32_t>(i)), rest);
    ItemProgress progress = progressOf(item, rest);
    // What was found for it in an earlier job is found again: there is no record of its tasks.
    if (!item.announced) progress.steps.assign(item.steps.size(), rest);
    if (cancelled) {
        progress.reason = Reason::Cancelled;
        progress.endedAt = m_job.parts.clock.wall();
        m_job.countRestored(TaskState::Cancelled);
    }
    m_job.parts.journal.write(std::move(progress));
}

} // namespace aiflow
