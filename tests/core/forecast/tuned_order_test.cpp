#include "core/forecast/tuned_order.h"

#include "small_flows.h"
#include "tests/support/modelled_flows/modelled_flows.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

double shareOfPlain(NamedFlow named)
{
    const auto plain = runVirtually(named.flow, named.settings, OrderPolicy::ByItem, 1);
    const auto tuned = tuneOrder(named.flow, named.settings, 1);
    named.flow.callingItems = tuned->callingItems;
    named.flow.stepLag = tuned->stepLag;
    return seconds(runVirtually(named.flow, named.settings, OrderPolicy::ByItem, 1)->makespan) /
           seconds(plain->makespan);
}

} // namespace

class TunedOrderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void noFlowOfTheBenchTakesLonger()
    {
        for (const NamedFlow& flow : benchFlows()) {
            const double share = shareOfPlain(flow);
            QVERIFY2(share <= 1, qPrintable(QString("%1: %2").arg(flow.name.c_str()).arg(share)));
        }
        QVERIFY(shareOfPlain(heroFlow()) < 0.93);
    }

    void nothingThatIsLongerIsEverChosen()
    {
        SmallWorlds worlds(11);
        for (int round = 0; round < 40; ++round) {
            SmallWorld world = worlds.make({.items = 6, .steps = 4, .varies = round % 2 == 0});
            world.flow.items = 20 + worlds.below(30);
            for (ModelledStep& step : world.flow.steps) step.duration.guessed = round % 4 == 0;
            const auto tuned = tuneOrder(world.flow, world.settings, static_cast<std::uint64_t>(round));
            QVERIFY2(tuned.has_value(), tuned ? "" : tuned.error().message.c_str());
            QVERIFY(tuned->makespan <= tuned->plain);
            if (tuned->callingItems != 0 || tuned->stepLag != 0) QVERIFY(tuned->makespan < tuned->plain);
        }
    }

    void longFlowsAreJudgedByTheirFirstItems()
    {
        const NamedFlow hero = heroFlow(100'000);
        const auto tuned = tuneOrder(hero.flow, hero.settings, 1);
        QVERIFY(tuned.has_value());
        QCOMPARE(tuned->items, 120);
    }

    void whatNoLimitHoldsBackStaysInPlainOrder()
    {
        NamedFlow hero = heroFlow();
        for (AccountSettings& account : hero.settings.providers[0].accounts) account.limits = {};
        const auto tuned = tuneOrder(hero.flow, hero.settings, 1);
        QVERIFY(tuned.has_value());
        QCOMPARE(tuned->callingItems, 0);
        QCOMPARE(tuned->stepLag, 0);
    }
};

QTEST_GUILESS_MAIN(TunedOrderTest)
#include "tuned_order_test.moc"
