#include "core/base/json.h"
#include "tests/core/api/lane/lane_rig.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;
using std::chrono::milliseconds;

namespace {

// What the journal of a killed process holds of its only call.
OpenAttempt leftOpen(const LaneRig& rig)
{
    OpenAttempt open;
    open.intent = rig.recorder->intents().at(0);
    if (!rig.recorder->remoteIds().empty()) open.remoteId = rig.recorder->remoteIds()[0];
    open.ageMs = 1000;
    return open;
}

ApiCall again(const OpenAttempt& open, const std::string& request, const std::string& route = "text")
{
    ApiCall call;
    call.task = open.intent.task;
    call.itemId = "item-1";
    call.route = route;
    call.request = request;
    call.open = {open};
    return call;
}

OpenAttempt invented(const std::string& attempt, Money reserved)
{
    OpenAttempt open;
    open.intent.attempt = attempt;
    open.intent.task = {ItemIndex(1), StepIndex(0), -1};
    open.intent.provider = "svc";
    open.intent.model = "svc-m";
    open.intent.account = "svc/main";
    open.intent.idempotencyKey = "aiflow-" + attempt;
    open.intent.reserved = reserved;
    return open;
}

} // namespace

class LaneRecoveryTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void remoteJobGoesOnByItsIdWithoutASecondSubmit()
    {
        SimulatedWorld world = oneService(ProtocolKind::RemoteJob);
        world.services[0].models[0].latency.median = milliseconds(400);
        LaneRig rig(world);
        const std::string request = textRequest("a chair");
        rig.ask(1, request);
        QVERIFY(rig.waitUntil([&] { return !rig.recorder->remoteIds().empty(); }));
        const OpenAttempt open = leftOpen(rig);
        rig.restart();
        rig.submit(again(open, request));
        QVERIFY(rig.waitFor(2));
        const auto ended = rig.ended().back();
        QVERIFY2(ended.answer, ended.answer ? "" : ended.answer.error().text().c_str());
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        QCOMPARE(rig.provider->verdict().paidTwice, std::int64_t{0});
        QCOMPARE(rig.recorder->reports().back().attempt, open.intent.attempt);
        QCOMPARE(rig.recorder->reports().back().outcome, AttemptOutcome::Responded);
        QCOMPARE(ended.answer->provenance.attempts, 1);
    }

    void idempotencyKeyOfAnEarlierProcessIsRepeated()
    {
        SimulatedWorld world = oneService();
        world.services[0].capability = CapabilityClass::A;
        world.services[0].models[0].latency.median = milliseconds(300);
        const LaneRig::Adjust honours = [](ApiSettings& settings) {
            settings.providers[0].options =
                std::make_shared<const Json>(Json{{"idempotency_header", "Idempotency-Key"}});
        };
        LaneRig rig(world, honours);
        const std::string request = textRequest("a chair");
        rig.ask(1, request);
        QVERIFY(rig.waitUntil([&] { return rig.provider->open() > 0; }));
        const OpenAttempt open = leftOpen(rig);
        rig.restart(honours);
        rig.submit(again(open, request));
        QVERIFY(rig.waitFor(2));
        QVERIFY(rig.ended().back().answer);
        QCOMPARE(rig.recorder->intents().size(), 1U); // it is the same attempt
        QCOMPARE(rig.provider->verdict().paidTwice, std::int64_t{0});
    }

    void answerThatTheJournalHoldsIsNotAskedForAgain()
    {
        LaneRig rig(oneService());
        const std::string request = textRequest("a chair");
        const auto first = rig.answerOf(1, request);
        QVERIFY(first);
        OpenAttempt open = leftOpen(rig);
        open.answered = rig.recorder->reports().at(0);
        rig.restart();
        rig.submit(again(open, request));
        QVERIFY(rig.waitFor(2));
        QVERIFY(rig.ended().back().answer);
        QCOMPARE(rig.ended().back().answer->body, first->body);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        QCOMPARE(rig.recorder->reports().size(), 1U);
    }

    void pictureThatTheJournalHoldsIsNotAskedForAgain_data()
    {
        QTest::addColumn<qint64>("bytes");
        QTest::newRow("small") << qint64{0};
        QTest::newRow("middle") << qint64{20'000};
        QTest::newRow("large") << qint64{1'000'000};
    }

    void pictureThatTheJournalHoldsIsNotAskedForAgain()
    {
        QFETCH(qint64, bytes);
        SimulatedWorld world = oneService();
        world.services[0].models[0].pictureBytes = bytes;
        LaneRig rig(world);
        const std::string request = textRequest("a chair");
        const auto first = rig.answerOf(1, request, "image");
        QVERIFY(first);
        OpenAttempt open = leftOpen(rig);
        open.answered = rig.recorder->reports().at(0);
        for (const ApiFile& file : first->files)
            if (!file.spooled.empty()) std::filesystem::remove(file.spooled);
        rig.restart();
        rig.submit(again(open, request, "image"));
        QVERIFY(rig.waitFor(2));
        const auto ended = rig.ended().back();
        QVERIFY2(ended.answer, ended.answer ? "" : ended.answer.error().text().c_str());
        QCOMPARE(ended.answer->files.at(0).size, first->files.at(0).size);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void spooledAnswerIsAdoptedThoughTheJournalDoesNotKnowIt()
    {
        SimulatedWorld world = oneService();
        world.services[0].models[0].pictureBytes = 500'000;
        LaneRig rig(world);
        const std::string request = textRequest("a chair");
        QVERIFY(rig.answerOf(1, request, "image"));
        const OpenAttempt open = leftOpen(rig);
        rig.restart();
        rig.submit(again(open, request, "image"));
        QVERIFY(rig.waitFor(2));
        QVERIFY(rig.ended().back().answer);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        QCOMPARE(rig.recorder->reports().back().outcome, AttemptOutcome::Responded);
        QCOMPARE(rig.recorder->reports().size(), 2U);
    }

    void unknownOutcomeIsRepeatedOnceAndRecorded()
    {
        LaneRig rig(oneService());
        rig.submit(again(invented("a1", {nanosOf(0.01), "USD"}), textRequest("a chair")));
        QVERIFY(rig.waitFor(1));
        QVERIFY(rig.find(1)->answer);
        QCOMPARE(rig.find(1)->answer->provenance.attempts, 2);
        const auto reports = rig.recorder->reports();
        QCOMPARE(reports.at(0).attempt, std::string("a1"));
        QCOMPARE(reports.at(0).outcome, AttemptOutcome::Unknown);
        QCOMPARE(reports.at(0).cost.amount, nanosOf(0.01));
    }

    void unknownOutcomeThatIsDearIsLeftToAPerson()
    {
        LaneRig rig(oneService());
        rig.submit(again(invented("a1", {nanosOf(0.5), "USD"}), textRequest("a chair")));
        QVERIFY(rig.waitFor(1));
        const Result<ApiAnswer> answer = rig.find(1)->answer;
        QVERIFY(!answer);
        QVERIFY(answer.error().message.find("0.50 USD") != std::string::npos);
        QVERIFY(!answer.error().hint.empty());
        QCOMPARE(rig.provider->ledger().size(), 0U);
        QVERIFY(rig.waitUntil([&] { return !rig.recorder->reports().empty(); }));
        QCOMPARE(rig.recorder->reports().at(0).outcome, AttemptOutcome::Unknown);
    }

    void unknownOutcomeFailsWhereThePolicySaysSo()
    {
        LaneRig rig(oneService(), [](ApiSettings& settings) { settings.unknown.policy = UnknownPolicy::Fail; });
        rig.submit(again(invented("a1", {nanosOf(0.001), "USD"}), textRequest("a chair")));
        QVERIFY(rig.waitFor(1));
        QVERIFY(!rig.find(1)->answer);
        QCOMPARE(rig.provider->ledger().size(), 0U);
    }

    void remoteJobWhoseSubmitGotNoAnswerIsLookedUp()
    {
        SimulatedWorld world = oneService(ProtocolKind::RemoteJob);
        world.services[0].capability = CapabilityClass::B;
        SimulatedFault lost;
        lost.kind = FaultKind::ResetBeforeByte;
        lost.firstCalls = 1;
        world.services[0].faults.push_back(lost);
        LaneRig rig(world, [](ApiSettings& settings) {
            settings.providers[0].options = std::make_shared<const Json>(
                Json{{"reference", "reference"}, {"lookup", "/jobs?reference={reference}"}});
        });
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        QCOMPARE(rig.provider->verdict().paidTwice, std::int64_t{0});
        QCOMPARE(answer->provenance.attempts, 1);
    }
};

QTEST_GUILESS_MAIN(LaneRecoveryTest)
#include "lane_recovery_test.moc"
