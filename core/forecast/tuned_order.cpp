#include "core/forecast/tuned_order.h"

#include "core/forecast/pool_capacity.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace aiflow {

namespace {

constexpr double kWorthwhile = 0.995;
constexpr std::int64_t kFewestItems = 20;
// Of the calls that the accounts take at once. Every other one is on the coarse grid.
constexpr std::array kWindows{0.35, 0.5, 0.6, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0};
constexpr std::array kLags{0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 5.0};
constexpr std::size_t kRefined = 2;   // best places of the coarse grid, whose neighbours are tried
constexpr std::size_t kFinalists = 4; // that are judged in all worlds
// Nothing takes exactly as long as it is said to.
struct World {
    double longer = 1;
    double sigma = 0; // at least
    std::chrono::milliseconds spacing{0};
    double guessedCall = 1; // times a duration that was guessed
    double guessedWork = 1;
};
constexpr std::array kWorlds{
    World{1, 0, std::chrono::milliseconds(0), 1, 0.25}, World{1.01, 0.01, std::chrono::milliseconds(2), 1, 12},
    World{1.01, 0.005, std::chrono::milliseconds(5), 0.5, 4}, World{1.02, 0.01, std::chrono::milliseconds(8), 2, 1},
    World{1.03, 0.01, std::chrono::milliseconds(12), 1, 1}};
constexpr std::size_t kScanned = 4; // the world in which the grid is tried: the roughest

using FlowWorlds = std::array<ModelledFlow, kWorlds.size()>;

void inWorld(const World& world, ModelledStep& step)
{
    double longer = world.longer;
    if (step.duration.guessed) longer *= step.lane == ModelledStep::Lane::Api ? world.guessedCall : world.guessedWork;
    const double median = static_cast<double>(step.duration.median.count()) * longer;
    step.duration.median = std::chrono::nanoseconds(static_cast<std::int64_t>(median));
    step.duration.sigma = std::max(step.duration.sigma, world.sigma);
}

FlowWorlds worldsOf(const ModelledFlow& flow)
{
    FlowWorlds worlds;
    for (std::size_t i = 0; i < worlds.size(); ++i) {
        worlds[i] = flow;
        worlds[i].sendSpacing = kWorlds[i].spacing;
        for (ModelledStep& step : worlds[i].steps) inWorld(kWorlds[i], step);
    }
    return worlds;
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

using Spans = std::array<std::chrono::nanoseconds, kWorlds.size()>; // by world

std::chrono::nanoseconds mean(const Spans& spans)
{
    std::chrono::nanoseconds sum{0};
    for (const auto span : spans) sum += span;
    return sum / spans.size();
}

// Of the plain order's time, on average; 1 if it is longer anywhere.
double shareOf(const Spans& spans, const Spans& plain)
{
    double sum = 0;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const auto before = static_cast<double>(std::max<std::int64_t>(1, plain[i].count()));
        const double share = static_cast<double>(spans[i].count()) / before;
        if (share > 1) return 1;
        sum += share;
    }
    return sum / static_cast<double>(spans.size());
}

class Search {
public:
    Search(const ModelledFlow& flow, const ApiSettings& settings, std::uint64_t seed, std::int64_t burst)
        : m_settings(settings), m_seed(seed), m_worlds(worldsOf(flow)), m_windows(sizes(kWindows, burst)),
          m_lags(sizes(kLags, burst))
    {
        while (m_windows.size() > 1 && m_windows.back() >= flow.items) m_windows.pop_back();
    }

    Result<TunedOrder> find()
    {
        for (std::size_t lag = 0; lag < m_lags.size(); ++lag) tryAt(0, lag);
        for (std::size_t window = 2; window < m_windows.size(); window += 2)
            for (std::size_t lag = 0; lag < m_lags.size(); lag += 2) tryAt(window, lag);
        for (const Place& place : best(kRefined)) tryAround(place);
        const Spans plain = spansOf({0, 0});
        TunedOrder tuned{0, 0, mean(plain), mean(plain), 0};
        double least = kWorthwhile;
        for (const Place& place : best(kFinalists)) {
            const Spans spans = spansOf(place);
            const double share = m_problem ? 1 : shareOf(spans, plain);
            if (share >= least) continue;
            least = share;
            tuned.callingItems = m_windows[place.window];
            tuned.stepLag = m_lags[place.lag];
            tuned.makespan = mean(spans);
        }
        if (m_problem) return tl::unexpected(std::move(*m_problem));
        return tuned;
    }

private:
    struct Place { // of the grid
        std::size_t window = 0;
        std::size_t lag = 0;
        friend auto operator<=>(const Place&, const Place&) = default;
    };

    std::chrono::nanoseconds run(const Place& place, std::size_t world)
    {
        ModelledFlow& flow = m_worlds[world];
        flow.callingItems = m_windows[place.window];
        flow.stepLag = m_lags[place.lag];
        auto result = runVirtually(flow, m_settings, OrderPolicy::ByItem, m_seed + world);
        if (result) return result->makespan;
        m_problem = std::move(result.error());
        return std::chrono::nanoseconds::max();
    }

    void tryAt(std::size_t window, std::size_t lag)
    {
        const Place place{window, lag};
        if (!m_problem && !m_tried.contains(place)) m_tried.emplace(place, run(place, kScanned));
    }

    void tryAround(const Place& place)
    {
        for (std::size_t window = place.window - std::min<std::size_t>(1, place.window);
             window <= std::min(place.window + 1, m_windows.size() - 1); ++window)
            for (std::size_t lag = place.lag - std::min<std::size_t>(1, place.lag);
                 lag <= std::min(place.lag + 1, m_lags.size() - 1); ++lag)
                tryAt(window, lag);
    }

    // The shortest of what was tried; of equals the nearest to the plain order.
    std::vector<Place> best(std::size_t count) const
    {
        std::vector<std::pair<std::chrono::nanoseconds, Place>> sorted;
        for (const auto& [place, makespan] : m_tried) sorted.emplace_back(makespan, place);
        std::ranges::sort(sorted);
        std::vector<Place> places;
        for (std::size_t i = 0; i < std::min(count, sorted.size()); ++i) places.push_back(sorted[i].second);
        return places;
    }

    // In every world.
    Spans spansOf(const Place& place)
    {
        Spans spans{};
        for (std::size_t world = 0; world < m_worlds.size() && !m_problem; ++world)
            spans[world] = world == kScanned && m_tried.contains(place) ? m_tried.at(place) : run(place, world);
        return spans;
    }

    const ApiSettings& m_settings;
    const std::uint64_t m_seed;
    FlowWorlds m_worlds;
    std::vector<std::int64_t> m_windows, m_lags;
    std::map<Place, std::chrono::nanoseconds> m_tried; // in the scanned world
    std::optional<Error> m_problem;
};

} // namespace

Result<TunedOrder> tuneOrder(ModelledFlow flow, const ApiSettings& settings, std::uint64_t seed, std::int64_t mostTasks)
{
    const auto shape = FlowShape::of(flow, settings);
    if (!shape) return tl::unexpected(shape.error());
    const std::int64_t fitting = mostTasks / std::max<std::int64_t>(1, shape->tasksPerItem);
    flow.items = std::min(flow.items, std::max<std::int64_t>(1, fitting));
    const std::int64_t burst = burstOf(flow, *shape, settings);
    if (burst > 0 && fitting >= kFewestItems) {
        auto tuned = Search(flow, settings, seed, burst).find();
        if (tuned) tuned->items = flow.items;
        return tuned;
    }
    flow.callingItems = flow.stepLag = 0;
    const auto plain = runVirtually(flow, settings, OrderPolicy::ByItem, seed);
    if (!plain) return tl::unexpected(plain.error());
    return TunedOrder{0, 0, plain->makespan, plain->makespan, flow.items};
}

} // namespace aiflow
