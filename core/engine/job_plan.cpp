#include "core/engine/job_plan.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

bool isRequired(const Step& step, const std::string& port)
{
    if (step.signature == nullptr) return true; // a request's field
    const Port* known = step.signature->input(port);
    return known == nullptr || known->required;
}

std::vector<StepIndex> neededSteps(const Step& step)
{
    std::vector<StepIndex> needs;
    const auto add = [&needs](const Source& source) {
        if (const auto* output = std::get_if<StepOutput>(&source.from)) needs.push_back(output->step);
    };
    for (const auto& [port, source] : step.inputs)
        if (isRequired(step, port)) add(source);
    if (step.forEach) add(*step.forEach);
    std::ranges::sort(needs);
    needs.erase(std::ranges::unique(needs).begin(), needs.end());
    return needs;
}

StepPlan planStep(const Step& step, std::size_t position, std::size_t count)
{
    StepPlan plan;
    plan.stepFromEnd = static_cast<std::int32_t>(count - 1 - position);
    plan.keepsAll = step.kind != StepKind::Op || step.keep;
    plan.needs = neededSteps(step);
    plan.params = step.params ? step.params : std::make_shared<const Json>(Json::object());
    return plan;
}

} // namespace

bool StepPlan::keeps(std::string_view port) const noexcept
{
    return keepsAll || std::ranges::find(kept, port) != kept.end();
}

GraphPlan::GraphPlan(const Pipeline& pipeline)
{
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        steps.push_back(planStep(step, i, pipeline.steps.size()));
        for (const StepIndex before : step.dependsOn) {
            const auto index = static_cast<std::size_t>(before.value());
            const std::int32_t calls = steps[index].callsBefore + (pipeline.steps[index].kind == StepKind::Api ? 1 : 0);
            steps.back().callsBefore = std::max(steps.back().callsBefore, calls);
        }
        recordsItems = recordsItems && step.cache;
        callsRemote = callsRemote || step.kind == StepKind::Api;
        callsModels = callsModels || step.kind == StepKind::Model;
    }
    for (const Output& output : pipeline.outputs) {
        StepPlan& plan = steps[static_cast<std::size_t>(output.step.value())];
        if (!plan.keeps(output.port)) plan.kept.push_back(output.port);
    }
    for (const Column& column : pipeline.input.columns)
        columns.push_back({column.name, column.type == ColumnType::Image || column.type == ColumnType::File});
    const bool hasId = isFile(pipeline.input.idColumn) ||
                       std::ranges::find(columns, pipeline.input.idColumn, &PlannedColumn::name) != columns.end();
    if (!hasId && !pipeline.input.idColumn.empty()) columns.push_back({pipeline.input.idColumn, false});
}

bool GraphPlan::isFile(std::string_view column) const noexcept
{
    const auto found = std::ranges::find(columns, column, &PlannedColumn::name);
    return found != columns.end() && found->file;
}

} // namespace aiflow
