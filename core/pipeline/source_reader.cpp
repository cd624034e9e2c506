#include "core/pipeline/source_reader.h"

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/evaluate.h"
#include "core/pipeline/template.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

std::vector<std::string> splitDots(std::string_view text)
{
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::vector<std::string> tail(const std::vector<std::string>& path, std::ptrdiff_t from)
{
    return path.size() <= static_cast<std::size_t>(from) ? std::vector<std::string>{}
                                                         : std::vector<std::string>(path.begin() + from, path.end());
}

bool isConstant(const ReadSource& read) { return std::holds_alternative<Constant>(read.source.from); }

std::vector<std::string> keysOf(const Json& object)
{
    std::vector<std::string> keys;
    for (const auto& entry : object.items()) keys.push_back(entry.key());
    return keys;
}

} // namespace

ReadSource SourceReader::constant(Json value, YamlPlace place) const
{
    ReadSource read;
    read.source.type = typeOf(value);
    read.source.line = place.line;
    read.source.from = Constant{std::make_shared<const Json>(std::move(value))};
    read.place = place;
    return read;
}

std::string SourceReader::joined(const std::vector<std::string>& path) const { return "$" + join(path, "."); }

std::optional<ReadSource> SourceReader::read(const YamlNode& node)
{
    switch (node.kind) {
    case YamlNode::Kind::Scalar:
        return readText(node);
    case YamlNode::Kind::List:
        return readList(node);
    case YamlNode::Kind::Map:
        return readMap(node);
    case YamlNode::Kind::Null:
        break;
    }
    return constant(nullptr, node.place);
}

std::optional<ReadSource> SourceReader::readText(const YamlNode& node)
{
    std::string text = node.text;
    if (text.starts_with("$$"))
        text.erase(0, 1);
    else if (text.starts_with("$"))
        return readReference(text.substr(1), node.place);
    if (looksLikeTemplate(text)) {
        auto compiled = readTemplate(text, node.place);
        if (!compiled) return std::nullopt;
        return ReadSource{
            {Template{text, std::move(compiled)}, PortType::Text, node.place.line}, PortType::Any, node.place};
    }
    return constant(text == node.text ? yamlToJson(node) : Json(text), node.place);
}

std::optional<ReadSource> SourceReader::readList(const YamlNode& node)
{
    ArrayOf array;
    bool good = true;
    bool fixed = true;
    for (const YamlPtr& element : node.elements) {
        auto read = this->read(*element);
        good = good && read.has_value();
        if (!read) continue;
        fixed = fixed && isConstant(*read);
        array.elements.push_back(std::make_shared<const Source>(std::move(read->source)));
    }
    if (!good) return std::nullopt;
    if (!fixed) return ReadSource{{std::move(array), PortType::Json, node.place.line}, PortType::Any, node.place};
    Json value = Json::array();
    for (const auto& element : array.elements) value.push_back(*std::get<Constant>(element->from).value);
    return constant(std::move(value), node.place);
}

std::optional<ReadSource> SourceReader::readMap(const YamlNode& node)
{
    const MapReader reader(node, "this value", {}, m_draft.problems);
    ObjectOf object;
    bool good = true;
    bool fixed = true;
    for (const YamlEntry* entry : reader.entries()) {
        auto read = this->read(*entry->value);
        good = good && read.has_value();
        if (!read) continue;
        fixed = fixed && isConstant(*read);
        object.fields.emplace_back(entry->key, std::make_shared<const Source>(std::move(read->source)));
    }
    if (!good) return std::nullopt;
    if (!fixed) return ReadSource{{std::move(object), PortType::Json, node.place.line}, PortType::Any, node.place};
    Json value = Json::object();
    for (const auto& [key, field] : object.fields) value[key] = *std::get<Constant>(field->from).value;
    return constant(std::move(value), node.place);
}

std::optional<ReadSource> SourceReader::readReference(const std::string& reference, YamlPlace place)
{
    const auto path = splitDots(reference);
    if (std::ranges::any_of(path, [](const std::string& part) { return part.empty(); })) {
        m_draft.problems.add(place, "\"$" + reference + "\" is not a reference",
                             "write $step.port, $item.column or $params.name; $$ stands for a dollar sign");
        return std::nullopt;
    }
    if (path.front() == "item") return itemField(path, place);
    if (path.front() == "params") return param(path, place);
    if (path.front() == "each" || path.front() == "each_index") return each(path, place);
    return stepOutput(path, place);
}

std::optional<ReadSource> SourceReader::itemField(const std::vector<std::string>& path, YamlPlace place)
{
    if (path.size() == 1) {
        m_draft.problems.add(place, "$item needs a column: $item.NAME" + suggestion("", m_draft.columnNames()));
        return std::nullopt;
    }
    const std::string name = join(tail(path, 1), ".");
    const Column* column = m_draft.column(name);
    if (column == nullptr) {
        m_draft.problems.unknown(place, "column", name, m_draft.columnNames());
        return std::nullopt;
    }
    return ReadSource{{ItemField{name}, typeOf(column->type), place.line}, PortType::Any, place};
}

std::optional<ReadSource> SourceReader::param(const std::vector<std::string>& path, YamlPlace place)
{
    if (path.size() == 1) {
        m_draft.problems.add(place, "$params needs a name: $params.NAME" + suggestion("", m_draft.paramNames()));
        return std::nullopt;
    }
    const Json* value = m_draft.pipeline.params.get();
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (!value->is_object() || !value->contains(path[i])) {
            m_draft.problems.add(place, "unknown parameter \"" + join(tail(path, 1), ".") + "\"" +
                                            suggestion(path[i], i == 1 ? m_draft.paramNames() : keysOf(*value)));
            return std::nullopt;
        }
        value = &(*value)[path[i]];
    }
    if (path.size() > 2) return constant(*value, place);
    return ReadSource{{ParamValue{path[1]}, typeOf(*value), place.line}, PortType::Any, place};
}

std::optional<ReadSource> SourceReader::each(const std::vector<std::string>& path, YamlPlace place)
{
    if (m_step < 0 || !m_draft.steps[static_cast<std::size_t>(m_step)].fansOut) {
        m_draft.problems.add(place, "$" + path.front() + " stands only in a step with for_each");
        return std::nullopt;
    }
    if (path.front() == "each_index") {
        if (!checkPath(joined(path), PortType::Number, path.size() - 1, place)) return std::nullopt;
        return ReadSource{{EachIndex{}, PortType::Number, place.line}, PortType::Any, place};
    }
    const PortType type = m_draft.steps[static_cast<std::size_t>(m_step)].element;
    if (!checkPath(joined(path), type, path.size() - 1, place)) return std::nullopt;
    return ReadSource{
        {EachElement{tail(path, 1)}, path.size() > 1 ? PortType::Json : type, place.line}, PortType::Any, place};
}

bool SourceReader::checkPath(const std::string& whole, PortType type, std::size_t pathLength, YamlPlace place)
{
    const bool deep =
        type == PortType::Any || type == PortType::Json || type == PortType::Boxes || type == PortType::Vector;
    if (pathLength == 0 || deep) return true;
    const bool list = type == PortType::List;
    m_draft.problems.add(
        place, "\"" + whole + "\" looks into a value of type " + std::string(name(type)) + "; only JSON has fields",
        list ? "use for_each to work on each element" : "");
    return false;
}

PortType SourceReader::fieldType(const DraftPort& port, const std::vector<std::string>& path, const std::string& whole,
                                 YamlPlace place)
{
    const Json* schema = port.schema.get();
    for (const std::string& part : path) {
        if (schema == nullptr || !schema->is_object()) return PortType::Json;
        const auto fields = schema->find("properties");
        if (fields == schema->end() || !fields->is_object()) return PortType::Json;
        if (!fields->contains(part)) {
            m_draft.problems.add(place, "unknown field \"" + part + "\" in \"" + whole + "\"" +
                                            suggestion(part, keysOf(*fields)));
            return PortType::Any;
        }
        schema = &(*fields)[part];
    }
    return schema != nullptr && schema->is_object() ? schemaType(*schema) : PortType::Json;
}

std::optional<ReadSource> SourceReader::stepOutput(const std::vector<std::string>& path, YamlPlace place)
{
    const auto found = m_draft.byName.find(path.front());
    if (found == m_draft.byName.end()) {
        auto names = m_draft.stepNames();
        names.insert(names.end(), {"item", "params"});
        m_draft.problems.add(place,
                             "unknown step \"" + path.front() + "\" in \"" + joined(path) + "\"" +
                                 suggestion(path.front(), names),
                             "$$ stands for a dollar sign");
        return std::nullopt;
    }
    const DraftStep& used = m_draft.steps[static_cast<std::size_t>(found->second)];
    if (m_step >= 0) m_draft.steps[static_cast<std::size_t>(m_step)].uses.push_back({found->second, place});
    const StepIndex index(found->second);
    const std::string port = path.size() > 1 ? path[1] : used.step.mainOutput;
    if (!used.known) return ReadSource{{StepOutput{index, port, tail(path, 2)}, PortType::Any, place.line}, {}, place};
    std::vector<std::string> names;
    for (const DraftPort& output : used.outputs) names.push_back(output.name);
    if (port.empty()) {
        m_draft.problems.add(place,
                             "step \"" + path.front() + "\" has several outputs: name one" + suggestion("", names));
        return std::nullopt;
    }
    const auto output = std::ranges::find(used.outputs, port, &DraftPort::name);
    if (output == used.outputs.end()) {
        m_draft.problems.add(place,
                             "step \"" + path.front() + "\" has no output \"" + port + "\"" + suggestion(port, names));
        return std::nullopt;
    }
    if (!checkPath(joined(path), output->type, tail(path, 2).size(), place)) return std::nullopt;
    const PortType type = path.size() > 2 ? fieldType(*output, tail(path, 2), joined(path), place) : output->type;
    return ReadSource{{StepOutput{index, port, tail(path, 2)}, type, place.line}, output->element, place};
}

std::shared_ptr<const CompiledTemplate> SourceReader::readTemplate(const std::string& text, YamlPlace place,
                                                                   const std::string& file)
{
    auto compiled = CompiledTemplate::compile(text);
    if (!compiled) {
        Error error = compiled.error();
        SourcePosition inside = error.where.value_or(SourcePosition{});
        error.where = SourcePosition{m_draft.problems.file(), place.line, place.column, -1};
        if (!file.empty()) error.where = SourcePosition{file, inside.line, inside.column, -1};
        m_draft.problems.add(std::move(error));
        return nullptr;
    }
    for (const CompiledTemplate::Variable& variable : (*compiled)->variables()) {
        if (variable.insideSection && !isName(variable.path.front())) continue;
        const std::size_t before = m_draft.problems.count();
        checkVariable(variable.path, place);
        if (!file.empty()) m_draft.problems.moveTo(before, {file, variable.line, variable.column, -1});
    }
    return *compiled;
}

bool SourceReader::isName(const std::string& head) const
{
    return head == "item" || head == "params" || head == "each" || head == "each_index" ||
           m_draft.byName.contains(head);
}

void SourceReader::checkVariable(const std::vector<std::string>& path, YamlPlace place)
{
    const std::string whole = "{{" + join(path, ".") + "}}";
    if (!isName(path.front())) {
        const bool isColumn = path.size() == 1 && m_draft.column(path.front()) != nullptr;
        auto names = m_draft.stepNames();
        names.insert(names.end(), {"item", "params"});
        m_draft.problems.add(
            place, "unknown name " + whole + " in the template" +
                       (isColumn ? "; did you mean {{item." + path.front() + "}}?" : suggestion(path.front(), names)));
        return;
    }
    if (m_step < 0 && m_draft.byName.contains(path.front())) {
        m_draft.problems.add(place, whole + ": the name of an output can use item, params and each_index only");
        return;
    }
    readReference(join(path, "."), place);
}

std::optional<Condition> SourceReader::readCondition(const YamlNode& node)
{
    if (node.kind == YamlNode::Kind::Map) {
        if (node.entries.size() == 1) return readOperator(node.entries.front());
        m_draft.problems.add(node.place,
                             "a condition has exactly one of: equals, less, greater, in, matches, not, all, "
                             "any; this has " +
                                 std::to_string(node.entries.size()),
                             "join several with all: [...] or any: [...]");
        return std::nullopt;
    }
    if (node.kind != YamlNode::Kind::Scalar || !node.text.starts_with("$") || node.text.starts_with("$$")) {
        m_draft.problems.add(node.place, "a condition is a reference such as $item.name or a map such as "
                                         "{ equals: [$item.kind, shoe] }, not " +
                                             describeYaml(node));
        return std::nullopt;
    }
    auto operand = read(node);
    if (!operand) return std::nullopt;
    Condition condition;
    condition.operands.push_back(std::move(operand->source));
    condition.text = node.text;
    return condition;
}

std::optional<Condition> SourceReader::readOperator(const YamlEntry& entry)
{
    using enum Condition::Kind;
    struct Operator {
        std::string_view key;
        Condition::Kind kind;
    };
    constexpr std::array kOperators{
        Operator{"equals", Equals},   Operator{"less", Less}, Operator{"greater", Greater}, Operator{"in", In},
        Operator{"matches", Matches}, Operator{"not", Not},   Operator{"all", All},         Operator{"any", Any}};
    const auto known = std::ranges::find(kOperators, entry.key, &Operator::key);
    if (known == kOperators.end()) {
        std::vector<std::string> names;
        for (const Operator& op : kOperators) names.emplace_back(op.key);
        m_draft.problems.unknown(entry.place, "condition", entry.key, names);
        return std::nullopt;
    }
    Condition condition;
    condition.kind = known->kind;
    condition.text = entry.key + ": " + yamlToText(*entry.value);
    const bool group = condition.kind == Not || condition.kind == All || condition.kind == Any;
    return group ? readGroup(std::move(condition), entry) : readComparison(std::move(condition), entry);
}

std::optional<Condition> SourceReader::readGroup(Condition condition, const YamlEntry& entry)
{
    std::vector<const YamlNode*> parts;
    if (condition.kind == Condition::Kind::Not)
        parts.push_back(entry.value.get());
    else
        for (const YamlPtr& part : entry.value->elements) parts.push_back(part.get());
    if (parts.empty()) {
        m_draft.problems.add(entry.value->place,
                             "\"" + entry.key + "\" needs a list of conditions, not " + describeYaml(*entry.value));
        return std::nullopt;
    }
    for (const YamlNode* part : parts)
        if (auto read = readCondition(*part)) condition.conditions.push_back(std::move(*read));
    if (condition.conditions.size() != parts.size()) return std::nullopt;
    return condition;
}

std::optional<Condition> SourceReader::readComparison(Condition condition, const YamlEntry& entry)
{
    if (entry.value->kind != YamlNode::Kind::List || entry.value->elements.size() != 2) {
        m_draft.problems.add(entry.value->place,
                             "\"" + entry.key + "\" needs a list of two values, not " + yamlToText(*entry.value));
        return std::nullopt;
    }
    for (const YamlPtr& element : entry.value->elements)
        if (auto read = this->read(*element)) condition.operands.push_back(std::move(read->source));
    if (condition.operands.size() != 2) return std::nullopt;
    const YamlNode& second = *entry.value->elements[1];
    if (condition.kind == Condition::Kind::In && second.kind == YamlNode::Kind::Scalar &&
        !second.text.starts_with("$")) {
        m_draft.problems.add(second.place, "the second value of \"in\" must be a list, not " + describeYaml(second));
        return std::nullopt;
    }
    if (condition.kind != Condition::Kind::Matches) return condition;
    const auto* pattern = std::get_if<Constant>(&condition.operands[1].from);
    if (pattern == nullptr || !pattern->value->is_string()) {
        m_draft.problems.add(second.place, "the second value of \"matches\" must be a regular expression, not " +
                                               describeYaml(second));
        return std::nullopt;
    }
    auto compiled = RegularExpression::compile(pattern->value->get<std::string>());
    if (!compiled) {
        m_draft.problems.add(second.place, compiled.error().message);
        return std::nullopt;
    }
    condition.pattern = std::move(*compiled);
    return condition;
}

} // namespace aiflow
