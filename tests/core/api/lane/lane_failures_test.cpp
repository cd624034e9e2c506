#include "core/base/json.h"
#include "tests/core/api/lane/lane_rig.h"

#include <algorithm>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;
using std::chrono::milliseconds;

namespace {

SimulatedFault fault(FaultKind kind, std::optional<std::int64_t> calls = {}, int variant = 0)
{
    SimulatedFault made;
    made.kind = kind;
    made.firstCalls = calls;
    made.variant = variant;
    return made;
}

SimulatedWorld threeAccounts()
{
    SimulatedWorld world = oneService();
    world.services[0].accounts = {
        {"one", "sk-one-0123456789", {}, {}}, {"two", kCanaryKey, {}, {}}, {"three", "sk-three-0123456789", {}, {}}};
    return world;
}

std::int64_t answered(const LaneRig& rig)
{
    const auto ended = rig.ended();
    return std::ranges::count_if(ended, [](const Ended& one) { return one.answer.has_value(); });
}

} // namespace

class LaneFailuresTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void throttledCallsWaitAndAreAnswered_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("decimal seconds") << int(FaultKind::ThrottleDecimal);
        QTest::newRow("milliseconds") << int(FaultKind::ThrottleMillis);
        QTest::newRow("reset header") << int(FaultKind::ThrottleReset);
        QTest::newRow("seconds") << int(FaultKind::ThrottleSeconds);
        QTest::newRow("date") << int(FaultKind::ThrottleDate);
        QTest::newRow("no hint") << int(FaultKind::ThrottleBare);
        QTest::newRow("garbage") << int(FaultKind::ThrottleGarbage);
    }

    void throttledCallsWaitAndAreAnswered()
    {
        QFETCH(int, kind);
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(fault(static_cast<FaultKind>(kind), 1, 30));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.attempts, 2);
        QCOMPARE(Nanos(rig.provider->verdict().cost["USD"]).units(), answer->provenance.cost);
        QCOMPARE(rig.provider->verdict().early, std::int64_t{0});
    }

    void outageMakesWorkWaitAndFailsNothing()
    {
        LaneRig rig(oneService());
        rig.provider->addFault("svc", fault(FaultKind::Unavailable));
        for (int item = 0; item < 20; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitUntil([&] { return !rig.pauses().empty() && !rig.waits().empty(); }));
        QCOMPARE(rig.ended().size(), 0U);
        rig.provider->clearFaults();
        QVERIFY(rig.waitFor(20));
        QCOMPARE(answered(rig), std::int64_t{20});
        const auto pauses = rig.pauses();
        QCOMPARE(pauses.front().reason, Reason::ProviderOutage);
        QVERIFY(pauses.front().paused);
        QVERIFY(rig.waitUntil([&] { return !rig.pauses().back().paused; }));
        QVERIFY(!rig.waits().back().waiting);
    }

    void accountWithoutBalanceIsBenchedAndTheOthersGoOn()
    {
        SimulatedWorld world = threeAccounts();
        SimulatedFault empty = fault(FaultKind::QuotaEmpty);
        empty.account = "two";
        world.services[0].faults.push_back(empty);
        LaneRig rig(world);
        for (int item = 0; item < 30; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(30));
        QCOMPARE(answered(rig), std::int64_t{30});
        for (const Ended& one : rig.ended()) QVERIFY(one.answer->provenance.account != "svc/two");
        QVERIFY(rig.waitUntil([&] {
            return std::ranges::any_of(rig.lane->accounts(), [](const ApiAccountView& account) {
                return account.account == "svc/two" && account.state != "ok";
            });
        }));
    }

    void revokedKeyIsBenchedAndShownNowhere()
    {
        SimulatedWorld world = threeAccounts();
        SimulatedFault revoked = fault(FaultKind::KeyRevoked);
        revoked.account = "two";
        world.services[0].faults.push_back(revoked);
        LaneRig rig(world);
        for (int item = 0; item < 30; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(30));
        QCOMPARE(answered(rig), std::int64_t{30});
        rig.closeLane();
        const std::string told = rig.everythingTold();
        QVERIFY(told.find("svc/two") != std::string::npos);
        QVERIFY(told.find(kCanaryKey) == std::string::npos);
    }

    void contentThatIsRefusedFailsItsItemAtOnce()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(fault(FaultKind::ContentRefused));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QCOMPARE(answer.error().reason, Reason::ProviderContentPolicy);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void callThatIsCutAfterItLeftIsRepeatedOnceAndCounted_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("before a byte") << int(FaultKind::ResetBeforeByte);
        QTest::newRow("after the headers") << int(FaultKind::ResetAfterHeaders);
        QTest::newRow("within the body") << int(FaultKind::ResetMidBody);
        QTest::newRow("500 after the work") << int(FaultKind::ServerError);
    }

    void callThatIsCutAfterItLeftIsRepeatedOnceAndCounted()
    {
        QFETCH(int, kind);
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(fault(static_cast<FaultKind>(kind), 1));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.attempts, 2);
        // Nobody sent more than the journal knows, and what may have been charged is counted.
        QCOMPARE(static_cast<std::size_t>(rig.provider->verdict().calls), rig.recorder->intents().size());
        QCOMPARE(rig.recorder->reports().at(0).outcome, AttemptOutcome::Unknown);
        QVERIFY(answer->provenance.cost >= rig.provider->verdict().cost["USD"].units());
    }

    void idempotencyKeyIsRepeatedAndNothingIsPaidTwice()
    {
        SimulatedWorld world = oneService();
        world.services[0].capability = CapabilityClass::A;
        world.services[0].faults.push_back(fault(FaultKind::ResetBeforeByte, 1));
        LaneRig rig(world, [](ApiSettings& settings) {
            settings.providers[0].options =
                std::make_shared<const Json>(Json{{"idempotency_header", "Idempotency-Key"}});
        });
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        const auto intents = rig.recorder->intents();
        QCOMPARE(intents.size(), 2U);
        QCOMPARE(intents[0].idempotencyKey, intents[1].idempotencyKey);
        QCOMPARE(rig.provider->verdict().paidTwice, std::int64_t{0});
        QCOMPARE(rig.provider->verdict().executed, std::int64_t{1});
    }

    void fallbackAnswersAndSaysWhy()
    {
        SimulatedWorld world = oneService();
        SimulatedService second = world.services[0];
        second.name = "spare";
        second.accounts[0].key = "sk-spare-0123456789";
        world.services.push_back(second);
        world.services[0].faults.push_back(fault(FaultKind::Unavailable));
        LaneRig rig(world);
        for (int item = 0; item < 20; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(20));
        QCOMPARE(answered(rig), std::int64_t{20});
        for (const Ended& one : rig.ended()) {
            QCOMPARE(one.answer->provenance.provider, std::string("spare"));
            QVERIFY2(!one.answer->provenance.note.empty(), "the note says why not the first choice");
        }
    }

    void budgetIsNeverOverrunAndStopsTheJob()
    {
        LaneRig rig(oneService());
        rig.job.budget = Money{nanosOf(0.02), "USD"};
        rig.restart();
        for (int item = 0; item < 200; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitUntil([&] { return !rig.stops().empty(); }));
        QCOMPARE(rig.stops()[0].reason, Reason::BudgetReached);
        rig.lane->cancelWaiting();
        QVERIFY(rig.waitFor(200));
        QVERIFY(answered(rig) > 0);
        QVERIFY(rig.provider->verdict().cost["USD"] <= nanosOf(0.02));
    }

    void noLimitIsExceededAndNothingIsRefused()
    {
        SimulatedWorld world = threeAccounts();
        for (SimulatedAccount& account : world.services[0].accounts) {
            account.limits.windows = {{LimitUnit::Requests, 20, milliseconds(300)}};
            account.limits.concurrency = 4;
        }
        LaneRig rig(world);
        for (int item = 0; item < 240; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(240));
        QCOMPARE(answered(rig), std::int64_t{240});
        QCOMPARE(rig.provider->verdict().violations, std::int64_t{0});
        QCOMPARE(rig.provider->verdict().refusals, std::int64_t{0});
        QCOMPARE(rig.provider->verdict().paidTwice, std::int64_t{0});
    }

    void hangingCallEndsAtItsTimeLimit()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(fault(FaultKind::Hang, 1));
        LaneRig rig(world, [](ApiSettings& settings) { settings.models[0].timeout = milliseconds(200); });
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(rig.recorder->reports().at(0).failure, std::string("timed_out"));
    }
};

QTEST_GUILESS_MAIN(LaneFailuresTest)
#include "lane_failures_test.moc"
