#include "small_flows.h"

#include "core/forecast/list_schedule.h"
#include "core/forecast/tuned_order.h"
#include "tests/support/modelled_flows/modelled_flows.h"

#include <algorithm>
#include <deque>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

} // namespace

class BestScheduleTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theSearchFindsTheBestKnownSchedules()
    {
        const NamedFlow hero = heroFlow();
        const auto ofHero = bestSchedule(hero.flow, hero.settings, 500, 1);
        QVERIFY(ofHero.has_value());
        QVERIFY2(seconds(ofHero->makespan) <= 355, ofHero->found.c_str());
        const NamedFlow annotation = annotationFlow();
        const auto ofAnnotation = bestSchedule(annotation.flow, annotation.settings, 500, 1);
        QVERIFY2(seconds(ofAnnotation->makespan) <= 780, ofAnnotation->found.c_str());
        QVERIFY(!ofHero->found.empty());
    }

    void noScheduleIsBelowTheBoundOrAboveThePoliciesOwn()
    {
        SmallWorlds worlds(21);
        for (int round = 0; round < 100; ++round) {
            const SmallWorld world = worlds.make({.items = 8, .steps = 4});
            const auto best = bestSchedule(world.flow, world.settings, 30, 1);
            QVERIFY(best.has_value());
            QVERIFY(best->makespan >= lowerBound(world.flow, world.settings).time);
            const auto byItem = runVirtually(world.flow, world.settings, OrderPolicy::ByItem, 1);
            QVERIFY(byItem.has_value());
            QVERIFY(best->makespan <= byItem->makespan);
        }
    }

    void theSameSeedFindsTheSameSchedule()
    {
        const NamedFlow unequal = unequalFlow(40);
        const auto first = bestSchedule(unequal.flow, unequal.settings, 100, 7);
        const auto second = bestSchedule(unequal.flow, unequal.settings, 100, 7);
        QCOMPARE(first->makespan, second->makespan);
        QCOMPARE(first->found, second->found);
    }

    void whatIsLaidOutIntoAGapBreaksNoWindow()
    {
        SmallWorlds worlds(3);
        for (int round = 0; round < 200; ++round) {
            const std::int64_t count = 1 + worlds.below(4);
            const Nanoseconds window = 1'000 * (5 + worlds.below(20));
            LimitSet limits{{{LimitUnit::Requests, count, std::chrono::milliseconds(window / 1'000)}}, {}, {}};
            WindowTimeline timeline(limits.windows[0]);
            const Nanoseconds span = window / 1'000 * 1'000'000;
            CallUse use{};
            use[0] = 1;
            std::vector<Nanoseconds> starts;
            for (int call = 0; call < 60; ++call) {
                const Nanoseconds start = timeline.earliest(worlds.below(100) * 1'000'000, use);
                timeline.take(start, use);
                starts.push_back(start);
            }
            std::ranges::sort(starts);
            const auto step = static_cast<std::size_t>(count);
            for (std::size_t i = step; i < starts.size(); ++i) QVERIFY(starts[i] - starts[i - step] >= span);
        }
    }

    void placesAreNeverTakenTwice()
    {
        SmallWorlds worlds(4);
        for (int round = 0; round < 200; ++round) {
            const std::int64_t count = 1 + worlds.below(3);
            PlaceTimeline timeline(count);
            std::vector<std::pair<Nanoseconds, int>> edges;
            for (int task = 0; task < 50; ++task) {
                const Nanoseconds duration = 1 + worlds.below(20);
                const Nanoseconds start = timeline.earliest(worlds.below(200), duration);
                timeline.take(start, duration);
                edges.emplace_back(start, 1);
                edges.emplace_back(start + duration, -1);
            }
            std::ranges::sort(edges);
            int taken = 0;
            for (const auto& [at, change] : edges) {
                taken += change;
                QVERIFY(taken <= count);
            }
        }
    }

    void tuningTheOrderNeverMakesItWorse()
    {
        for (const NamedFlow& named : {heroFlow(), annotationFlow(40), unequalFlow(40)}) {
            const auto tuned = tuneOrder(named.flow, named.settings, 1);
            QVERIFY(tuned.has_value());
            QVERIFY(tuned->makespan <= tuned->plain);
        }
        const NamedFlow hero = heroFlow();
        const auto tuned = tuneOrder(hero.flow, hero.settings, 1);
        QVERIFY(tuned->callingItems > 0);
        QVERIFY(seconds(tuned->makespan) < 0.95 * seconds(tuned->plain));
    }
};

QTEST_GUILESS_MAIN(BestScheduleTest)
#include "best_schedule_test.moc"
