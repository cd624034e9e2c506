#include "core/forecast/flow_shape.h"

#include "core/forecast/call_shape.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>
#include <numeric>

namespace aiflow {

namespace {

constexpr double kMostSigma = 3;
constexpr std::int64_t kMostItems = 100'000'000;

tl::unexpected<Error> wrong(const ModelledStep& step, const std::string& what)
{
    return fail(Reason::PipelineInvalid, fmt::format("step {}: {}", step.name, what));
}

Result<StepShape> shapeOf(const ModelledStep& step, std::size_t position, std::size_t count)
{
    if (step.duration.median.count() < 0 || step.duration.sigma < 0) return wrong(step, "its duration is negative");
    if (step.fanOut < 1 || step.fanOut > UINT16_MAX) return wrong(step, "it fans out to less than 1 or over 65,535");
    if (step.needs.size() > UINT8_MAX - 1) return wrong(step, "it needs more than 254 steps");
    for (const std::size_t need : step.needs)
        if (need >= position) return wrong(step, "it needs a step that does not come before it");
    StepShape shape;
    shape.lane = step.lane;
    shape.needs = static_cast<std::uint8_t>(step.needs.size());
    shape.fanOut = static_cast<std::uint16_t>(step.fanOut);
    shape.fromEnd = static_cast<std::int32_t>(count - 1 - position);
    shape.median = step.duration.median.count();
    shape.sigma = step.duration.sigma;
    shape.least = static_cast<Nanoseconds>(static_cast<double>(shape.median) * std::exp(-kMostSigma * shape.sigma));
    return shape;
}

Result<std::size_t> routeOf(const ModelledStep& step, const ApiSettings& settings)
{
    const auto found = std::ranges::find(settings.routes, step.route, &RouteSettings::name);
    if (found == settings.routes.end()) return wrong(step, fmt::format("there is no route \"{}\"", step.route));
    const auto route = static_cast<std::size_t>(found - settings.routes.begin());
    const CallShape call = callShape(settings, step, route);
    if (std::ranges::none_of(call.places, &CallPlace::possible))
        return wrong(step, fmt::format("no account of route \"{}\" may ever send such a call", step.route));
    return route;
}

void measureChains(const ModelledFlow& flow, FlowShape& shape)
{
    for (std::size_t i = 0; i < shape.steps.size(); ++i)
        for (const std::size_t need : flow.steps[i].needs) {
            StepShape& before = shape.steps[need];
            before.next.push_back(static_cast<std::uint16_t>(i));
            shape.steps[i].head = std::max(shape.steps[i].head, before.head + before.least);
            shape.steps[i].callsBefore = std::max(
                shape.steps[i].callsBefore, before.callsBefore + (before.lane == ModelledStep::Lane::Api ? 1 : 0));
        }
    for (std::size_t i = shape.steps.size(); i-- > 0;)
        for (const std::uint16_t next : shape.steps[i].next)
            shape.steps[i].tail = std::max(shape.steps[i].tail, shape.steps[next].least + shape.steps[next].tail);
    std::vector<std::size_t> byRest(shape.steps.size());
    std::iota(byRest.begin(), byRest.end(), std::size_t{0});
    std::ranges::stable_sort(byRest, std::greater{},
                             [&](std::size_t i) { return shape.steps[i].least + shape.steps[i].tail; });
    for (std::size_t i = 0; i < byRest.size(); ++i) shape.steps[byRest[i]].rest = static_cast<std::int32_t>(i);
}

Result<void> checkWhole(const ModelledFlow& flow)
{
    if (flow.steps.empty()) return fail(Reason::PipelineInvalid, "the flow has no steps");
    if (flow.steps.size() > UINT16_MAX) return fail(Reason::PipelineInvalid, "the flow has more than 65,535 steps");
    if (flow.items < 0 || flow.items > kMostItems)
        return fail(Reason::PipelineInvalid, fmt::format("{} items cannot be forecast", flow.items));
    if (flow.devices < 1 || flow.cpuPlaces < 1)
        return fail(Reason::PipelineInvalid, "the flow has no device or no place on the CPU lane");
    return {};
}

} // namespace

std::uint64_t mixBits(std::uint64_t value) noexcept
{
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31U);
}

Result<FlowShape> FlowShape::of(const ModelledFlow& flow, const ApiSettings& settings)
{
    if (auto whole = checkWhole(flow); !whole) return tl::unexpected(std::move(whole.error()));
    FlowShape shape;
    shape.items = flow.items;
    shape.devices = flow.devices;
    shape.cpuPlaces = flow.cpuPlaces;
    for (std::size_t i = 0; i < flow.steps.size(); ++i) {
        auto step = shapeOf(flow.steps[i], i, flow.steps.size());
        if (!step) return tl::unexpected(std::move(step.error()));
        if (step->lane == ModelledStep::Lane::Api) {
            auto route = routeOf(flow.steps[i], settings);
            if (!route) return tl::unexpected(std::move(route.error()));
            step->route = *route;
            ++shape.callSteps;
        }
        shape.tasksPerItem += step->fanOut;
        shape.steps.push_back(std::move(*step));
    }
    measureChains(flow, shape);
    return shape;
}

Nanoseconds FlowShape::duration(const FlowTask& task, std::uint64_t seed) const noexcept
{
    const StepShape& step = steps[task.step];
    if (step.sigma == 0) return step.median;
    const auto name = (static_cast<std::uint64_t>(task.item) << 32U) ^ (std::uint64_t{task.step} << 16U) ^ task.element;
    const std::uint64_t bits = mixBits(seed ^ mixBits(name));
    const double first = (static_cast<double>(bits >> 11U) + 0.5) * 0x1.0p-53;
    const double second = static_cast<double>(mixBits(bits) >> 11U) * 0x1.0p-53;
    const double normal = std::sqrt(-2 * std::log(first)) * std::cos(2 * std::numbers::pi * second);
    const double factor = std::exp(step.sigma * std::clamp(normal, -kMostSigma, kMostSigma));
    return std::max(step.least, static_cast<Nanoseconds>(static_cast<double>(step.median) * factor));
}

} // namespace aiflow
