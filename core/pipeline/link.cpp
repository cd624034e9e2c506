#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/draft.h"
#include "core/pipeline/template.h"

#include <algorithm>
#include <set>

namespace aiflow {

namespace {

template <typename... Fs> struct Overload : Fs... {
    using Fs::operator()...;
};
template <typename... Fs> Overload(Fs...) -> Overload<Fs...>;

// Where a file comes from, as a key that is the same for the same file.
struct FileOrigin {
    Source source; // a copy: steps are appended while it is used
    std::string key;
    std::string wish; // for the step's name
    std::string text; // as written
};

std::optional<FileOrigin> originOf(const Draft& draft, const Source& source)
{
    if (const auto* field = std::get_if<ItemField>(&source.from))
        return FileOrigin{source, "item." + field->column, field->column, "$item." + field->column};
    const auto* output = std::get_if<StepOutput>(&source.from);
    if (output == nullptr) return std::nullopt;
    const std::string step = draft.name(output->step.value());
    return FileOrigin{source, "step " + step + "." + output->port, step, "$" + step + "." + output->port};
}

Json defaultsOf(const Signature& signature)
{
    Json params = Json::object();
    for (const Parameter& param : signature.params)
        if (param.defaultValue) params[param.name] = *param.defaultValue;
    return params;
}

// An empty cell, or an optional step that gave nothing, is no mistake: the picture is empty too.
std::optional<Condition> loadCondition(const Draft& draft, const FileOrigin& origin)
{
    const auto* field = std::get_if<ItemField>(&origin.source.from);
    const Column* column = field != nullptr ? draft.column(field->column) : nullptr;
    if (column != nullptr && column->required) return std::nullopt;
    Condition present;
    present.operands.push_back(origin.source);
    present.text = origin.text;
    return present;
}

std::optional<int> loadStep(Draft& draft, const FileOrigin& origin, const ReadSource& read, bool each)
{
    if (const auto known = draft.loads.find(origin.key); known != draft.loads.end()) return known->second.step;
    const Signature* load = draft.catalog.findOp("image.load");
    if (load == nullptr || load->input("file") == nullptr || load->output("image") == nullptr) {
        draft.problems.add(read.place, "a file must be decoded here, but there is no op \"image.load\"",
                           "install the vision module");
        return std::nullopt;
    }
    DraftStep made;
    made.step.target = load->name;
    made.step.signature = load;
    made.step.automatic = true;
    made.step.title = {"Read the picture", "读取图片"};
    made.step.line = read.place.line;
    made.step.mainOutput = "image";
    made.step.params = std::make_shared<const Json>(defaultsOf(*load));
    made.step.inputs.emplace_back("file", read.source);
    if (each) made.step.forEach = origin.source;
    made.step.when = loadCondition(draft, origin);
    made.place = read.place;
    made.fansOut = each;
    if (const auto* output = std::get_if<StepOutput>(&origin.source.from))
        made.uses.push_back({output->step.value(), read.place});
    const int index = static_cast<int>(draft.steps.size());
    draft.steps.push_back(std::move(made));
    draft.loads.emplace(origin.key, Draft::Load{origin.wish, index});
    return index;
}

// The step needs the picture now, no longer the file that it is made from.
void dropUse(DraftStep& user, const Source& origin)
{
    const auto* output = std::get_if<StepOutput>(&origin.from);
    if (output == nullptr) return;
    const auto same = [&](const DraftStep::Use& use) {
        return use.step == output->step.value() && use.place.line == origin.line;
    };
    const auto use = std::ranges::find_if(user.uses, same);
    if (use != user.uses.end()) user.uses.erase(use);
}

bool takesElementAsFile(const Step& step)
{
    return std::ranges::any_of(step.inputs, [](const auto& input) {
        return std::holds_alternative<EachElement>(input.second.from) && input.second.type == PortType::File;
    });
}

void nameLoads(Draft& draft)
{
    const auto taken = [&](const std::string& name) { return draft.byName.contains(name); };
    for (const auto& [key, load] : draft.loads) {
        std::string name = draft.loads.size() == 1 && !taken("load") ? "load" : "load_" + load.wish;
        while (taken(name)) name += "_";
        draft.steps[static_cast<std::size_t>(load.step)].step.name = name;
        draft.byName.emplace(name, load.step);
    }
}

std::vector<std::set<int>> needsOf(const Draft& draft)
{
    std::vector<std::set<int>> needs(draft.steps.size());
    for (std::size_t i = 0; i < draft.steps.size(); ++i)
        for (const DraftStep::Use& use : draft.steps[i].uses) needs[i].insert(use.step);
    return needs;
}

// The steps that are ready go first in file order; decoding goes before everything that was written.
std::vector<int> orderOf(const Draft& draft, const std::vector<std::set<int>>& needs)
{
    std::vector<std::size_t> open(needs.size());
    std::vector<std::vector<int>> users(needs.size());
    std::set<std::pair<bool, int>> ready;
    const auto rank = [&](int step) {
        return std::pair(draft.steps[static_cast<std::size_t>(step)].node != nullptr, step);
    };
    for (std::size_t i = 0; i < needs.size(); ++i) {
        open[i] = needs[i].size();
        for (const int used : needs[i]) users[static_cast<std::size_t>(used)].push_back(static_cast<int>(i));
        if (open[i] == 0) ready.insert(rank(static_cast<int>(i)));
    }
    std::vector<int> order;
    while (!ready.empty()) {
        const int next = ready.begin()->second;
        ready.erase(ready.begin());
        order.push_back(next);
        for (const int user : users[static_cast<std::size_t>(next)])
            if (--open[static_cast<std::size_t>(user)] == 0) ready.insert(rank(user));
    }
    return order;
}

void reportCycle(Draft& draft, const std::vector<std::set<int>>& needs, const std::vector<int>& order)
{
    std::vector<bool> done(needs.size());
    for (const int step : order) done[static_cast<std::size_t>(step)] = true;
    int step = 0;
    while (done[static_cast<std::size_t>(step)]) ++step;
    // Each step that is left needs another that is left: following them must come round.
    std::vector<int> path;
    while (std::ranges::find(path, step) == path.end()) {
        path.push_back(step);
        const auto& used = needs[static_cast<std::size_t>(step)];
        step = *std::ranges::find_if(used, [&](int other) { return !done[static_cast<std::size_t>(other)]; });
    }
    path.erase(path.begin(), std::ranges::find(path, step));
    std::rotate(path.begin(), std::ranges::min_element(path), path.end());
    path.push_back(path.front());
    std::vector<std::string> names;
    for (const int part : path) names.push_back(draft.name(part));
    const DraftStep& first = draft.steps[static_cast<std::size_t>(path.front())];
    const auto use = std::ranges::find(first.uses, path[1], &DraftStep::Use::step);
    draft.problems.add(use->place, "steps need each other in a circle: " + join(names, " -> "));
}

StepIndex moved(StepIndex step, const std::vector<int>& positions)
{
    return StepIndex(positions[static_cast<std::size_t>(step.value())]);
}

void renumber(Source& source, const std::vector<int>& positions)
{
    const auto copy = [&](const std::shared_ptr<const Source>& part) {
        Source changed = *part;
        renumber(changed, positions);
        return std::make_shared<const Source>(std::move(changed));
    };
    std::visit(Overload{
                   [&](StepOutput& output) { output.step = moved(output.step, positions); },
                   [&](ObjectOf& object) {
                       for (auto& [key, field] : object.fields) field = copy(field);
                   },
                   [&](ArrayOf& array) {
                       for (auto& element : array.elements) element = copy(element);
                   },
                   [](auto&) {},
               },
               source.from);
}

void renumber(Condition& condition, const std::vector<int>& positions)
{
    for (Source& operand : condition.operands) renumber(operand, positions);
    for (Condition& part : condition.conditions) renumber(part, positions);
}

void renumber(Step& step, const std::vector<int>& positions)
{
    for (auto& [port, source] : step.inputs) renumber(source, positions);
    if (step.forEach) renumber(*step.forEach, positions);
    if (step.when) renumber(*step.when, positions);
}

void fill(Draft& draft, const std::vector<std::set<int>>& needs, const std::vector<int>& order)
{
    std::vector<int> positions(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) positions[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    auto& steps = draft.pipeline.steps;
    for (const int from : order) {
        Step step = std::move(draft.steps[static_cast<std::size_t>(from)].step);
        renumber(step, positions);
        for (const int used : needs[static_cast<std::size_t>(from)])
            step.dependsOn.push_back(moved(StepIndex(used), positions));
        std::ranges::sort(step.dependsOn);
        for (const StepIndex used : step.dependsOn)
            steps[static_cast<std::size_t>(used.value())].usedBy.emplace_back(static_cast<std::int32_t>(steps.size()));
        steps.push_back(std::move(step));
    }
    for (Output& output : draft.pipeline.outputs) output.step = moved(output.step, positions);
}

void warn(Pipeline& pipeline)
{
    for (const Step& step : pipeline.steps) {
        const auto index = StepIndex(static_cast<std::int32_t>(&step - pipeline.steps.data()));
        const bool shown = std::ranges::any_of(pipeline.outputs, [&](const Output& out) { return out.step == index; });
        if (step.usedBy.empty() && !shown && !step.keep && !pipeline.outputs.empty())
            pipeline.warnings.push_back("line " + std::to_string(step.line) + ": nothing uses the result of step \"" +
                                        step.name + "\"");
    }
    if (pipeline.outputs.empty()) pipeline.warnings.emplace_back("the pipeline has no outputs: it writes no files");
}

// ---- content hashes

std::string shapeOf(const Source& source, const Pipeline& pipeline);

// An automatic step is known by what it decodes: its name may change when another column is decoded too.
std::string shapeOf(StepIndex index, const Pipeline& pipeline)
{
    const Step& step = pipeline.at(index);
    if (!step.automatic) return "step " + step.name;
    const Source& origin = step.forEach ? *step.forEach : step.inputs.front().second;
    return "decoded " + shapeOf(origin, pipeline);
}

std::string quoted(const std::string& text) { return dumpJson(Json(text)); }

std::string shapeOf(const Source& source, const Pipeline& pipeline)
{
    return std::visit(Overload{
                          [](const Constant& from) { return "constant " + dumpJson(*from.value); },
                          [](const ItemField& from) { return "item " + quoted(from.column); },
                          [&](const StepOutput& from) {
                              return shapeOf(from.step, pipeline) + " " + quoted(from.port) + " " +
                                     dumpJson(Json(from.path));
                          },
                          [&](const ParamValue& from) { return "constant " + dumpJson((*pipeline.params)[from.name]); },
                          [](const EachElement& from) { return "each " + dumpJson(Json(from.path)); },
                          [](const EachIndex&) { return std::string("each_index"); },
                          [](const Template& from) { return "template " + quoted(from.mustache); },
                          [&](const ObjectOf& from) {
                              std::map<std::string, std::string> fields;
                              for (const auto& [key, field] : from.fields) fields[key] = shapeOf(*field, pipeline);
                              return "object " + dumpJson(Json(fields));
                          },
                          [&](const ArrayOf& from) {
                              std::vector<std::string> elements;
                              for (const auto& element : from.elements) elements.push_back(shapeOf(*element, pipeline));
                              return "array " + dumpJson(Json(elements));
                          },
                      },
                      source.from);
}

void addParams(const CompiledTemplate& text, std::set<std::string>& names)
{
    for (const CompiledTemplate::Variable& variable : text.variables())
        if (variable.path.size() > 1 && variable.path.front() == "params") names.insert(variable.path[1]);
}

void addParams(const Source& source, std::set<std::string>& names)
{
    if (const auto* text = std::get_if<Template>(&source.from)) addParams(*text->compiled, names);
    if (const auto* object = std::get_if<ObjectOf>(&source.from))
        for (const auto& [key, field] : object->fields) addParams(*field, names);
    if (const auto* array = std::get_if<ArrayOf>(&source.from))
        for (const auto& element : array->elements) addParams(*element, names);
}

// Parameters that its templates name.
std::set<std::string> paramsOf(const Step& step)
{
    std::set<std::string> names;
    if (step.promptTemplate) addParams(*step.promptTemplate, names);
    for (const auto& [port, source] : step.inputs) addParams(source, names);
    return names;
}

ContentHash hashStep(const Step& step, const Pipeline& pipeline, const StepCatalog& catalog)
{
    Hasher hasher;
    hasher.addField("step 1").addNumber(static_cast<int>(step.kind)).addField(step.target);
    hasher.addField(step.signature != nullptr ? step.signature->version : catalog.routeIdentity(step.target));
    hasher.addField(step.params ? dumpJson(*step.params) : "").addField(step.prompt);
    hasher.addField(step.schema ? dumpJson(*step.schema) : "");
    std::map<std::string, std::string> inputs;
    for (const auto& [port, source] : step.inputs) inputs[port] = shapeOf(source, pipeline);
    hasher.addField(dumpJson(Json(inputs)));
    hasher.addField(step.forEach ? shapeOf(*step.forEach, pipeline) : "");
    for (const std::string& param : paramsOf(step))
        if (const auto value = pipeline.params->find(param); value != pipeline.params->end())
            hasher.addField(param).addField(dumpJson(*value));
    return hasher.finish();
}

std::string conditionText(const Condition& condition, const Pipeline& pipeline)
{
    std::string text = std::to_string(static_cast<int>(condition.kind)) + "(";
    for (const Source& operand : condition.operands) text += quoted(shapeOf(operand, pipeline));
    for (const Condition& part : condition.conditions) text += conditionText(part, pipeline);
    return text + ")";
}

} // namespace

std::optional<ReadSource> decode(Draft& draft, int step, const ReadSource& read)
{
    const auto user = [&]() -> DraftStep& { return draft.steps[static_cast<std::size_t>(step)]; };
    const bool each = std::holds_alternative<EachElement>(read.source.from);
    const auto origin = originOf(draft, each ? *user().step.forEach : read.source);
    if (!origin || (each && takesElementAsFile(user().step))) {
        draft.problems.add(read.place, origin ? "$each is taken as a file and as an image in one step"
                                              : "only a column's or a step's file can be decoded");
        return std::nullopt;
    }
    const auto index = loadStep(draft, *origin, read, each);
    if (!index) return std::nullopt;
    dropUse(user(), origin->source);
    user().uses.push_back({*index, read.place});
    const StepOutput image{StepIndex(*index), "image", {}};
    if (!each) return ReadSource{{image, PortType::Image, read.place.line}, {}, read.place};
    user().step.forEach = Source{image, PortType::List, read.place.line};
    user().element = PortType::Image;
    return ReadSource{{EachElement{}, PortType::Image, read.place.line}, {}, read.place};
}

void hashPipeline(Pipeline& pipeline, const StepCatalog& catalog)
{
    Hasher whole;
    whole.addField("pipeline 1").addField(pipeline.name).addField(pipeline.input.idColumn);
    for (const Column& column : pipeline.input.columns)
        whole.addField(column.name)
            .addNumber(static_cast<int>(column.type))
            .addField(column.defaultValue ? dumpJson(*column.defaultValue) : "");
    for (Step& step : pipeline.steps) {
        step.contentHash = hashStep(step, pipeline, catalog);
        whole.addField(step.name).addField(step.contentHash).addNumber(step.optional ? 1 : 0);
        whole.addField(step.when ? conditionText(*step.when, pipeline) : "");
        for (const StepIndex used : step.dependsOn) whole.addNumber(used.value());
    }
    for (const Output& output : pipeline.outputs)
        whole.addField(output.nameTemplate)
            .addNumber(output.step.value())
            .addField(output.port)
            .addField(dumpJson(Json(output.path)));
    pipeline.contentHash = whole.finish();
}

void link(Draft& draft)
{
    nameLoads(draft);
    const auto needs = needsOf(draft);
    const auto order = orderOf(draft, needs);
    if (order.size() != needs.size()) reportCycle(draft, needs, order);
    if (!draft.problems.none()) return;
    fill(draft, needs, order);
    warn(draft.pipeline);
    hashPipeline(draft.pipeline, draft.catalog);
}

const Step* Pipeline::find(std::string_view stepName) const noexcept
{
    const auto found = std::ranges::find(steps, stepName, &Step::name);
    return found == steps.end() ? nullptr : &*found;
}

} // namespace aiflow
