#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/source_reader.h"
#include "core/pipeline/template.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

std::vector<std::string> namesOf(const auto& entries)
{
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
}

// Reads one step's body into the draft.
class BodyReader {
public:
    BodyReader(Draft& all, int step)
        : m_all(all), m_step(step), m_sources(all, step), m_name("step \"" + all.name(step) + "\""),
          m_reader(all.steps[static_cast<std::size_t>(step)].reader)
    {
    }

    void read();

private:
    // Not kept: automatic steps are appended to the same vector.
    DraftStep& draft() { return m_all.steps[static_cast<std::size_t>(m_step)]; }
    Step& step() { return draft().step; }
    Problems& problems() { return m_all.problems; }
    bool isApi() { return step().kind == StepKind::Api; }

    void refuseForeignKeys();
    void readForEach();
    void readInputs();
    void readInput(const YamlEntry& entry);
    void connect(const Port& port, ReadSource read);
    void requireInputs(const YamlEntry* inputs);
    void readParams();
    std::optional<Json> paramValue(const YamlNode& node);
    void readParam(const YamlEntry& entry, Json& params);
    void readPrompt();
    void readSystem();
    void readRequest();
    void readNeeds();
    std::string textOrFile(const YamlEntry& entry, std::string& file);

    Draft& m_all;
    int m_step;
    SourceReader m_sources;
    std::string m_name;
    std::shared_ptr<const MapReader> m_reader;
};

void BodyReader::read()
{
    refuseForeignKeys();
    readForEach();
    if (const YamlEntry* entry = m_reader->find("when"))
        if (auto condition = m_sources.readCondition(*entry->value)) step().when = std::move(*condition);
    if (isApi()) {
        readPrompt();
        readSystem();
        readRequest();
    } else {
        readInputs();
        readParams();
    }
    readNeeds();
}

void BodyReader::refuseForeignKeys()
{
    constexpr std::array<std::string_view, 4> kApiOnly{"prompt", "system", "schema", "request"};
    constexpr std::array<std::string_view, 2> kLocalOnly{"inputs", "params"};
    const auto refuse = [this](std::string_view key, const std::string& hint) {
        if (const YamlEntry* entry = m_reader->find(key))
            problems().add(entry->place, "\"" + std::string(key) + "\" cannot stand in " + m_name + ": " + hint);
    };
    if (isApi())
        for (const auto key : kLocalOnly) refuse(key, "an api step has prompt, system, schema and request");
    else
        for (const auto key : kApiOnly) refuse(key, "only an api step has it; this one has inputs and params");
}

void BodyReader::readForEach()
{
    const YamlEntry* entry = m_reader->find("for_each");
    if (entry == nullptr) return;
    draft().fansOut = false; // $each means nothing in for_each itself
    auto read = m_sources.read(*entry->value);
    draft().fansOut = true;
    if (!read) return;
    const PortType type = read->source.type;
    const bool many =
        type == PortType::List || type == PortType::Json || type == PortType::Vector || type == PortType::Any;
    if (!many || std::holds_alternative<Template>(read->source.from)) {
        problems().add(read->place, "for_each needs a list, not a value of type " + std::string(name(type)),
                       type == PortType::Boxes ? "write " + entry->value->text + ".boxes" : "");
        return;
    }
    if (type == PortType::List)
        draft().element = read->element;
    else if (type == PortType::Vector)
        draft().element = PortType::Number;
    else
        draft().element = type == PortType::Json ? PortType::Json : PortType::Any;
    step().forEach = std::move(read->source);
}

void BodyReader::readInputs()
{
    const YamlEntry* entry = m_reader->find("inputs");
    if (entry != nullptr) {
        const MapReader inputs(*entry->value, "\"inputs\" of " + m_name, {}, problems());
        for (const YamlEntry* input : inputs.entries()) readInput(*input);
    }
    requireInputs(entry);
}

void BodyReader::readInput(const YamlEntry& entry)
{
    const Signature* signature = step().signature;
    const Port* port = signature == nullptr ? nullptr : signature->input(entry.key);
    if (signature != nullptr && port == nullptr)
        problems().add(entry.place, step().target + " has no input \"" + entry.key + "\"" +
                                        suggestion(entry.key, namesOf(signature->inputs)));
    auto read = m_sources.read(*entry.value);
    if (!read) return;
    if (port != nullptr)
        connect(*port, std::move(*read));
    else
        step().inputs.emplace_back(entry.key, std::move(read->source));
}

void BodyReader::connect(const Port& port, ReadSource read)
{
    if (port.type == PortType::Image && read.source.type == PortType::File) {
        auto image = decode(m_all, m_step, read);
        if (!image) return;
        read = std::move(*image);
    }
    const bool nothing = std::holds_alternative<Constant>(read.source.from) && read.source.type == PortType::Any;
    if (!accepts(port.type, read.source.type) || nothing) {
        const std::string given = nothing ? "nothing" : typeText(read.source.type, read.element);
        problems().add(read.place,
                       "input \"" + port.name + "\" of " + m_name + " takes " + typeText(port.type, {}) +
                           ", but this is " + given,
                       read.source.type == PortType::List ? "fan out with for_each and use $each" : "");
        return;
    }
    step().inputs.emplace_back(port.name, std::move(read.source));
}

void BodyReader::requireInputs(const YamlEntry* inputs)
{
    if (step().signature == nullptr) return;
    const auto given = [&](const std::string& key) {
        return inputs != nullptr &&
               std::ranges::find(inputs->value->entries, key, &YamlEntry::key) != inputs->value->entries.end();
    };
    for (const Port& port : step().signature->inputs)
        if (port.required && !given(port.name))
            problems().add(inputs != nullptr ? inputs->place : draft().place,
                           m_name + " misses the input \"" + port.name + "\" (" + std::string(name(port.type)) +
                               ") of " + step().target);
}

std::optional<Json> BodyReader::paramValue(const YamlNode& node)
{
    auto read = m_sources.read(node);
    if (!read) return std::nullopt;
    if (const auto* constant = std::get_if<Constant>(&read->source.from)) return *constant->value;
    if (const auto* param = std::get_if<ParamValue>(&read->source.from)) return (*m_all.pipeline.params)[param->name];
    const bool nested = node.kind == YamlNode::Kind::Map || node.kind == YamlNode::Kind::List;
    if (!nested) {
        problems().add(node.place, "params take fixed values and $params.NAME, not " + describeYaml(node),
                       "what differs from item to item goes through inputs");
        return std::nullopt;
    }
    Json value = node.kind == YamlNode::Kind::Map ? Json::object() : Json::array();
    for (const YamlEntry& entry : node.entries)
        if (auto part = paramValue(*entry.value)) value[entry.key] = std::move(*part);
    for (const YamlPtr& element : node.elements)
        if (auto part = paramValue(*element)) value.push_back(std::move(*part));
    return value;
}

void BodyReader::readParam(const YamlEntry& entry, Json& params)
{
    const Signature* signature = step().signature;
    const Parameter* param = signature == nullptr ? nullptr : signature->param(entry.key);
    if (signature != nullptr && param == nullptr) {
        problems().add(entry.place, step().target + " has no parameter \"" + entry.key + "\"" +
                                        suggestion(entry.key, namesOf(signature->params)));
        return;
    }
    auto value = paramValue(*entry.value);
    if (!value) return;
    const bool any = param == nullptr || param->type == PortType::Any || param->type == PortType::Json;
    if (!any && typeOf(*value) != param->type) {
        problems().add(entry.value->place, "parameter \"" + entry.key + "\" of " + m_name + " takes a " +
                                               std::string(name(param->type)) + ", not " + dumpJson(*value));
        return;
    }
    params[entry.key] = std::move(*value);
}

void BodyReader::readParams()
{
    Json params = Json::object();
    const YamlEntry* entry = m_reader->find("params");
    const Signature* signature = step().signature;
    std::vector<std::string> given;
    if (entry != nullptr) {
        const MapReader reader(*entry->value, "\"params\" of " + m_name, {}, problems());
        for (const YamlEntry* param : reader.entries()) {
            readParam(*param, params);
            given.push_back(param->key);
        }
    }
    for (const Parameter& param : signature == nullptr ? std::vector<Parameter>{} : signature->params) {
        if (std::ranges::find(given, param.name) != given.end()) continue;
        if (param.defaultValue)
            params[param.name] = *param.defaultValue;
        else
            problems().add(entry != nullptr ? entry->place : draft().place,
                           m_name + " misses the parameter \"" + param.name + "\" (" + std::string(name(param.type)) +
                               ") of " + step().target);
    }
    step().params = std::make_shared<const Json>(std::move(params));
}

// The text itself, or the text of the .mustache file that it names. Empty after a mistake.
std::string BodyReader::textOrFile(const YamlEntry& entry, std::string& file)
{
    const std::string text = m_reader->text(entry.key);
    if (!text.ends_with(".mustache") || text.find('\n') != std::string::npos || looksLikeTemplate(text)) return text;
    file = text;
    auto content = readBeside(m_all, text, entry.key, entry.value->place);
    if (content && !isValidUtf8(*content)) {
        problems().add(entry.value->place, entry.key + " file \"" + text + "\" is not UTF-8 text");
        return {};
    }
    return content.value_or("");
}

void BodyReader::readPrompt()
{
    const YamlEntry* entry = m_reader->find("prompt");
    const YamlEntry* request = m_reader->find("request");
    if (entry == nullptr) {
        if (request == nullptr) problems().add(draft().place, m_name + " needs a prompt or a request");
        return;
    }
    const std::size_t before = problems().count();
    step().prompt = textOrFile(*entry, step().promptFile);
    if (problems().count() != before) return;
    const YamlPlace place = entry->value->place;
    step().promptTemplate = m_sources.readTemplate(step().prompt, place, step().promptFile);
}

void BodyReader::readSystem()
{
    const YamlEntry* entry = m_reader->find("system");
    if (entry == nullptr) return;
    std::string file;
    const std::size_t before = problems().count();
    const std::string text = textOrFile(*entry, file);
    if (problems().count() != before) return;
    if (auto compiled = m_sources.readTemplate(text, entry->value->place, file))
        step().inputs.emplace_back(
            "system", Source{Template{text, std::move(compiled)}, PortType::Text, entry->value->place.line});
}

void BodyReader::readRequest()
{
    const YamlEntry* entry = m_reader->find("request");
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"request\" of " + m_name, {}, problems());
    for (const YamlEntry* field : reader.entries()) {
        for (const std::string_view key : {"prompt", "system", "schema"})
            if (field->key == key && m_reader->find(key) != nullptr)
                problems().add(field->place,
                               "\"" + field->key + "\" stands in " + m_name + " and in its request; keep one");
        if (auto read = m_sources.read(*field->value)) step().inputs.emplace_back(field->key, std::move(read->source));
    }
}

void BodyReader::readNeeds()
{
    const YamlEntry* entry = m_reader->find("needs");
    if (entry == nullptr) return;
    const auto names = m_reader->texts("needs");
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool list = entry->value->kind == YamlNode::Kind::List;
        const YamlPlace place = list ? entry->value->elements[i]->place : entry->value->place;
        const auto found = m_all.byName.find(names[i]);
        if (found == m_all.byName.end())
            problems().unknown(place, "step", names[i], m_all.stepNames());
        else
            draft().uses.push_back({found->second, place});
    }
}

} // namespace

void readStepBodies(Draft& draft)
{
    const int written = static_cast<int>(draft.steps.size());
    for (int i = 0; i < written; ++i)
        if (const auto& reader = draft.steps[static_cast<std::size_t>(i)].reader; reader && reader->isMap())
            BodyReader(draft, i).read();
}

} // namespace aiflow
