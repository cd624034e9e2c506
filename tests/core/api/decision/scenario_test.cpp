#include "tests/core/api/decision/simulated_world.h"
#include "tests/core/api/decision/world_of_one.h"

#include <algorithm>
#include <map>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr BootTime kStart{1000h};

WorldPlan planWith(ApiSettings settings, std::vector<WorldJob> jobs)
{
    WorldPlan plan;
    plan.settings = std::move(settings);
    for (ProviderSettings& provider : plan.settings.providers) provider.timeout = 60s;
    plan.jobs = std::move(jobs);
    plan.shortest = 500ms;
    plan.longest = 1500ms;
    plan.horizon = 100h;
    return plan;
}

WorldFault faultOf(FailureClass failure, std::size_t provider, std::chrono::seconds from, std::chrono::seconds until)
{
    return {provider, std::nullopt, failure, 1.0, kStart + from, kStart + until, std::nullopt};
}

std::int64_t sentBetween(
    const std::vector<SentCall>& sent, std::chrono::seconds from, std::chrono::seconds until,
    const std::function<bool(const SentCall&)>& which = [](const SentCall&) { return true; })
{
    return std::ranges::count_if(sent, [&](const SentCall& call) {
        return call.decided >= kStart + from && call.decided < kStart + until && which(call);
    });
}

} // namespace

class ScenarioTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void saturatedWindowsAreUsedToNineTenthsAndMore()
    {
        for (const auto& [count, window] : std::vector<std::pair<std::int64_t, std::chrono::milliseconds>>{
                 {1, 10s}, {4, 60s}, {10, 3s}, {60, 60s}, {2000, 60s}}) {
            const std::int64_t calls = count * 2 * 6;
            SimulatedWorld world(
                planWith(settingsWith(2, {{{LimitUnit::Requests, count, window}}, {}, {}}), {{calls}}));
            QCOMPARE(QString::fromStdString(world.run()), QString());
            // Six windows' worth on two accounts cannot begin its last window before five have passed.
            const auto took = world.sent().back().decided - kStart;
            QVERIFY2(took * 9 <= window * 5 * 10,
                     qPrintable(QString("%1 in %2 ms took %3 ms").arg(count).arg(window.count()).arg(took / 1ms)));
        }
    }

    void tokenWindowsAreUsedToNineTenthsOfWhatIsReserved()
    {
        WorldPlan plan = planWith(settingsWith(1, {{{LimitUnit::InputTokens, 1000, 10s}}, {}, {}}), {{500}});
        plan.inputTokens = 100;
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        const auto took = world.sent().back().decided - kStart;
        // 500 calls of 45 tokens on average that count: 22,500 tokens in 22.5 windows.
        QVERIFY2(took < 10s * 26, qPrintable(QString::number(took / 1ms)));
    }

    void heroFlowsPromptsUseEveryPlaceOfEveryMinute()
    {
        WorldPlan plan = planWith(settingsWith(10, {{perMinute(4)}, {}, {}}), {{200}});
        plan.shortest = plan.longest = 15s;
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        // 40 a minute: the last of five waves begins after four minutes, margins and delays included.
        QVERIFY(world.sent().back().decided - kStart < 245s);
    }

    void oneProviderDownLeavesTheOtherAtItsLimit()
    {
        ApiSettings settings = settingsWith(2, {{perMinute(30)}, {}, {}});
        addFallback(settings, "q");
        settings.providers[1].accounts[0].limits.windows = {perMinute(60)};
        settings.routes[0].weighted = true;
        WorldPlan plan = planWith(std::move(settings), {{2000}});
        plan.faults.push_back(faultOf(FailureClass::Outage, 0, 60s, 660s));
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        const auto other = sentBetween(world.sent(), 60s, 660s, [](const SentCall& c) { return c.provider == 1; });
        QVERIFY2(other >= 600 * 97 / 100, qPrintable(QString::number(other)));
        const auto probes = sentBetween(world.sent(), 120s, 660s, [](const SentCall& c) { return c.provider == 0; });
        QVERIFY2(probes <= 9 * 6 * 2, qPrintable(QString::number(probes)));
        const auto back = sentBetween(world.sent(), 720s, 900s, [](const SentCall& c) { return c.provider == 0; });
        QVERIFY2(back >= 180 * 9 / 10, qPrintable(QString::number(back)));
    }

    void urgentProcessGetsNineTenthsAndTheOtherIsNotStarved()
    {
        const ApiSettings settings = settingsWith(3, {{perMinute(20)}, {}, {}});
        SimulatedWorld world(planWith(settings, {{600, 9}, {600, 1, 100s}}));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        const auto urgent = sentBetween(world.sent(), 170s, 600s, [](const SentCall& c) { return c.life == 2; });
        const auto other = sentBetween(world.sent(), 170s, 600s, [](const SentCall& c) { return c.life == 1; });
        QVERIFY2(urgent * 10 >= (urgent + other) * 9, qPrintable(QString("%1 of %2").arg(urgent).arg(urgent + other)));
        QVERIFY(other > 0);
        QVERIFY(urgent + other >= 430 * 9 / 10);
    }

    void equalProcessesShareWithoutIdlePlaces()
    {
        for (const LimitSet& limits : {LimitSet{{perMinute(20)}, {}, {}}, LimitSet{{}, 4, {}}}) {
            SimulatedWorld world(planWith(settingsWith(2, limits), {{1500, 5}, {1500, 5, 30s}}));
            QCOMPARE(QString::fromStdString(world.run()), QString());
            const auto first = sentBetween(world.sent(), 100s, 160s, [](const SentCall& c) { return c.life == 1; });
            const auto both = sentBetween(world.sent(), 100s, 160s);
            const std::int64_t rate = limits.concurrency ? 8 * 55 : 40; // calls take a second
            QVERIFY2(both >= rate * 9 / 10, qPrintable(QString::number(both)));
            QVERIFY2(first * 10 >= both * 3 && first * 10 <= both * 7,
                     qPrintable(QString("%1 of %2").arg(first).arg(both)));
        }
    }

    void placesOfAKilledProcessComeBack()
    {
        WorldPlan plan = planWith(settingsWith(1, {{}, 3, {}}), {{200, 1}, {40, 1, 1s}});
        plan.kills.push_back({0, kStart + 5s, 1h});
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        // Its calls' time limit is a minute, the grace 5 s.
        const auto later = sentBetween(world.sent(), 71s, 90s, [](const SentCall& c) { return c.life == 2; });
        const auto before = sentBetween(world.sent(), 0s, 71s, [](const SentCall& c) { return c.life == 2; });
        QVERIFY(before + later == 40);
    }

    void outageEndsWithFullSpeedWithinAMinute()
    {
        WorldPlan plan = planWith(settingsWith(3, {{perMinute(20)}, {}, {}}), {{1200}});
        plan.faults.push_back(faultOf(FailureClass::Outage, 0, 100s, 700s));
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        QCOMPARE(world.givenUp(), std::int64_t(0));
        const auto during = sentBetween(world.sent(), 160s, 700s);
        QVERIFY2(during <= 9 * 6 * 3, qPrintable(QString::number(during)));
        const auto after = sentBetween(world.sent(), 760s, 940s);
        QVERIFY2(after >= 180 * 9 / 10, qPrintable(QString::number(after)));
    }

    void outageIsFoundByFewCallsOfManyAccounts()
    {
        WorldPlan plan = planWith(settingsWith(10, {{perMinute(4)}, {}, {}}), {{300}});
        plan.faults.push_back(faultOf(FailureClass::Outage, 0, 70s, 670s));
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        QCOMPARE(world.givenUp(), std::int64_t(0));
        const auto during = sentBetween(world.sent(), 70s, 670s);
        QVERIFY2(during <= 40 + 60, qPrintable(QString::number(during)));
        const auto after = sentBetween(world.sent(), 730s, 850s);
        QVERIFY2(after >= 80 * 9 / 10, qPrintable(QString::number(after)));
    }

    void oneBadAccountLeavesTheOthersAlone()
    {
        WorldPlan plan = planWith(settingsWith(4, {{perMinute(20)}, {}, {}}), {{1200}});
        plan.faults.push_back(faultOf(FailureClass::ServerError, 0, 30s, 630s));
        plan.faults[0].account = 2;
        plan.faults[0].probability = 0.8;
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        const auto others = sentBetween(world.sent(), 60s, 600s, [](const SentCall& c) { return c.account != 2; });
        QVERIFY2(others >= 540 * 97 / 100, qPrintable(QString::number(others)));
        const auto bad = sentBetween(world.sent(), 60s, 600s, [](const SentCall& c) { return c.account == 2; });
        QVERIFY2(bad <= 90, qPrintable(QString::number(bad)));
    }

    void stormOfRefusalsSlowsNothingForLong()
    {
        WorldPlan plan = planWith(settingsWith(3, {{perMinute(20)}, {}, {}}), {{1200}});
        WorldFault told = faultOf(FailureClass::Throttled, 0, 60s, 360s);
        told.probability = 0.15;
        told.retryAfter = 2s;
        WorldFault bare = told;
        bare.retryAfter.reset();
        plan.faults = {told, bare};
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        QCOMPARE(world.givenUp(), std::int64_t(0));
        const auto after = sentBetween(world.sent(), 780s, 840s);
        QVERIFY2(after >= 60 * 9 / 10, qPrintable(QString::number(after)));
    }

    void emptyBalanceOnOneAccountLeavesTheOthersBusy()
    {
        WorldPlan plan = planWith(settingsWith(3, {{perMinute(20)}, {}, {}}), {{900}});
        plan.faults.push_back(faultOf(FailureClass::QuotaExhausted, 0, 30s, 86'400s));
        plan.faults[0].account = 1;
        SimulatedWorld world(std::move(plan));
        QCOMPARE(QString::fromStdString(world.run()), QString());
        QCOMPARE(world.givenUp(), std::int64_t(0));
        const auto others = sentBetween(world.sent(), 60s, 660s, [](const SentCall& c) { return c.account != 1; });
        QVERIFY2(others >= 400 * 97 / 100, qPrintable(QString::number(others)));
    }
};

QTEST_GUILESS_MAIN(ScenarioTest)
#include "scenario_test.moc"
