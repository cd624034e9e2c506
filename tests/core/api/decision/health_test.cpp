#include "core/api/decision/health/breaker.h"
#include "core/api/decision/health/ramp.h"
#include "core/api/decision/health/retry_budget.h"
#include "core/api/decision/health/retry_policy.h"
#include "tests/core/api/decision/world_of_one.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

RetryVerdict::Step stepAfter(FailureClass failure, EndFacts facts, CallPast& past, const UnknownSettings& unknown = {})
{
    const RetrySettings retry;
    return RetryRules(retry, unknown).judge(failureOf(failure), facts, past).step;
}

} // namespace

class HealthTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyFailureHasANameAndAReason()
    {
        for (int i = 0; i <= static_cast<int>(FailureClass::Cancelled); ++i) {
            const auto failure = static_cast<FailureClass>(i);
            QVERIFY(!nameOf(failure).empty());
            QVERIFY(reasonOf(failure) != Reason::Internal);
        }
        QCOMPARE(QString::fromUtf8(nameOf(FailureClass::Throttled).data()), QString("throttled"));
        QVERIFY(definitelyNotExecuted(FailureClass::Outage));
        QVERIFY(!definitelyNotExecuted(FailureClass::TimedOut));
    }

    void breakerOpensAfterFailuresInARow()
    {
        const BreakerSettings settings;
        Breaker breaker(settings);
        for (std::uint64_t i = 0; i < 4; ++i) breaker.failed(i, at(0s));
        breaker.succeeded(4, at(0s));
        for (std::uint64_t i = 0; i < 4; ++i) QVERIFY(!breaker.failed(i, at(1s)));
        QVERIFY(breaker.failed(9, at(1s)));
        QVERIFY(breaker.mayPass(at(1s)) == at(11s));
    }

    void breakerOpensByTheShareOfFailures()
    {
        const BreakerSettings settings;
        Breaker breaker(settings);
        for (std::uint64_t i = 0; i < 5; ++i) {
            breaker.succeeded(i, at(std::chrono::seconds(i)));
            if (i < 4) QVERIFY(!breaker.failed(i, at(std::chrono::seconds(i))));
        }
        QVERIFY(breaker.failed(9, at(5s)));
        Breaker old(settings);
        for (std::uint64_t i = 0; i < 5; ++i) {
            old.failed(i, at(0s));
            old.succeeded(i, at(0s));
        }
        QVERIFY(!old.failed(9, at(70s)));
    }

    void halfOpenAdmitsThreeProbesOneByOneAndALostOneDoesNotHoldIt()
    {
        const BreakerSettings settings;
        Breaker breaker(settings);
        breaker.trip(at(0s));
        for (std::uint64_t i = 1; i <= 3; ++i) {
            const BootTime now = at(10s * static_cast<int>(i));
            QVERIFY(breaker.mayPass(now - 1ms) == now);
            QVERIFY(breaker.pass(i, at(60s), now));
        }
        QVERIFY(breaker.mayPass(at(31s)) == at(60s));
        breaker.neither(2);
        QVERIFY(breaker.mayPass(at(31s)) == at(40s));
        for (int i = 0; i < 1000; ++i) {
            breaker.pass(100, at(41s), at(40s));
            breaker.neither(100);
        }
        QVERIFY(breaker.mayPass(at(40s)) <= at(40s));
        QVERIFY(breaker.mayPass(at(60s)) <= at(60s));
    }

    void failingProbeDoublesThePauseAndLateEndingsChangeNothing()
    {
        const BreakerSettings settings;
        Breaker breaker(settings);
        breaker.trip(at(0s));
        breaker.failed(77, at(1s));
        QVERIFY(!breaker.succeeded(78, at(1s)));
        QVERIFY(breaker.mayPass(at(1s)) == at(10s));
        BootTime now = at(10s);
        for (const auto pause : {20s, 40s, 60s, 60s}) {
            breaker.pass(1, now + 5s, now);
            breaker.failed(1, now);
            QVERIFY(breaker.mayPass(now) == now + pause);
            now += pause;
        }
        breaker.pass(2, now + 5s, now);
        QVERIFY(breaker.succeeded(2, now));
        QVERIFY(breaker.closed());
    }

    void retriesStayWithinTheBudgetOfEveryWindow()
    {
        const RetrySettings settings;
        RetryBudget budget(settings);
        for (int i = 0; i < 10; ++i) {
            QVERIFY(budget.mayRetry(at(0s)) <= at(0s));
            budget.retried(at(0s));
        }
        QVERIFY(budget.mayRetry(at(1s)) > at(300s));
        QVERIFY(budget.mayRetry(at(1s)) < at(301s));
        for (int i = 0; i < 10; ++i) budget.first(at(2s));
        QVERIFY(budget.mayRetry(at(2s)) <= at(2s));
        budget.retried(at(2s));
        QVERIFY(budget.mayRetry(at(3s)) > at(3s));
        QVERIFY(budget.mayRetry(at(301s)) <= at(301s));
    }

    void backoffIsFullJitterBelowItsCap()
    {
        const RetrySettings retry;
        const UnknownSettings unknown;
        const RetryRules policy(retry, unknown);
        SeededRandom random(3);
        std::chrono::nanoseconds highest{0};
        for (int i = 0; i < 1000; ++i) highest = std::max(highest, policy.backoff(1, random));
        QVERIFY(highest <= 500ms && highest > 450ms);
        QVERIFY(policy.ceilingOf(3) == 2s);
        QVERIFY(policy.ceilingOf(40) == 60s);
    }

    void failureClassesDecideWhatFollows()
    {
        using enum FailureClass;
        using Step = RetryVerdict::Step;
        CallPast past;
        QVERIFY(stepAfter(ContentRefused, {}, past) == Step::GiveUp);
        QVERIFY(stepAfter(BadRequest, {}, past) == Step::GiveUp);
        QVERIFY(stepAfter(TooLarge, {.otherModel = true}, past) == Step::OtherModel);
        for (int i = 0; i < 200; ++i) QVERIFY(stepAfter(KeyRefused, {}, past) == Step::Again);
        for (int i = 0; i < 200; ++i) QVERIFY(stepAfter(Outage, {}, past) == Step::Again);
        for (int i = 0; i < 15; ++i) QVERIFY(stepAfter(Outage, {.othersAnswered = true}, past) == Step::Again);
        QVERIFY(stepAfter(Outage, {.othersAnswered = true}, past) == Step::GiveUp);
    }

    void unknownOutcomeIsRepeatedAsThePolicySays()
    {
        using enum FailureClass;
        using Step = RetryVerdict::Step;
        CallPast cheap;
        QVERIFY(stepAfter(TimedOut, {.cheap = true}, cheap) == Step::Again);
        QVERIFY(stepAfter(TimedOut, {.cheap = true}, cheap) == Step::GiveUp);
        CallPast dear;
        QVERIFY(stepAfter(ServerError, {}, dear) == Step::GiveUp);
        CallPast keyed;
        for (int i = 0; i < 3; ++i) QVERIFY(stepAfter(Unknown, {.repeatable = true}, keyed) == Step::Again);
        QVERIFY(stepAfter(Unknown, {.repeatable = true}, keyed) == Step::GiveUp);
        CallPast asked;
        UnknownSettings ask;
        ask.policy = UnknownPolicy::Ask;
        QVERIFY(stepAfter(Unknown, {.cheap = true}, asked, ask) == Step::GiveUp);
    }

    void hiddenLimitIsFoundByAFewRefusals()
    {
        Ramp ramp;
        QVERIFY(ramp.mayOpen(63) && !ramp.mayOpen(64));
        for (int i = 0; i < 36; ++i) ramp.answered();
        QVERIFY(ramp.mayOpen(99) && !ramp.mayOpen(100));
        ramp.refused(99);
        QVERIFY(ramp.mayOpen(69) && !ramp.mayOpen(70));
        for (int i = 0; i < 70; ++i) ramp.answered();
        QVERIFY(ramp.mayOpen(70) && !ramp.mayOpen(71));
        for (int i = 0; i < 100; ++i) ramp.refused(0);
        QVERIFY(ramp.mayOpen(0) && !ramp.mayOpen(1));
    }
};

QTEST_GUILESS_MAIN(HealthTest)
#include "health_test.moc"
