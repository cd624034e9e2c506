#include "core/forecast/dispatched_calls.h"
#include "core/forecast/pool_capacity.h"

#include <algorithm>

namespace aiflow {

namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::string lowerName(ModelledStep::Lane lane) { return lane == ModelledStep::Lane::Device ? "device" : "cpu"; }

void addLocal(const FlowShape& shape, const FlowEnd& end, ModelledStep::Lane lane, std::int64_t places,
              std::vector<LaneUse>& lanes)
{
    if (std::ranges::find(shape.steps, lane, &StepShape::lane) == shape.steps.end()) return;
    const Nanoseconds busy = end.busy[static_cast<std::size_t>(lane)];
    const double allowed = static_cast<double>(end.makespan) * static_cast<double>(places);
    lanes.push_back({lowerName(lane), std::chrono::nanoseconds(busy), share(static_cast<double>(busy), allowed)});
}

// Of the calls that the provider's limits allow within the makespan.
void addProviders(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings, const FlowEnd& end,
                  const DispatchedCalls& calls, std::vector<LaneUse>& lanes)
{
    for (std::size_t provider = 0; provider < settings.providers.size(); ++provider) {
        if (calls.sent()[provider] == 0) continue;
        std::vector<std::size_t> steps;
        for (std::size_t i = 0; i < shape.steps.size(); ++i) {
            if (shape.steps[i].lane != ModelledStep::Lane::Api) continue;
            const auto& choices = settings.routes[shape.steps[i].route].choices;
            if (std::ranges::any_of(choices, [&](const RouteChoice& choice) {
                    return settings.models[choice.model].provider == provider;
                }))
                steps.push_back(i);
        }
        const std::int64_t allowed =
            PoolCapacity(flow, shape, settings, steps).startsBy(std::max<Nanoseconds>(0, end.makespan - 1));
        lanes.push_back({settings.providers[provider].name, std::chrono::nanoseconds(calls.busy()[provider]),
                         share(static_cast<double>(calls.sent()[provider]), static_cast<double>(allowed))});
    }
}

} // namespace

Result<VirtualResult> runVirtually(const ModelledFlow& flow, const ApiSettings& settings, OrderPolicy policy,
                                   std::uint64_t seed)
{
    auto shape = FlowShape::of(flow, settings);
    if (!shape) return tl::unexpected(std::move(shape.error()));
    DispatchedCalls calls(flow, *shape, settings, seed);
    FlowRun run(*shape, {flow.activeItems, flow.callingItems, flow.stepLag, flow.sendSpacing.count()}, policy, seed,
                calls);
    auto end = run.run();
    if (!end) return tl::unexpected(std::move(end.error()));
    VirtualResult result;
    result.makespan = std::chrono::nanoseconds(end->makespan);
    result.calls = end->calls;
    result.failed = end->failed;
    result.cost = calls.cost();
    addProviders(flow, *shape, settings, *end, calls, result.lanes);
    addLocal(*shape, *end, ModelledStep::Lane::Device, flow.devices, result.lanes);
    addLocal(*shape, *end, ModelledStep::Lane::Cpu, flow.cpuPlaces, result.lanes);
    return result;
}

} // namespace aiflow
