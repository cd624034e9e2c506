// What virtual time knows of the bench's flows, and how fast it runs: bound, best schedule, policies, tuned order,
// events a second.
#include "core/base/json.h"
#include "core/forecast/tuned_order.h"
#include "tests/support/modelled_flows/modelled_flows.h"
#include "tests/support/must.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr std::array<std::pair<OrderPolicy, const char*>, 5> kPolicies{
    std::pair{OrderPolicy::ByItem, "by_item"}, std::pair{OrderPolicy::FirstCome, "first_come"},
    std::pair{OrderPolicy::BreadthFirst, "breadth_first"}, std::pair{OrderPolicy::DepthFirst, "depth_first"},
    std::pair{OrderPolicy::LongestRestFirst, "longest_rest_first"}};

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

double processorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <typename Work> double timed(const Work& work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Json judge(NamedFlow named)
{
    const LowerBound bound = lowerBound(named.flow, named.settings);
    BestSchedule best;
    const double searched = timed([&] { best = must(bestSchedule(named.flow, named.settings, 10'000, 1)); });
    Json figures{{"bound_s", seconds(bound.time)},   {"binds", bound.binding},
                 {"best_s", seconds(best.makespan)}, {"found", best.found},
                 {"search_seconds", searched},       {"policies", Json::object()}};
    for (const auto& [policy, name] : kPolicies)
        figures["policies"][name] =
            seconds(must(runVirtually(named.flow, named.settings, policy, 1)).makespan) / seconds(best.makespan);
    TunedOrder tuned;
    const double before = processorSeconds();
    tuned = must(tuneOrder(named.flow, named.settings, 1));
    figures["tuning_cpu_s"] = processorSeconds() - before;
    named.flow.callingItems = tuned.callingItems;
    named.flow.stepLag = tuned.stepLag;
    const auto run = must(runVirtually(named.flow, named.settings, OrderPolicy::ByItem, 1));
    figures["tuned"] = {{"calling_items", tuned.callingItems},
                        {"step_lag", tuned.stepLag},
                        {"ratio_best", seconds(run.makespan) / seconds(best.makespan)}};
    std::printf("%-11s %s\n", named.name.c_str(), figures.dump().c_str());
    std::fflush(stdout);
    return figures;
}

// Six steps: two texts, a picture, two on the device, an op; accounts enough for a day's work.
Json speed(std::int64_t items)
{
    NamedFlow named = annotationFlow(items);
    named.flow.cpuPlaces = 64;
    for (AccountSettings& account : named.settings.providers[0].accounts)
        account.limits.windows = {{LimitUnit::Requests, 600, std::chrono::minutes(1)}};
    VirtualResult result;
    const double took = timed([&] { result = must(runVirtually(named.flow, named.settings, OrderPolicy::ByItem, 1)); });
    Json figures{{"items", items},
                 {"tasks", items * 6},
                 {"seconds", took},
                 {"tasks_per_s", static_cast<double>(items) * 6 / took},
                 {"virtual_s", seconds(result.makespan)}};
    std::printf("%-11s %s\n", "speed", figures.dump().c_str());
    std::fflush(stdout);
    return figures;
}

} // namespace

int main()
{
    Json result;
    bool near = true;
    for (NamedFlow& named : benchFlows()) {
        const std::string name = named.name;
        result[name] = judge(std::move(named));
        near = near && result[name]["tuned"]["ratio_best"].get<double>() <= 1.03 &&
               result[name]["tuning_cpu_s"].get<double>() <= 0.15;
    }
    result["speed"] = speed(100'000);
    result["bars"] = {{"tuned.ratio_best", 1.03}, {"tuning_cpu_s", 0.15}, {"speed.seconds", 10}};
    result["ok"] = near && result["speed"]["seconds"].get<double>() <= 10;
    std::printf("%s\n", result.dump().c_str());
    return result["ok"].get<bool>() ? 0 : 1;
}
