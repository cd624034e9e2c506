#include "core/base/random.h"
#include "core/forecast/dispatched_calls.h"
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
using List = ListScheduler::List;

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
    List list;
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

    // At most `tries` schedules are laid out, from these lists on.
    Found search(int tries, const std::vector<List>& lists)
    {
        tryKnownLists(std::max(1, tries / 4));
        for (const List& list : lists) lay(list, "the list of a policy's run");
        Found current = m_best;
        while (m_tried < tries && m_best.makespan > m_bound) {
            if (m_random.uniform() < 0.02) current = m_best;
            List list{varied(current.list.keys), current.list.accounts};
            const Nanoseconds makespan = lay(list, "a searched list");
            if (makespan <= current.makespan + m_bound / 400) current = {makespan, "", std::move(list)};
        }
        return m_best;
    }

private:
    Nanoseconds lay(const List& list, const std::string& name)
    {
        ++m_tried;
        const Nanoseconds makespan = m_scheduler.makespan(list);
        if (makespan < m_best.makespan) m_best = {makespan, name, list};
        return makespan;
    }

    List listBy(const std::function<double(double item, double step)>& key) const
    {
        const std::size_t steps = m_shape.steps.size();
        Keys keys(static_cast<std::size_t>(m_shape.items) * steps);
        for (std::size_t i = 0; i < keys.size(); ++i)
            keys[i] = key(static_cast<double>(i / steps), static_cast<double>(i % steps));
        return {std::move(keys), {}};
    }

    // By item, with later steps put back by a number of items: from depth to breadth.
    void tryKnownLists(int tries)
    {
        const auto items = static_cast<double>(m_shape.items);
        lay(listBy([](double item, double) { return item; }), "a list by item");
        lay(listBy([&](double item, double step) { return step * items + item; }), "a list by step");
        double lag = 0.25;
        for (; m_tried < tries && lag < items; lag *= 1.12)
            lay(listBy([lag](double item, double step) { return item + lag * step; }),
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

// The policies' own runs, the dispatcher's real order, under windows and lags.
class PolicyRuns {
public:
    PolicyRuns(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings, std::uint64_t seed)
        : m_flow(flow), m_shape(shape), m_settings(settings), m_seed(seed)
    {
    }

    Result<void> tryAll(int tries)
    {
        const std::vector<std::int64_t> sizes = sizesOf(m_shape.items);
        for (const NamedPolicy& policy : kPolicies)
            for (const std::int64_t window : sizes)
                if (m_tried < tries || window == 0)
                    if (auto done = tryOne(policy, {m_flow.activeItems, window, 0, 0}); !done) return done;
        // The product's order, under windows and lags drawn by chance, small ones oftener.
        SeededRandom random(mixBits(m_seed ^ 0x0B0E5ULL));
        const auto size = [&] {
            return static_cast<std::int64_t>(std::pow(static_cast<double>(m_shape.items) + 1, random.uniform())) - 1;
        };
        while (m_tried < tries)
            if (auto done = tryOne(kPolicies[0], {m_flow.activeItems, size(), size(), 0}); !done) return done;
        return {};
    }

    // The best first.
    std::vector<Found>& best() { return m_best; }

private:
    static constexpr std::size_t kKept = 4;

    static std::vector<std::int64_t> sizesOf(std::int64_t items)
    {
        std::vector<std::int64_t> sizes{0};
        for (double size = 4; size < static_cast<double>(items); size *= 1.3)
            sizes.push_back(static_cast<std::int64_t>(size));
        return sizes;
    }

    Result<void> tryOne(const NamedPolicy& policy, FlowWindow window)
    {
        ++m_tried;
        DispatchedCalls calls(m_flow, m_shape, m_settings, m_seed);
        FlowRun run(m_shape, window, policy.policy, m_seed, calls);
        FlowRun::Course course;
        run.follow(course);
        const auto end = run.run();
        if (!end) return tl::unexpected(end.error());
        if (end->failed > 0 || (m_best.size() == kKept && end->makespan >= m_best.back().makespan)) return {};
        std::string name = policy.name;
        if (window.callingItems > 0) name += fmt::format(", {} items calling", window.callingItems);
        if (window.stepLag > 0) name += fmt::format(", each step {} items behind", window.stepLag);
        List list{Keys(course.starts.begin(), course.starts.end()), std::move(course.accounts)};
        m_best.push_back({end->makespan, std::move(name), std::move(list)});
        std::ranges::stable_sort(m_best, {}, &Found::makespan);
        if (m_best.size() > kKept) m_best.pop_back();
        return {};
    }

    const ModelledFlow& m_flow;
    const FlowShape& m_shape;
    const ApiSettings& m_settings;
    std::uint64_t m_seed;
    std::vector<Found> m_best;
    int m_tried = 0;
};

} // namespace

Result<BestSchedule> bestSchedule(const ModelledFlow& flow, const ApiSettings& settings, int tries, std::uint64_t seed)
{
    auto shape = FlowShape::of(flow, settings);
    if (!shape) return tl::unexpected(std::move(shape.error()));
    if (shape->items == 0) return BestSchedule{};
    PolicyRuns runs(flow, *shape, settings, seed);
    if (auto done = runs.tryAll(std::max(1, tries / 10)); !done) return tl::unexpected(std::move(done.error()));
    std::vector<List> lists;
    for (const Found& run : runs.best()) lists.push_back(run.list);
    const Nanoseconds bound = lowerBound(flow, settings).time.count();
    Found best = ListSearch(flow, *shape, settings, seed, bound).search(tries, lists);
    if (!runs.best().empty() && runs.best().front().makespan <= best.makespan) best = runs.best().front();
    return BestSchedule{std::chrono::nanoseconds(best.makespan), best.name};
}

} // namespace aiflow
