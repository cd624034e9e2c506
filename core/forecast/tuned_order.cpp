#include "core/forecast/tuned_order.h"

#include "core/forecast/pool_capacity.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr double kWorthwhile = 0.995;
// Of the calls that the accounts take at once.
constexpr std::array kWindows{0.35, 0.5, 0.6, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0};
constexpr std::array kLags{0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 5.0};
// Nothing takes exactly as long as it is said to.
struct World {
    double longer = 1;
    double sigma = 0; // at least
    std::chrono::milliseconds spacing{0};
};
constexpr std::array kWorlds{World{1, 0, std::chrono::milliseconds(0)}, World{1.01, 0.01, std::chrono::milliseconds(2)},
                             World{1.01, 0.005, std::chrono::milliseconds(5)},
                             World{1.02, 0.01, std::chrono::milliseconds(8)},
                             World{1.03, 0.01, std::chrono::milliseconds(12)}};

using FlowWorlds = std::array<ModelledFlow, kWorlds.size()>;

FlowWorlds worldsOf(const ModelledFlow& flow)
{
    FlowWorlds worlds;
    for (std::size_t i = 0; i < worlds.size(); ++i) {
        worlds[i] = flow;
        worlds[i].sendSpacing = kWorlds[i].spacing;
        for (ModelledStep& step : worlds[i].steps) {
            step.duration.median = std::chrono::nanoseconds(
                static_cast<std::int64_t>(static_cast<double>(step.duration.median.count()) * kWorlds[i].longer));
            step.duration.sigma = std::max(step.duration.sigma, kWorlds[i].sigma);
        }
    }
    return worlds;
}

// The worlds' mean makespan.
Result<std::chrono::nanoseconds> judge(FlowWorlds& worlds, const ApiSettings& settings, std::uint64_t seed,
                                       std::int64_t window, std::int64_t lag)
{
    std::chrono::nanoseconds sum{0};
    for (ModelledFlow& flow : worlds) {
        flow.callingItems = window;
        flow.stepLag = lag;
        auto result = runVirtually(flow, settings, OrderPolicy::ByItem, seed++);
        if (!result) return tl::unexpected(std::move(result.error()));
        sum += result->makespan;
    }
    return sum / kWorlds.size();
}

// The calls that all accounts take at once, of the calls' steps; 0: there are none, or no limit on them.
std::int64_t burstOf(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings)
{
    std::vector<std::size_t> steps;
    for (std::size_t i = 0; i < shape.steps.size(); ++i)
        if (shape.steps[i].lane == ModelledStep::Lane::Api) steps.push_back(i);
    if (steps.empty()) return 0;
    const std::int64_t burst = PoolCapacity(flow, shape, settings, steps).startsBy(0);
    return burst > 1'000'000 ? 0 : burst;
}

template <std::size_t Count> std::vector<std::int64_t> sizes(const std::array<double, Count>& shares, std::int64_t of)
{
    std::vector<std::int64_t> numbers{0};
    for (const double share : shares) {
        const auto number = static_cast<std::int64_t>(share * static_cast<double>(of) + 0.5);
        if (number > numbers.back()) numbers.push_back(number);
    }
    return numbers;
}

} // namespace

Result<TunedOrder> tuneOrder(ModelledFlow flow, const ApiSettings& settings, std::uint64_t seed, std::int64_t mostItems)
{
    flow.items = std::min(flow.items, mostItems);
    const auto shape = FlowShape::of(flow, settings);
    if (!shape) return tl::unexpected(shape.error());
    FlowWorlds worlds = worldsOf(flow);
    const auto plain = judge(worlds, settings, seed, 0, 0);
    if (!plain) return tl::unexpected(plain.error());
    TunedOrder tuned{0, 0, *plain, *plain};
    const std::int64_t burst = burstOf(flow, *shape, settings);
    if (burst == 0) return tuned;
    for (const std::int64_t window : sizes(kWindows, burst)) {
        if (window >= flow.items) break;
        for (const std::int64_t lag : sizes(kLags, burst)) {
            const auto makespan = judge(worlds, settings, seed, window, lag);
            if (!makespan) return tl::unexpected(makespan.error());
            const double most = static_cast<double>(plain->count()) * kWorthwhile;
            if (*makespan >= tuned.makespan || static_cast<double>(makespan->count()) > most) continue;
            tuned.callingItems = window;
            tuned.stepLag = lag;
            tuned.makespan = *makespan;
        }
    }
    return tuned;
}

} // namespace aiflow
