#include "core/base/random.h"
#include "core/forecast/list_schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <utility>

namespace aiflow {

namespace {

using Keys = std::vector<double>;

struct NamedPolicy {
    OrderPolicy policy;
    const char* name;
};
constexpr std::array kPolicies{
    NamedPolicy{OrderPolicy::ByItem, "by item"}, NamedPolicy{OrderPolicy::FirstCome, "first come"},
    NamedPolicy{OrderPolicy::BreadthFirst, "breadth first"}, NamedPolicy{OrderPolicy::DepthFirst, "depth first"},
    NamedPolicy{OrderPolicy::LongestRestFirst, "longest rest first"}};

struct Found {
    Nanoseconds makespan = INT64_MAX;
    std::string name;
    Keys keys; // of a list; empty: a policy's
};

// Searches among lists: every step of every item has a key, and smaller keys are laid out first.
class ListSearch {
public:
    ListSearch(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings, std::uint64_t seed,
               Nanoseconds bound)
        : m_shape(shape), m_scheduler(flow, shape, settings, seed), m_random(mixBits(seed ^ 0x5EA7C4ULL)),
          m_bound(bound)
    {
    }

    // At most `tries` schedules are laid out.
    Found search(int tries)
    {
        tryKnownLists(std::max(1, tries / 4));
        Found current = m_best;
        while (m_tried < tries && m_best.makespan > m_bound) {
            if (m_random.uniform() < 0.02) current = m_best;
            Keys keys = varied(current.keys);
            const Nanoseconds makespan = lay(keys, "a searched list");
            if (makespan <= current.makespan + m_bound / 400) current = {makespan, "", std::move(keys)};
        }
        return m_best;
    }

private:
    Nanoseconds lay(const Keys& keys, const std::string& name)
    {
        ++m_tried;
        const Nanoseconds makespan = m_scheduler.makespan(keys);
        if (makespan < m_best.makespan) m_best = {makespan, name, keys};
        return makespan;
    }

    Keys keysBy(const std::function<double(double item, double step)>& key) const
    {
        const std::size_t steps = m_shape.steps.size();
        Keys keys(static_cast<std::size_t>(m_shape.items) * steps);
        for (std::size_t i = 0; i < keys.size(); ++i)
            keys[i] = key(static_cast<double>(i / steps), static_cast<double>(i % steps));
        return keys;
    }

    // By item, with later steps put back by a number of items: from depth to breadth.
    void tryKnownLists(int tries)
    {
        const auto items = static_cast<double>(m_shape.items);
        lay(keysBy([](double item, double) { return item; }), "a list by item");
        lay(keysBy([&](double item, double step) { return step * items + item; }), "a list by step");
        double lag = 0.25;
        for (; m_tried < tries && lag < items; lag *= 1.12)
            lay(keysBy([lag](double item, double step) { return item + lag * step; }),
                fmt::format("a list by item, each step {:.1f} items behind the one before it", lag));
    }

    Keys varied(const Keys& from)
    {
        Keys keys = from;
        const std::size_t steps = m_shape.steps.size();
        const auto items = static_cast<double>(m_shape.items);
        const double kind = m_random.uniform();
        const double size = std::exp(m_random.uniform() * 4) * 0.2; // 0.2 to 11 items
        const auto step = static_cast<std::size_t>(m_random.uniform() * static_cast<double>(steps));
        const double first = m_random.uniform() * items;
        const double length = m_random.uniform() * items;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto item = static_cast<double>(i / steps);
            const bool inRange = item >= first && item < first + length;
            if (kind < 0.4 && i % steps == step && inRange) keys[i] += shift(size);
            if (kind >= 0.4 && kind < 0.7 && i % steps == step) keys[i] += size - 2;
            if (kind >= 0.7 && m_random.uniform() < 0.1) keys[i] += shift(size);
        }
        return keys;
    }

    double shift(double size) { return (m_random.uniform() - 0.5) * 2 * size; }

    const FlowShape& m_shape;
    ListScheduler m_scheduler;
    SeededRandom m_random;
    Nanoseconds m_bound;
    Found m_best;
    int m_tried = 0;
};

// Windows worth trying for the dispatcher's own order.
std::vector<std::int64_t> windowsFor(std::int64_t items)
{
    std::vector<std::int64_t> windows{0};
    for (double window = 4; window < static_cast<double>(items); window *= 1.25)
        windows.push_back(static_cast<std::int64_t>(window));
    return windows;
}

Result<void> tryPolicies(ModelledFlow flow, const ApiSettings& settings, int tries, std::uint64_t seed, Found& best)
{
    int tried = 0;
    for (const std::int64_t window : windowsFor(flow.items)) {
        flow.callingItems = window;
        for (const NamedPolicy& policy : kPolicies) {
            if (tried++ >= tries && window > 0) return {};
            auto result = runVirtually(flow, settings, policy.policy, seed);
            if (!result) return tl::unexpected(std::move(result.error()));
            if (result->failed > 0 || result->makespan.count() >= best.makespan) continue;
            const std::string within = window > 0 ? fmt::format(", {} items between their calls", window) : "";
            best = {result->makespan.count(), policy.name + within, {}};
        }
    }
    return {};
}

} // namespace

Result<BestSchedule> bestSchedule(const ModelledFlow& flow, const ApiSettings& settings, int tries, std::uint64_t seed)
{
    auto shape = FlowShape::of(flow, settings);
    if (!shape) return tl::unexpected(std::move(shape.error()));
    Found best;
    if (auto done = tryPolicies(flow, settings, tries, seed, best); !done)
        return tl::unexpected(std::move(done.error()));
    if (shape->items > 0) {
        const Nanoseconds bound = lowerBound(flow, settings).time.count();
        Found listed = ListSearch(flow, *shape, settings, seed, bound).search(tries);
        if (listed.makespan < best.makespan) best = std::move(listed);
    }
    return BestSchedule{std::chrono::nanoseconds(best.makespan), best.name};
}

} // namespace aiflow
