#include "small_flows.h"

#include "tests/support/modelled_flows/modelled_flows.h"

#include <array>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

constexpr std::array kPolicies{OrderPolicy::ByItem, OrderPolicy::FirstCome, OrderPolicy::BreadthFirst,
                               OrderPolicy::DepthFirst, OrderPolicy::LongestRestFirst};

} // namespace

class VirtualRunTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theHeroFlowTakesWhatItsCallsAllow()
    {
        const NamedFlow hero = heroFlow();
        const auto result = runVirtually(hero.flow, hero.settings, OrderPolicy::ByItem, 1);
        QVERIFY2(result.has_value(), result ? "" : result.error().message.c_str());
        QCOMPARE(result->calls, 200);
        QCOMPARE(result->failed, 0);
        // 385 s, and the margin of four windows.
        QVERIFY2(seconds(result->makespan) >= 385 && seconds(result->makespan) < 390,
                 qPrintable(QString::number(seconds(result->makespan))));
        // 400 tokens in and 200 out at 0.15 and 0.60 per million, and a picture at 0.04.
        QCOMPARE(result->cost.at("USD").count(), std::int64_t{100} * (60'000 + 120'000 + 40'000'000));
    }

    void theTunedWindowBringsItNearTheBest()
    {
        NamedFlow hero = heroFlow();
        hero.flow.callingItems = 26;
        hero.flow.stepLag = 6;
        const auto result = runVirtually(hero.flow, hero.settings, OrderPolicy::ByItem, 1);
        QVERIFY2(seconds(result->makespan) <= 1.02 * 352.5, qPrintable(QString::number(seconds(result->makespan))));
    }

    void everyResourceSaysHowBusyItWas()
    {
        const NamedFlow hero = heroFlow();
        const auto result = runVirtually(hero.flow, hero.settings, OrderPolicy::ByItem, 1);
        QCOMPARE(result->lanes.size(), std::size_t{3});
        QCOMPARE(result->lanes[0].name, std::string("studio"));
        QCOMPARE(seconds(result->lanes[0].busy), 5500.0);
        QCOMPARE(result->lanes[1].name, std::string("device"));
        QCOMPARE(seconds(result->lanes[1].busy), 250.0);
        for (const LaneUse& lane : result->lanes) QVERIFY(lane.utilisation > 0.4 && lane.utilisation <= 1);
    }

    void noRunIsShorterThanTheBound()
    {
        SmallWorlds worlds(42);
        for (int round = 0; round < 1000; ++round) {
            const SmallWorld world = worlds.make({.items = 12, .steps = 5, .varies = round % 3 == 0});
            const auto bound = lowerBound(world.flow, world.settings).time;
            const OrderPolicy policy = kPolicies[static_cast<std::size_t>(round) % kPolicies.size()];
            const auto result = runVirtually(world.flow, world.settings, policy, static_cast<std::uint64_t>(round));
            QVERIFY2(result.has_value(), result ? "" : result.error().message.c_str());
            QCOMPARE(result->failed, 0);
            QVERIFY2(bound <= result->makespan, qPrintable(QString("round %1: bound %2 s, run %3 s")
                                                               .arg(round)
                                                               .arg(seconds(bound))
                                                               .arg(seconds(result->makespan))));
        }
    }

    void theSameSeedGivesTheSameRun()
    {
        NamedFlow unequal = unequalFlow();
        unequal.flow.steps[0].duration.sigma = 0.5;
        const auto first = runVirtually(unequal.flow, unequal.settings, OrderPolicy::ByItem, 9);
        const auto again = runVirtually(unequal.flow, unequal.settings, OrderPolicy::ByItem, 9);
        const auto other = runVirtually(unequal.flow, unequal.settings, OrderPolicy::ByItem, 10);
        QCOMPARE(first->makespan, again->makespan);
        QVERIFY(first->makespan != other->makespan);
    }
};

QTEST_GUILESS_MAIN(VirtualRunTest)
#include "virtual_run_test.moc"
