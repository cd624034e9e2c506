#include "core/pipeline/loader.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/source_reader.h"
#include "core/pipeline/template.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxErrors = 100;
constexpr std::array<std::string_view, 8> kKeys{"aiflow", "name",   "title", "description",
                                                "input",  "params", "steps", "outputs"};

constexpr std::array<std::pair<std::string_view, ColumnType>, 6> kColumnTypes{{{"text", ColumnType::Text},
                                                                               {"number", ColumnType::Number},
                                                                               {"integer", ColumnType::Integer},
                                                                               {"boolean", ColumnType::Boolean},
                                                                               {"image", ColumnType::Image},
                                                                               {"file", ColumnType::File}}};

void readColumnType(const std::string& word, YamlPlace place, Column& column, Problems& problems)
{
    std::vector<std::string> names;
    for (const auto& [name, type] : kColumnTypes) {
        if (name == word) {
            column.type = type;
            return;
        }
        names.emplace_back(name);
    }
    problems.unknown(place, "column type", word, names);
}

void readColumnDefault(const MapReader& reader, Column& column)
{
    const YamlEntry* entry = reader.find("default");
    if (entry == nullptr) return;
    const bool text = typeOf(column.type) == PortType::Text || typeOf(column.type) == PortType::File;
    Json value =
        text && entry->value->kind == YamlNode::Kind::Scalar ? Json(entry->value->text) : yamlToJson(*entry->value);
    const bool whole = column.type != ColumnType::Integer || value.is_number_integer();
    if (!whole || typeOf(value) != (text ? PortType::Text : typeOf(column.type))) {
        reader.wrongType(*entry, "of the column's type");
        return;
    }
    column.defaultValue = std::make_shared<const Json>(std::move(value));
}

Column readColumn(const YamlEntry& entry, Problems& problems)
{
    constexpr std::array<std::string_view, 7> kColumnKeys{"type",    "required", "min",    "max",
                                                          "aliases", "one_of",   "default"};
    Column column;
    column.name = entry.key;
    if (entry.value->kind == YamlNode::Kind::Scalar) { // title: text
        readColumnType(entry.value->text, entry.value->place, column, problems);
        return column;
    }
    if (entry.value->kind == YamlNode::Kind::Null) return column;
    const MapReader reader(*entry.value, "column \"" + entry.key + "\"", kColumnKeys, problems);
    if (const YamlEntry* type = reader.find("type"))
        readColumnType(reader.text("type", "text"), type->value->place, column, problems);
    column.required = reader.flag("required", false);
    column.minimum = reader.number("min");
    column.maximum = reader.number("max");
    column.aliases = reader.texts("aliases");
    column.oneOf = reader.texts("one_of");
    const bool number = typeOf(column.type) == PortType::Number;
    for (const std::string_view key : {"min", "max"})
        if (const YamlEntry* limit = reader.find(key); limit != nullptr && !number)
            problems.add(limit->place,
                         "\"" + limit->key + "\" of column \"" + entry.key + "\" needs the type number or integer");
    if (column.minimum && column.maximum && *column.minimum > *column.maximum)
        problems.add(reader.find("min")->place, "\"min\" of column \"" + entry.key + "\" is greater than its \"max\"");
    readColumnDefault(reader, column);
    return column;
}

void checkFormat(const MapReader& reader, Problems& problems)
{
    const YamlEntry* entry = reader.find("aiflow");
    if (entry == nullptr) {
        problems.add(reader.place(), "the file does not say its format; begin it with \"aiflow: 1\"");
        return;
    }
    const Json value = yamlToJson(*entry->value);
    if (!value.is_number_integer() || value.get<std::int64_t>() != kFormat)
        problems.add(entry->value->place,
                     "format " + describeYaml(*entry->value) + " is not supported; this program reads \"aiflow: 1\"");
}

void readParams(const MapReader& reader, Draft& draft)
{
    Json params = Json::object();
    if (const YamlEntry* entry = reader.find("params")) {
        const MapReader names(*entry->value, "\"params\"", {}, draft.problems);
        for (const YamlEntry* param : names.entries()) {
            const std::string& text = param->value->text;
            if (text.starts_with("$") && !text.starts_with("$$"))
                draft.problems.add(param->value->place, "parameter \"" + param->key + "\" must be a fixed value, not " +
                                                            describeYaml(*param->value));
            params[param->key] = yamlToJson(*param->value);
            if (text.starts_with("$$")) params[param->key] = text.substr(1);
        }
    }
    draft.pipeline.params = std::make_shared<const Json>(std::move(params));
}

std::string typeWord(const Json& value)
{
    if (value.is_object()) return "map";
    if (value.is_array()) return "list";
    return value.is_null() ? "null" : std::string(name(typeOf(value)));
}

void refuseSet(Draft& draft, std::string message)
{
    draft.problems.add(Error{Reason::UsageInvalid, std::move(message), {}, std::nullopt});
}

void applySet(const LoadOptions& options, Draft& draft)
{
    Json params = *draft.pipeline.params;
    for (const auto& [key, text] : options.set) {
        const std::string written = "--set " + key + "=" + text;
        if (!params.contains(key)) {
            refuseSet(draft, written + ": unknown parameter \"" + key + "\"" + suggestion(key, draft.paramNames()));
            continue;
        }
        const auto node = parseYaml(text, written, Reason::UsageInvalid);
        if (!node) {
            draft.problems.add(node.error());
            continue;
        }
        Json value = yamlToJson(**node);
        const bool asText = params[key].is_string() && (*node)->kind == YamlNode::Kind::Scalar;
        if (asText) value = (*node)->text;
        if (!params[key].is_null() && typeWord(value) != typeWord(params[key])) {
            refuseSet(draft, written + ": parameter \"" + key + "\" is a " + typeWord(params[key]) + " (" +
                                 dumpJson(params[key]) + "), not a " + typeWord(value));
            continue;
        }
        params[key] = std::move(value);
    }
    draft.pipeline.params = std::make_shared<const Json>(std::move(params));
}

void finishInput(const MapReader& reader, Draft& draft)
{
    if (const YamlEntry* entry = reader.find("input"))
        draft.pipeline.input = readInput(*entry->value, draft.problems);
    else
        draft.problems.add(reader.place(), "\"input\" is missing: it names the columns that the steps use");
}

void readAll(const YamlNode& root, const LoadOptions& options, Draft& draft)
{
    const MapReader reader(root, "the pipeline file", kKeys, draft.problems);
    if (!reader.isMap()) return;
    checkFormat(reader, draft.problems);
    draft.pipeline.name = reader.text("name");
    if (reader.find("name") == nullptr) draft.problems.add(reader.place(), "\"name\" is missing");
    draft.pipeline.title = readLocalText(reader, "title", draft.problems);
    draft.pipeline.description = readLocalText(reader, "description", draft.problems);
    finishInput(reader, draft);
    readParams(reader, draft);
    applySet(options, draft);
    const YamlEntry* steps = reader.find("steps");
    if (steps == nullptr)
        draft.problems.add(reader.place(), "\"steps\" is missing");
    else
        readStepHeads(*steps->value, draft);
    readStepBodies(draft);
    if (const YamlEntry* outputs = reader.find("outputs")) readOutputs(*outputs->value, draft);
    link(draft);
}

std::optional<Output> readOutput(const YamlEntry& entry, Draft& draft)
{
    SourceReader sources(draft, -1);
    Problems& problems = draft.problems;
    auto read = sources.read(*entry.value);
    if (!read) return std::nullopt;
    const auto* from = std::get_if<StepOutput>(&read->source.from);
    if (from == nullptr) {
        problems.add(read->place,
                     "an output must be a step's result such as $compose.image, not " + describeYaml(*entry.value));
        return std::nullopt;
    }
    auto compiled = CompiledTemplate::compile(entry.key);
    if (!compiled) {
        problems.add(entry.place, "name of the output: " + compiled.error().message);
        return std::nullopt;
    }
    const bool list = read->source.type == PortType::List;
    bool perItem = false;
    bool perElement = false;
    for (const CompiledTemplate::Variable& variable : (*compiled)->variables()) {
        perItem = perItem || variable.path.front() == "item";
        perElement = perElement || variable.path.front() == "each_index";
        if (variable.path != std::vector<std::string>{"each_index"} && !variable.insideSection)
            sources.checkVariable(variable.path, entry.place);
    }
    const std::filesystem::path path(entry.key);
    if (path.is_absolute() || std::ranges::find(path, "..") != path.end())
        problems.add(entry.place, "output \"" + entry.key + "\" leads out of the output folder");
    if (!perItem)
        problems.add(
            entry.place, "every item would write the same file \"" + entry.key + "\"",
            "put a column into the name, such as {{item." +
                (draft.pipeline.input.columns.empty() ? std::string("id") : draft.pipeline.input.columns.front().name) +
                "}}");
    if (list != perElement && read->source.type != PortType::Any)
        problems.add(entry.place, list ? "the value is a list: put {{each_index}} into the name \"" + entry.key + "\""
                                       : "{{each_index}} stands in the name, but the value is no list");
    return Output{entry.key, std::move(*compiled), from->step, from->port, from->path, entry.place.line};
}

} // namespace

InputSpec readInput(const YamlNode& node, Problems& problems)
{
    constexpr std::array<std::string_view, 2> kInputKeys{"id", "columns"};
    const MapReader reader(node, "\"input\"", kInputKeys, problems);
    InputSpec input;
    input.idColumn = reader.text("id");
    if (const YamlEntry* columns = reader.find("columns")) {
        const MapReader names(*columns->value, "\"columns\"", {}, problems);
        for (const YamlEntry* entry : names.entries()) input.columns.push_back(readColumn(*entry, problems));
    }
    const bool listed = std::ranges::find(input.columns, input.idColumn, &Column::name) != input.columns.end();
    if (!input.idColumn.empty() && !listed) {
        Column id;
        id.name = input.idColumn;
        id.required = true;
        input.columns.insert(input.columns.begin(), std::move(id));
    }
    return input;
}

LocalText readLocalText(const MapReader& reader, std::string_view key, Problems& problems)
{
    const YamlEntry* entry = reader.find(key);
    if (entry == nullptr) return {};
    if (entry->value->kind != YamlNode::Kind::Map) return {reader.text(key), {}};
    constexpr std::array<std::string_view, 2> kLanguages{"en", "zh"};
    const MapReader texts(*entry->value, "\"" + entry->key + "\"", kLanguages, problems);
    LocalText text{texts.text("en"), texts.text("zh")};
    if (text.en.empty()) text.en = text.zh;
    return text;
}

void readOutputs(const YamlNode& node, Draft& draft)
{
    const MapReader outputs(node, "\"outputs\"", {}, draft.problems);
    for (const YamlEntry* entry : outputs.entries())
        if (auto output = readOutput(*entry, draft)) draft.pipeline.outputs.push_back(std::move(*output));
}

std::optional<std::string> readBeside(Draft& draft, const std::string& file, const std::string& what, YamlPlace place)
{
    const auto bytes = systemFiles().readBeneath(draft.folder, file, kibibytes(256));
    if (bytes) return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    const bool outside = bytes.error().reason == Reason::InputFieldBad;
    if (bytes.error().reason != Reason::InputImageMissing) {
        draft.problems.add(
            place, what + " file \"" + file + "\" " +
                       (outside ? "leads outside the pipeline's folder" : "cannot be read: " + bytes.error().message));
        return std::nullopt;
    }
    const std::filesystem::path path(file);
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& found : std::filesystem::directory_iterator(draft.folder / path.parent_path(), ignored))
        names.push_back(found.path().filename().string());
    const auto near = nearestWord(path.filename().string(), names);
    draft.problems.add(place,
                       what + " file \"" + file + "\" does not exist" +
                           (near ? "; did you mean \"" + (path.parent_path() / *near).string() + "\"?" : ""),
                       "paths are looked for beneath " + draft.folder.string());
    return std::nullopt;
}

Result<Pipeline> parsePipeline(std::string_view text, const std::filesystem::path& folder, const std::string& fileName,
                               const StepCatalog& catalog, const LoadOptions& options, std::vector<Error>* allErrors)
{
    const auto root = parseYaml(text, fileName, Reason::PipelineInvalid);
    if (!root) {
        if (allErrors != nullptr) allErrors->push_back(root.error());
        return tl::unexpected(root.error());
    }
    Problems problems(fileName, Reason::PipelineInvalid);
    Draft draft(catalog, folder.empty() ? std::filesystem::path(".") : folder, problems);
    draft.pipeline.file = folder / std::filesystem::path(fileName).filename();
    draft.pipeline.sourceText = text;
    draft.pipeline.params = std::make_shared<const Json>(Json::object());
    readAll(**root, options, draft);
    if (problems.none()) return std::move(draft.pipeline);
    auto errors = problems.take();
    if (errors.size() > kMaxErrors) errors.resize(kMaxErrors);
    const Error first = errors.front();
    if (allErrors != nullptr) std::ranges::move(errors, std::back_inserter(*allErrors));
    return tl::unexpected(first);
}

Result<Pipeline> loadPipeline(const std::filesystem::path& file, const StepCatalog& catalog, const LoadOptions& options,
                              std::vector<Error>* allErrors)
{
    const auto refuse = [&](std::string message) -> Result<Pipeline> {
        Error error{Reason::PipelineInvalid, std::move(message), {}, SourcePosition{file.string(), 0, 0, -1}};
        if (allErrors != nullptr) allErrors->push_back(error);
        return tl::unexpected(error);
    };
    const auto status = systemFiles().status(file);
    if (!status) return refuse("the pipeline file cannot be read: " + status.error().message);
    if (status->isDirectory) return refuse("this is a folder; name the file in it, such as pipeline.yaml");
    if (status->size > mebibytes(1).count()) return refuse("the file is larger than 1 MiB");
    const auto bytes = systemFiles().readFile(file, mebibytes(1));
    if (!bytes) return refuse("the pipeline file cannot be read: " + bytes.error().message);
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    return parsePipeline(text, file.parent_path(), file.string(), catalog, options, allErrors);
}

} // namespace aiflow
