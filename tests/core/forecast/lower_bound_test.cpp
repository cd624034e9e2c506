#include "small_flows.h"

#include "core/forecast/list_schedule.h"
#include "core/forecast/pool_capacity.h"
#include "tests/support/modelled_flows/modelled_flows.h"

#include <algorithm>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

// The shortest schedule there is: every order in which steps may be laid out is tried.
class EveryOrder {
public:
    EveryOrder(const SmallWorld& world, const FlowShape& shape)
        : m_world(world), m_shape(shape), m_scheduler(world.flow, shape, world.settings, 1)
    {
        const std::size_t tasks = static_cast<std::size_t>(shape.items) * shape.steps.size();
        m_list.keys.assign(tasks, 0);
        m_taken.assign(tasks, false);
    }
    Nanoseconds shortest()
    {
        place(0);
        return m_shortest;
    }

private:
    bool mayFollow(std::size_t task) const
    {
        const std::size_t steps = m_shape.steps.size();
        const std::size_t row = task - task % steps;
        return std::ranges::all_of(m_world.flow.steps[task % steps].needs,
                                   [&](std::size_t need) { return m_taken[row + need]; });
    }
    void place(std::size_t position)
    {
        if (position == m_list.keys.size()) {
            m_shortest = std::min(m_shortest, m_scheduler.makespan(m_list));
            return;
        }
        for (std::size_t task = 0; task < m_list.keys.size(); ++task) {
            if (m_taken[task] || !mayFollow(task)) continue;
            m_taken[task] = true;
            m_list.keys[task] = static_cast<double>(position);
            place(position + 1);
            m_taken[task] = false;
        }
    }
    const SmallWorld& m_world;
    const FlowShape& m_shape;
    ListScheduler m_scheduler;
    ListScheduler::List m_list;
    std::vector<bool> m_taken;
    Nanoseconds m_shortest = INT64_MAX;
};

// The n-th start when everything is sent as early as the windows of one limit allow.
Nanoseconds sentGreedily(const LimitSet& limits, std::int64_t n)
{
    LimitTimeline timeline(limits);
    CallUse use{};
    use[0] = 1;
    Nanoseconds start = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        start = timeline.earliest(0, 1'000'000'000, use);
        timeline.take(start, 1'000'000'000, use);
    }
    return start;
}

} // namespace

class LowerBoundTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theKnownFlowsHaveTheirKnownBounds()
    {
        const NamedFlow hero = heroFlow();
        const LowerBound ofHero = lowerBound(hero.flow, hero.settings);
        QCOMPARE(seconds(ofHero.time), 320.0);
        QCOMPARE(ofHero.binding, std::string("device"));
        QCOMPARE(seconds(ofHero.byResource.at("accounts of studio")), 297.5);
        QCOMPARE(seconds(ofHero.byResource.at("longest chain")), 72.5);
        const NamedFlow annotation = annotationFlow();
        const LowerBound ofAnnotation = lowerBound(annotation.flow, annotation.settings);
        QCOMPARE(seconds(ofAnnotation.time), 770.0);
        QCOMPARE(ofAnnotation.binding, std::string("accounts of studio"));
    }

    void theNthStartIsTheEarliestThatTheWindowsAllow()
    {
        SmallWorlds worlds(5);
        for (int round = 0; round < 200; ++round) {
            LimitSet limits;
            limits.windows.push_back({LimitUnit::Requests, 1 + worlds.below(5), std::chrono::seconds(3)});
            if (round % 2 == 0)
                limits.windows.push_back({LimitUnit::Requests, 1 + worlds.below(20), std::chrono::seconds(20)});
            NamedFlow hero = heroFlow(1);
            hero.settings.providers[0].accounts.resize(1);
            hero.settings.providers[0].accounts[0].limits = limits;
            const auto shape = FlowShape::of(hero.flow, hero.settings);
            QVERIFY(shape.has_value());
            const PoolCapacity pool(hero.flow, *shape, hero.settings, {0});
            const std::int64_t n = 1 + worlds.below(60);
            QVERIFY(pool.earliestStart(n) <= sentGreedily(limits, n));
            if (round % 2 == 1) QCOMPARE(pool.earliestStart(n), sentGreedily(limits, n));
            QVERIFY(pool.startsBy(pool.earliestStart(n)) >= n);
        }
    }

    void noScheduleOfATinyFlowIsShorter()
    {
        SmallWorlds worlds(11);
        int tight = 0;
        for (int round = 0; round < 150; ++round) {
            const bool wide = round % 2 == 0; // at most 7 tasks
            const SmallWorld world =
                worlds.make({.items = wide ? 3 : 2, .steps = wide ? 2 : 3, .fansOut = round % 3 == 0});
            const auto shape = FlowShape::of(world.flow, world.settings);
            QVERIFY(shape.has_value());
            const Nanoseconds shortest = EveryOrder(world, *shape).shortest();
            const Nanoseconds bound = lowerBound(world.flow, world.settings).time.count();
            QVERIFY2(bound <= shortest, qPrintable(QString("round %1: %2 > %3").arg(round).arg(bound).arg(shortest)));
            if (bound == shortest) ++tight;
        }
        QVERIFY2(tight >= 60, qPrintable(QString::number(tight)));
    }

    void aFlowWithoutItemsOrThatCannotRunHasNone()
    {
        NamedFlow hero = heroFlow(0);
        QCOMPARE(lowerBound(hero.flow, hero.settings).time.count(), 0);
        hero = heroFlow();
        hero.flow.steps[0].route = "nowhere";
        QCOMPARE(lowerBound(hero.flow, hero.settings).time.count(), 0);
    }
};

QTEST_GUILESS_MAIN(LowerBoundTest)
#include "lower_bound_test.moc"
