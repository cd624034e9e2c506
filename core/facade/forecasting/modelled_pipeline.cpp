#include "core/facade/forecasting/modelled_pipeline.h"

#include "core/api/lane/route_identity.h"
#include "core/api/settings/usual_latency.h"
#include "core/base/json.h"

#include <algorithm>
#include <thread>

namespace aiflow {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kOnDevice = 500ms;
constexpr std::chrono::nanoseconds kOp = 1s;
constexpr std::chrono::nanoseconds kStandIn = 10ms;
constexpr std::int64_t kFewestTokens = 200; // of a request: the prompt's text is filled with what the item says
constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kUsualAnswer = 400; // tokens
constexpr std::size_t kMostFanOut = 1'000;

std::size_t elementsOf(const Step& step, const Pipeline& pipeline)
{
    if (!step.forEach) return 1;
    std::size_t count = 1;
    if (const auto* constant = std::get_if<Constant>(&step.forEach->from)) {
        if (constant->value && constant->value->is_array()) count = constant->value->size();
    } else if (const auto* list = std::get_if<ArrayOf>(&step.forEach->from)) {
        count = list->elements.size();
    } else if (const auto* param = std::get_if<ParamValue>(&step.forEach->from)) {
        const bool known = pipeline.params && pipeline.params->is_object() && pipeline.params->contains(param->name);
        if (known && pipeline.params->at(param->name).is_array()) count = pipeline.params->at(param->name).size();
    }
    return std::clamp<std::size_t>(count, 1, kMostFanOut);
}

void addCall(const Step& step, const ApiSettings& settings, ModelledStep& made)
{
    const RouteSettings* route = settings.findRoute(step.target);
    if (route == nullptr || route->choices.empty() || isOffline(settings, *route)) {
        made.duration.median = kStandIn;
        return;
    }
    const std::size_t model = route->choices.front().model;
    const UsualLatency latency = usualLatency(settings, model);
    made.lane = ModelledStep::Lane::Api;
    made.route = step.target;
    made.duration = {latency.median, latency.sigma, !latency.told};
    made.images = route->kind == RouteKind::Image ? 1 : 0;
    if (route->kind == RouteKind::Model) return;
    made.inputTokens = kFewestTokens + static_cast<std::int64_t>(step.prompt.size()) / kBytesPerToken;
    if (route->kind == RouteKind::Text)
        made.outputTokens = std::clamp<std::int64_t>(settings.models[model].maxOutputTokens, 1, kUsualAnswer);
}

ModelledStep modelled(const Step& step, const Pipeline& pipeline, const ApiSettings& settings)
{
    ModelledStep made;
    made.name = step.name;
    made.fanOut = static_cast<int>(elementsOf(step, pipeline));
    for (const StepIndex need : step.dependsOn) made.needs.push_back(static_cast<std::size_t>(need.value()));
    switch (step.kind) {
    case StepKind::Api:
        addCall(step, settings, made);
        break;
    case StepKind::Model:
        made.lane = ModelledStep::Lane::Device;
        made.duration = {kOnDevice, 0, true};
        break;
    case StepKind::Op:
        made.duration = {kOp, 0, true};
        break;
    }
    return made;
}

} // namespace

ModelledFlow modelled(const Pipeline& pipeline, const ApiSettings& settings, const JobSize& size)
{
    ModelledFlow flow;
    flow.items = size.items;
    flow.cpuPlaces = size.cores > 0 ? size.cores : std::max(1U, std::thread::hardware_concurrency());
    for (const Step& step : pipeline.steps) flow.steps.push_back(modelled(step, pipeline, settings));
    return flow;
}

} // namespace aiflow
