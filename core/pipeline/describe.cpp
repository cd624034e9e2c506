#include "core/pipeline/describe.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace {

template <typename... Fs> struct Overload : Fs... {
    using Fs::operator()...;
};
template <typename... Fs> Overload(Fs...) -> Overload<Fs...>;

std::string inLanguage(const LocalText& text, Language language)
{
    return language == Language::Chinese && !text.zh.empty() ? text.zh : text.en;
}

std::string_view kindWord(StepKind kind)
{
    switch (kind) {
    case StepKind::Api:
        return "api";
    case StepKind::Model:
        return "model";
    case StepKind::Op:
        break;
    }
    return "op";
}

std::string_view columnWord(ColumnType type)
{
    switch (type) {
    case ColumnType::Text:
        return "text";
    case ColumnType::Number:
        return "number";
    case ColumnType::Integer:
        return "integer";
    case ColumnType::Boolean:
        return "boolean";
    case ColumnType::Image:
        return "image";
    case ColumnType::File:
        break;
    }
    return "file";
}

std::string path(const std::vector<std::string>& parts) { return parts.empty() ? "" : "." + join(parts, "."); }

std::string numberText(double value) { return dumpJson(Json(value)); }

std::string columnNotes(const Column& column, bool zh)
{
    std::vector<std::string> notes{std::string(columnWord(column.type))};
    if (column.required) notes.emplace_back(zh ? "必填" : "required");
    if (column.minimum) notes.push_back((zh ? "最小 " : "min ") + numberText(*column.minimum));
    if (column.maximum) notes.push_back((zh ? "最大 " : "max ") + numberText(*column.maximum));
    if (!column.oneOf.empty()) notes.push_back((zh ? "取值 " : "one of ") + join(column.oneOf, "|"));
    if (column.defaultValue) notes.push_back((zh ? "默认 " : "default ") + dumpJson(*column.defaultValue));
    if (!column.aliases.empty()) notes.push_back((zh ? "别名 " : "also ") + join(column.aliases, "|"));
    return join(notes, ", ");
}

std::string stepNotes(const Step& step, const Pipeline& pipeline, bool zh)
{
    std::vector<std::string> notes;
    if (step.automatic) notes.emplace_back(zh ? "自动加入" : "put in by itself");
    if (step.forEach) notes.push_back("for_each " + sourceText(*step.forEach, pipeline));
    if (step.when) notes.push_back("when " + step.when->text);
    if (step.optional) notes.emplace_back("optional");
    if (step.keep) notes.emplace_back("keep");
    if (!step.cache) notes.emplace_back("cache off");
    if (step.timeout) notes.push_back("timeout " + std::to_string(step.timeout->count()) + "ms");
    return join(notes, ", ");
}

std::string stepText(const Step& step, const Pipeline& pipeline, Language language)
{
    const bool zh = language == Language::Chinese;
    const std::string title = inLanguage(step.title, language);
    std::string text = "  " + padToWidth(step.name, 20) + "  " + std::string(kindWord(step.kind)) + " " + step.target;
    if (!title.empty()) text += "  " + title;
    text += '\n';
    if (const std::string notes = stepNotes(step, pipeline, zh); !notes.empty()) text += "      " + notes + '\n';
    if (!step.promptFile.empty()) text += "      prompt: " + step.promptFile + '\n';
    for (const auto& [port, source] : step.inputs)
        text += "      " + port + ": " + cutToWidth(escapeControl(sourceText(source, pipeline)), 80) + '\n';
    if (step.params && !step.params->empty()) text += "      params: " + dumpJson(*step.params) + '\n';
    return text;
}

// Text inside a quoted label; both formats take HTML's entity for a quote.
std::string label(const Step& step, Language language, std::string_view lineBreak)
{
    const std::string title = inLanguage(step.title, language);
    const std::string whole = (title.empty() ? step.name : title) + std::string(lineBreak) +
                              std::string(kindWord(step.kind)) + " " + step.target;
    std::string safe;
    for (const char c : whole) safe += c == '"' ? std::string("&quot;") : std::string(1, c);
    return safe;
}

std::string nodeId(StepIndex step) { return "s" + std::to_string(step.value()); }

StepIndex indexAt(std::size_t position) { return StepIndex(static_cast<std::int32_t>(position)); }

bool isFan(const Pipeline& pipeline, StepIndex from, const Step& to)
{
    const auto* output = to.forEach ? std::get_if<StepOutput>(&to.forEach->from) : nullptr;
    return output != nullptr && output->step == from && !pipeline.steps.empty();
}

} // namespace

std::string sourceText(const Source& source, const Pipeline& pipeline)
{
    return std::visit(Overload{
                          [](const Constant& from) {
                              return from.value->is_string() ? from.value->get<std::string>() : dumpJson(*from.value);
                          },
                          [](const ItemField& from) { return "$item." + from.column; },
                          [&](const StepOutput& from) {
                              return "$" + pipeline.at(from.step).name + "." + from.port + path(from.path);
                          },
                          [](const ParamValue& from) { return "$params." + from.name; },
                          [](const EachElement& from) { return "$each" + path(from.path); },
                          [](const EachIndex&) { return std::string("$each_index"); },
                          [](const Template& from) { return from.mustache; },
                          [&](const ObjectOf& from) {
                              std::vector<std::string> fields;
                              for (const auto& [key, field] : from.fields)
                                  fields.push_back(key + ": " + sourceText(*field, pipeline));
                              return "{ " + join(fields, ", ") + " }";
                          },
                          [&](const ArrayOf& from) {
                              std::vector<std::string> elements;
                              for (const auto& element : from.elements)
                                  elements.push_back(sourceText(*element, pipeline));
                              return "[" + join(elements, ", ") + "]";
                          },
                      },
                      source.from);
}

std::string describePipeline(const Pipeline& pipeline, Language language)
{
    const bool zh = language == Language::Chinese;
    std::string text = pipeline.name;
    if (const auto title = inLanguage(pipeline.title, language); !title.empty()) text += "  " + title;
    text += '\n';
    if (const auto long_ = inLanguage(pipeline.description, language); !long_.empty()) text += long_ + '\n';
    text += zh ? "\n输入列\n" : "\nInput columns\n";
    for (const Column& column : pipeline.input.columns) {
        const bool isId = column.name == pipeline.input.idColumn;
        text += "  " + padToWidth(column.name, 20) + "  " + columnNotes(column, zh);
        text += isId ? (zh ? "（编号）\n" : " (id)\n") : "\n";
    }
    if (!pipeline.params->empty()) text += zh ? "\n参数（--set 名称=值）\n" : "\nParameters (--set NAME=VALUE)\n";
    for (const auto& param : pipeline.params->items())
        text += "  " + padToWidth(param.key(), 20) + "  " + dumpJson(param.value()) + '\n';
    text += zh ? "\n步骤\n" : "\nSteps\n";
    for (const Step& step : pipeline.steps) text += stepText(step, pipeline, language);
    if (!pipeline.outputs.empty()) text += zh ? "\n输出\n" : "\nOutputs\n";
    for (const Output& output : pipeline.outputs)
        text += "  " + output.nameTemplate + " <- $" + pipeline.at(output.step).name + "." + output.port +
                path(output.path) + '\n';
    for (const std::string& warning : pipeline.warnings) text += (zh ? "\n注意：" : "\nNote: ") + warning + '\n';
    return text;
}

std::string toMermaid(const Pipeline& pipeline, Language language)
{
    std::string text = "flowchart LR\n";
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        const bool round = step.kind == StepKind::Api;
        text += "    " + nodeId(indexAt(i)) + (round ? "([\"" : "[\"") + label(step, language, "<br/>") +
                (round ? "\"])\n" : "\"]\n");
    }
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i)
        for (const StepIndex from : pipeline.steps[i].dependsOn)
            text += "    " + nodeId(from) + (pipeline.at(from).optional ? " -.->" : " -->") +
                    (isFan(pipeline, from, pipeline.steps[i]) ? "|for each| " : " ") + nodeId(indexAt(i)) + '\n';
    return text;
}

std::string toDot(const Pipeline& pipeline, Language language)
{
    std::string text = "digraph pipeline {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n";
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i)
        text += "    " + nodeId(indexAt(i)) + " [label=\"" + label(pipeline.steps[i], language, "\\n") + "\"];\n";
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i)
        for (const StepIndex from : pipeline.steps[i].dependsOn) {
            std::vector<std::string> notes;
            if (pipeline.at(from).optional) notes.emplace_back("style=dashed");
            if (isFan(pipeline, from, pipeline.steps[i])) notes.emplace_back("label=\"for each\"");
            text += "    " + nodeId(from) + " -> " + nodeId(indexAt(i));
            text += notes.empty() ? ";\n" : " [" + join(notes, ", ") + "];\n";
        }
    return text + "}\n";
}

std::string drawGraph(const Pipeline& pipeline, Language language)
{
    std::vector<std::size_t> depth(pipeline.steps.size());
    std::string text;
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        std::vector<std::string> from;
        for (const StepIndex used : step.dependsOn) {
            depth[i] = std::max(depth[i], depth[static_cast<std::size_t>(used.value())] + 1);
            from.push_back(pipeline.at(used).name);
        }
        const std::string title = inLanguage(step.title, language);
        text += std::string(2 * depth[i], ' ') + (depth[i] == 0 ? "" : "└ ") + step.name;
        text +=
            " (" + std::string(kindWord(step.kind)) + " " + step.target + (title.empty() ? ")" : ", " + title + ")");
        if (step.forEach) text += " ×n";
        if (step.optional || step.when) text += " ?";
        if (!from.empty()) text += "  ← " + join(from, ", ");
        text += '\n';
    }
    return text;
}

} // namespace aiflow
