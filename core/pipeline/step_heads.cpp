#include "core/base/json.h"
#include "core/base/schema/json_schema.h"
#include "core/base/text.h"
#include "core/pipeline/draft.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::size_t kMaxSteps = 1000;
constexpr std::array<std::string_view, 19> kStepKeys{
    "op",   "model",    "api",  "inputs", "params", "prompt",   "system",  "schema", "request", "for_each",
    "when", "optional", "keep", "cache",  "needs",  "priority", "timeout", "retry",  "title"};

std::string called(const DraftStep& draft) { return "step \"" + draft.step.name + "\""; }

bool isGoodName(const std::string& text)
{
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
    return !text.empty() && text.size() <= 64 && letter(text[0]) && std::ranges::all_of(text, inner);
}

bool isReserved(const std::string& text)
{
    return text == "item" || text == "params" || text == "each" || text == "each_index";
}

// The key that says what the step is; exactly one must stand there.
const YamlEntry* kindOf(DraftStep& draft, const MapReader& reader, Problems& problems)
{
    constexpr std::array<std::pair<std::string_view, StepKind>, 3> kKinds{
        {{"op", StepKind::Op}, {"model", StepKind::Model}, {"api", StepKind::Api}}};
    const YamlEntry* chosen = nullptr;
    for (const auto& [key, kind] : kKinds) {
        const YamlEntry* entry = reader.find(key);
        if (entry == nullptr) continue;
        if (chosen != nullptr) {
            problems.add(entry->place, called(draft) + " has both \"" + chosen->key + "\" and \"" + entry->key +
                                           "\"; it must have exactly one of: op, model, api");
            return nullptr;
        }
        chosen = entry;
        draft.step.kind = kind;
    }
    if (chosen == nullptr) problems.add(draft.place, called(draft) + " needs one of: op, model, api");
    return chosen;
}

void resolveTarget(DraftStep& draft, const YamlEntry& entry, const std::string& target, Draft& all)
{
    draft.step.target = target;
    const StepCatalog& catalog = all.catalog;
    switch (draft.step.kind) {
    case StepKind::Op:
        draft.step.signature = catalog.findOp(target);
        break;
    case StepKind::Model:
        draft.step.signature = catalog.findModel(target);
        break;
    case StepKind::Api:
        draft.known = catalog.hasRoute(target);
        break;
    }
    if (draft.step.kind != StepKind::Api) draft.known = draft.step.signature != nullptr;
    if (draft.known || target.empty()) return;
    switch (draft.step.kind) {
    case StepKind::Op:
        all.problems.unknown(entry.value->place, "op", target, catalog.opNames());
        break;
    case StepKind::Model:
        all.problems.unknown(entry.value->place, "model", target, catalog.modelNames());
        break;
    case StepKind::Api:
        all.problems.unknown(entry.value->place, "route", target, catalog.routeNames());
        break;
    }
}

void readSchema(DraftStep& draft, const MapReader& reader, Draft& all)
{
    const YamlEntry* entry = reader.find("schema");
    if (entry == nullptr || draft.step.kind != StepKind::Api) return;
    const YamlPlace place = entry->value->place;
    Json schema;
    if (entry->value->kind == YamlNode::Kind::Scalar) {
        const auto text = readBeside(all, entry->value->text, "schema", place);
        if (!text) return;
        auto parsed = parseJson(*text, entry->value->text);
        if (!parsed) {
            Error error = parsed.error();
            error.reason = Reason::PipelineInvalid;
            if (!error.where) error.where = SourcePosition{entry->value->text, 0, 0, -1};
            all.problems.add(std::move(error));
            return;
        }
        schema = std::move(*parsed);
    } else {
        schema = yamlToJson(*entry->value);
    }
    if (const auto checked = JsonSchema::compile(schema); !checked) {
        all.problems.add(place, "schema of " + called(draft) + ": " + checked.error().message);
        return;
    }
    draft.step.schema = std::make_shared<const Json>(std::move(schema));
}

void describeOutputs(DraftStep& draft, Draft& all)
{
    if (draft.step.kind == StepKind::Api) {
        draft.outputs = apiPorts(draft.step.schema.get(), all.catalog.routeKind(draft.step.target));
        const auto has = [&](std::string_view port) {
            return std::ranges::find(draft.outputs, port, &DraftPort::name) != draft.outputs.end();
        };
        if (draft.step.schema)
            draft.step.mainOutput = "answer";
        else if (has("text") != has("image"))
            draft.step.mainOutput = has("text") ? "text" : "image";
    } else if (draft.step.signature != nullptr) {
        for (const Port& port : draft.step.signature->outputs) draft.outputs.push_back({port.name, port.type});
        if (draft.outputs.size() == 1) draft.step.mainOutput = draft.outputs.front().name;
    }
    if (!draft.fansOut) return;
    for (DraftPort& port : draft.outputs) port = {port.name, PortType::List, port.type};
}

void readSettings(Step& step, const MapReader& settings, Problems& problems)
{
    step.optional = settings.flag("optional", false);
    step.keep = settings.flag("keep", false);
    step.cache = settings.flag("cache", true);
    step.priority = static_cast<int>(settings.integer("priority", 0, -1000, 1000));
    step.timeout = settings.duration("timeout");
    step.title = readLocalText(settings, "title", problems);
    const YamlEntry* retry = settings.find("retry");
    if (retry == nullptr) return;
    constexpr std::array<std::string_view, 1> kKeys{"attempts"};
    const MapReader reader(*retry->value, "\"retry\" of step \"" + step.name + "\"", kKeys, problems);
    step.retry.attempts = static_cast<int>(reader.integer("attempts", step.retry.attempts, 1, 100));
}

void readHead(const YamlEntry& entry, Draft& all)
{
    DraftStep draft;
    draft.step.name = entry.key;
    draft.step.line = entry.place.line;
    draft.node = entry.value.get();
    draft.place = entry.place;
    if (!isGoodName(entry.key))
        all.problems.add(entry.place,
                         "\"" + cutToWidth(entry.key, 60) +
                             "\" cannot be a step's name: letters, digits, _ and -, at most 64, a letter first");
    else if (isReserved(entry.key))
        all.problems.add(entry.place,
                         "a step cannot be called \"" + entry.key + "\": the word has a meaning of its own");
    draft.reader = std::make_shared<const MapReader>(*draft.node, called(draft), kStepKeys, all.problems);
    const MapReader& reader = *draft.reader;
    const YamlEntry* kind = reader.isMap() ? kindOf(draft, reader, all.problems) : nullptr;
    draft.known = false;
    if (kind != nullptr) resolveTarget(draft, *kind, reader.text(kind->key), all);
    draft.fansOut = reader.find("for_each") != nullptr;
    readSchema(draft, reader, all);
    describeOutputs(draft, all);
    if (reader.isMap()) readSettings(draft.step, reader, all.problems);
    all.byName.emplace(entry.key, static_cast<int>(all.steps.size()));
    all.steps.push_back(std::move(draft));
}

} // namespace

const Column* Draft::column(std::string_view columnName) const
{
    const auto found = std::ranges::find(pipeline.input.columns, columnName, &Column::name);
    return found == pipeline.input.columns.end() ? nullptr : &*found;
}

std::vector<std::string> Draft::columnNames() const
{
    std::vector<std::string> names;
    for (const Column& known : pipeline.input.columns) names.push_back(known.name);
    return names;
}

std::vector<std::string> Draft::paramNames() const
{
    std::vector<std::string> names;
    for (const auto& param : pipeline.params->items()) names.push_back(param.key());
    return names;
}

std::vector<std::string> Draft::stepNames() const
{
    std::vector<std::string> names;
    for (const DraftStep& step : steps)
        if (step.node != nullptr) names.push_back(step.step.name);
    return names;
}

PortType typeOf(ColumnType type) noexcept
{
    switch (type) {
    case ColumnType::Text:
        return PortType::Text;
    case ColumnType::Number:
    case ColumnType::Integer:
        return PortType::Number;
    case ColumnType::Boolean:
        return PortType::Boolean;
    case ColumnType::Image:
    case ColumnType::File:
        break;
    }
    return PortType::File;
}

PortType typeOf(const Json& value) noexcept
{
    if (value.is_string()) return PortType::Text;
    if (value.is_number()) return PortType::Number;
    if (value.is_boolean()) return PortType::Boolean;
    return value.is_null() ? PortType::Any : PortType::Json;
}

std::string typeText(PortType type, PortType element)
{
    const std::string word(name(type));
    return type == PortType::List && element != PortType::Any ? word + " of " + std::string(name(element)) : word;
}

PortType schemaType(const Json& schema)
{
    const auto type = schema.find("type");
    if (type == schema.end() || !type->is_string()) return PortType::Json;
    if (*type == "string") return PortType::Text;
    if (*type == "number" || *type == "integer") return PortType::Number;
    return *type == "boolean" ? PortType::Boolean : PortType::Json;
}

std::vector<DraftPort> apiPorts(const Json* schema, std::string_view routeKind)
{
    std::vector<DraftPort> ports;
    if (schema != nullptr) {
        if (const auto fields = schema->find("properties"); fields != schema->end() && fields->is_object())
            for (const auto& [key, field] : fields->items())
                ports.push_back({key, field.is_object() ? schemaType(field) : PortType::Json, PortType::Any,
                                 std::make_shared<const Json>(field)});
        if (std::ranges::none_of(ports, [](const DraftPort& port) { return port.name == "answer"; }))
            ports.push_back({"answer", PortType::Json, PortType::Any, std::make_shared<const Json>(*schema)});
        return ports;
    }
    if (routeKind != "image") ports.push_back({"text", PortType::Text});
    if (routeKind != "text") ports.push_back({"image", PortType::File});
    if (routeKind != "text") ports.push_back({"images", PortType::List, PortType::File});
    return ports;
}

void readStepHeads(const YamlNode& steps, Draft& draft)
{
    const MapReader reader(steps, "\"steps\"", {}, draft.problems);
    if (!reader.isMap()) return;
    if (steps.entries.empty())
        draft.problems.add(steps.place, "\"steps\" is empty; a pipeline needs at least one step");
    if (steps.entries.size() > kMaxSteps) {
        draft.problems.add(steps.place, "more than 1,000 steps");
        return;
    }
    for (const YamlEntry* entry : reader.entries()) readHead(*entry, draft);
}

} // namespace aiflow
