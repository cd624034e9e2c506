#include "tests/core/api/decision/world_of_one.h"

#include <QTest>
#include <set>

using namespace aiflow;
using namespace aiflow::test;

class DispatcherTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void callsGoInTheOrderOfItemsAndLaterStepsFirst()
    {
        Bench bench(settingsWith(1, {}));
        const CallId second = bench.submit(2, at(0s));
        const CallId first = bench.submit(1, at(0s));
        CallDemand later;
        later.id = CallId(99);
        later.item = ItemIndex(2);
        later.stepFromEnd = -1;
        bench.dispatcher->submit(later, at(0s));
        const CallId urgent = bench.submit(7, at(0s), -1);
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(4));
        QVERIFY(sends[0].call == urgent);
        QVERIFY(sends[1].call == first);
        QVERIFY(sends[2].call == later.id);
        QVERIFY(sends[3].call == second);
        QCOMPARE(QString::fromStdString(sends[0].why), QString("first choice"));
    }

    void windowIsFullUntilItsOldestCallLeavesItWithTheMargin()
    {
        Bench bench(settingsWith(1, {{perMinute(4)}, {}, {}}));
        for (int i = 0; i < 5; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(4));
        for (const SendOrder& order : sends) bench.answered(order, at(15s));
        QVERIFY(bench.sendsAt(at(15s)).empty());
        QVERIFY(bench.dispatcher->nextDecision() == at(60s + 450ms));
        QVERIFY(bench.sendsAt(at(60s + 449ms)).empty());
        QCOMPARE(bench.sendsAt(at(60s + 450ms)).size(), std::size_t(1));
    }

    void reservedCallCountsUntilItIsOnTheWire()
    {
        Bench bench(settingsWith(1, {{perMinute(1)}, {}, {}}));
        bench.submit(1, at(0s));
        bench.submit(2, at(0s));
        const auto order = bench.dispatcher->decide(at(0s)).sends.at(0);
        QVERIFY(bench.dispatcher->decide(at(5s)).sends.empty());
        bench.dispatcher->onWire(order.attempt, at(6s));
        QVERIFY(bench.dispatcher->decide(at(6s)).sends.empty());
        QVERIFY(bench.dispatcher->nextDecision().value() <= at(66s + 450ms));
        QVERIFY(bench.sendsAt(at(66s + 449ms)).empty());
        QCOMPARE(bench.sendsAt(at(66s + 450ms)).size(), std::size_t(1));
    }

    void accountsTakeTheirShareAtOnce()
    {
        Bench bench(settingsWith(10, {{perMinute(4)}, {}, {}}));
        for (int i = 0; i < 100; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(40));
        std::multiset<std::size_t> accounts;
        for (const SendOrder& order : sends) accounts.insert(order.account);
        for (std::size_t i = 0; i < 10; ++i) QCOMPARE(accounts.count(i), std::size_t(4));
    }

    void placeIsFreeWhenItsCallEnds()
    {
        Bench bench(settingsWith(1, {{}, 2, {}}));
        for (int i = 0; i < 3; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(2));
        bench.answered(sends[0], at(1s));
        QCOMPARE(bench.sendsAt(at(1s)).size(), std::size_t(1));
        QCOMPARE(bench.dispatcher->open(), std::int64_t(2));
    }

    void toldPauseIsKeptAndNeverShortened()
    {
        Bench bench(settingsWith(1, {{}, 10, {}}));
        bench.submit(1, at(0s));
        bench.submit(2, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        Failure told = failureOf(FailureClass::Throttled);
        told.retryAfter = 30s;
        bench.failed(sends[0], told, at(1s));
        told.retryAfter = 2s;
        bench.failed(sends[1], told, at(2s));
        QVERIFY(bench.sendsAt(at(30s + 999ms)).empty());
        QVERIFY(bench.dispatcher->nextDecision() == at(31s));
        QCOMPARE(bench.sendsAt(at(31s)).size(), std::size_t(2));
    }

    void outageMakesCallsWaitAndTellsOnce()
    {
        Bench bench(settingsWith(1, {}));
        for (int i = 0; i < 50; ++i) bench.submit(i, at(0s));
        auto sends = bench.sendsAt(at(0s));
        for (const SendOrder& order : sends) bench.failed(order, failureOf(FailureClass::Outage), at(1s));
        QVERIFY(bench.sendsAt(at(1s)).empty());
        QCOMPARE(bench.last.pauses.size(), std::size_t(1));
        QVERIFY(bench.last.giveUps.empty());
        QCOMPARE(bench.dispatcher->waiting(), std::int64_t(50));
        sends = bench.sendsAt(at(11s));
        QCOMPARE(sends.size(), std::size_t(1));
        QVERIFY(sends[0].probe);
        bench.answered(sends[0], at(12s));
        bench.sendsAt(at(12s));
        QCOMPARE(bench.last.pauses.size(), std::size_t(1));
        QVERIFY(!bench.last.pauses[0].paused);
    }

    void refusedKeyIsBenchedAndOthersGoOn()
    {
        Bench bench(settingsWith(2, {{}, 1, {}}));
        for (int i = 0; i < 4; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        bench.failed(sends[0], failureOf(FailureClass::KeyRefused), at(1s));
        bench.answered(sends[1], at(1s));
        const auto next = bench.sendsAt(at(1s));
        QCOMPARE(next.size(), std::size_t(1));
        QCOMPARE(next[0].account, sends[1].account);
        QVERIFY(next[0].call == sends[0].call);
        QCOMPARE(bench.last.pauses.size(), std::size_t(1));
        QCOMPARE(QString::fromStdString(bench.last.pauses[0].account), QString("p/0"));
    }

    // One account only waits for its limit: what it waits for is told, not the other's refused key.
    void providerIsPausedForTheReasonOfWhoComesBackFirst()
    {
        Bench bench(settingsWith(2, {{}, 1, {}}));
        for (int i = 0; i < 4; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        Failure told = failureOf(FailureClass::Throttled);
        told.retryAfter = 30s;
        bench.failed(sends[0], told, at(1s));
        Failure refused = failureOf(FailureClass::KeyRefused);
        refused.status = 401;
        refused.message = "HTTP 401: no such key";
        bench.failed(sends[1], refused, at(1s));
        QVERIFY(bench.sendsAt(at(1s)).empty());
        QCOMPARE(bench.last.pauses.size(), std::size_t(1));
        QVERIFY(bench.last.pauses[0].account.empty());
        QVERIFY(bench.last.pauses[0].reason == Reason::ProviderRateLimited);
    }

    void otherModelAnswersWhenTheFirstIsDown()
    {
        ApiSettings settings = settingsWith(1, {});
        addFallback(settings, "q");
        Bench bench(std::move(settings));
        for (int i = 0; i < 5; ++i) bench.submit(i, at(0s));
        for (const SendOrder& order : bench.sendsAt(at(0s)))
            bench.failed(order, failureOf(FailureClass::Outage), at(1s));
        bench.submit(9, at(1s));
        const auto next = bench.sendsAt(at(1s));
        QCOMPARE(next.size(), std::size_t(1));
        QCOMPARE(next[0].provider, std::size_t(1));
        QCOMPARE(QString::fromStdString(next[0].why), QString("m: provider.outage"));
    }

    void unknownOutcomeIsPaidAgainOnceAndThenExplained()
    {
        Bench bench(settingsWith(1, {}));
        bench.submit(1, at(0s));
        bench.failed(bench.sendsAt(at(0s)).at(0), failureOf(FailureClass::Unknown), at(1s));
        bench.failed(bench.sendsAt(at(5s)).at(0), failureOf(FailureClass::Unknown), at(6s));
        bench.sendsAt(at(6s));
        QCOMPARE(bench.last.giveUps.size(), std::size_t(1));
        const Error& error = bench.last.giveUps[0].error;
        QVERIFY(error.reason == Reason::ProviderOutage);
        QVERIFY(error.message.find("p/m on p/0") != std::string::npos);
        QVERIFY(error.hint.find("retry JOB") != std::string::npos);
        QCOMPARE(bench.dispatcher->waiting(), std::int64_t(0));
    }

    void misfitIsAskedAgainOnTheSameModelThenTheNextThenGivenUp()
    {
        ApiSettings settings = settingsWith(1, {});
        addFallback(settings, "q");
        Bench bench(std::move(settings));
        bench.submit(1, at(0s));
        std::vector<std::size_t> models;
        for (int i = 0; i < 9; ++i) {
            const auto sends = bench.sendsAt(at(std::chrono::seconds(i)));
            if (sends.empty()) break;
            models.push_back(sends[0].model);
            AttemptEnd end;
            end.attempt = sends[0].attempt;
            end.failure = failureOf(FailureClass::Misfit);
            end.asksAgain = true;
            bench.dispatcher->ended(end, at(std::chrono::seconds(i) + 500ms));
        }
        QVERIFY((models == std::vector<std::size_t>{0, 0, 0, 1, 1, 1}));
        QCOMPARE(bench.last.giveUps.size(), std::size_t(1));
        QVERIFY(bench.last.giveUps[0].error.reason == Reason::ProviderBadOutput);
    }

    void jobStopsBeforeItsBudgetIsExceeded()
    {
        ApiSettings settings = settingsWith(1, {});
        settings.models[0].price.perCall = nanosOf(1);
        settings.models[0].price.currency = "USD";
        settings.budgets.perJob = Money{nanosOf(2.5), "USD"};
        Bench bench(std::move(settings));
        for (int i = 0; i < 3; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(2));
        QVERIFY(!bench.last.jobStops);
        for (const SendOrder& order : sends) bench.answered(order, at(1s));
        QVERIFY(bench.sendsAt(at(1s)).empty());
        QVERIFY(bench.last.jobStops.has_value());
        QVERIFY(bench.last.jobStops->reason == Reason::BudgetReached);
    }

    void withdrawnCallIsNotSent()
    {
        Bench bench(settingsWith(1, {}));
        const CallId call = bench.submit(1, at(0s));
        QVERIFY(bench.dispatcher->withdraw(call));
        QVERIFY(bench.sendsAt(at(0s)).empty());
        const CallId open = bench.submit(2, at(0s));
        bench.sendsAt(at(0s));
        QVERIFY(!bench.dispatcher->withdraw(open));
    }

    void adoptedAttemptTakesAPlaceAndEndsItsCall()
    {
        Bench bench(settingsWith(1, {{}, 1, {}}));
        const CallId call = bench.submit(1, at(0s));
        bench.submit(2, at(0s));
        const AttemptId adopted = bench.dispatcher->adopt(call, 0, "p/0", at(0s));
        QVERIFY(bench.sendsAt(at(0s)).empty());
        AttemptEnd end;
        end.attempt = adopted;
        bench.dispatcher->ended(end, at(1s));
        QCOMPARE(bench.sendsAt(at(1s)).size(), std::size_t(1));
        QCOMPARE(bench.dispatcher->waiting(), std::int64_t(0));
    }
};

QTEST_GUILESS_MAIN(DispatcherTest)
#include "dispatcher_test.moc"
