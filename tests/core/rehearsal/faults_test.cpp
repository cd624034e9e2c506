#include <QTest>
#include <set>

#include "tests/core/rehearsal/stage.h"

using namespace aiflow;
using namespace aiflow::testing;
using namespace std::chrono_literals;

namespace {

struct Seen {
    LoopbackAnswer answer;
    Verdict verdict;
    LedgerEntry entry;
};

// One call that meets the fault.
Seen meet(SimulatedFault fault, Json more = Json::object())
{
    const auto provider = started(worldWith(plainService()));
    provider->addFault("sim", std::move(fault));
    LoopbackClient client(provider->port(), 1500ms);
    const LoopbackAnswer answer = client.exchange("POST", "/sim/v1/chat/completions", withKey("key-of-main"),
                                                  question("Describe a lamp", std::move(more)));
    if (!eventually([&] { return !provider->ledger().empty(); })) qFatal("the ledger stays empty");
    return {answer, provider->verdict(), provider->ledger().front()};
}

Seen meet(FaultKind kind, int variant = 0, Json more = Json::object())
{
    SimulatedFault fault;
    fault.kind = kind;
    fault.variant = variant;
    return meet(std::move(fault), std::move(more));
}

const Json kSchema = {{"type", "object"},
                      {"required", {"title"}},
                      {"properties", {{"title", {{"type", "string"}}}}},
                      {"additionalProperties", false}};
const Json kFormat = {
    {"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", kSchema}}}}}};

} // namespace

class FaultsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void throttlesTellTheirTimeInFiveForms()
    {
        QCOMPARE(meet(FaultKind::ThrottleSeconds, 2500).answer.header("retry-after"), std::string("3"));
        QCOMPARE(meet(FaultKind::ThrottleDecimal, 350).answer.header("retry-after"), std::string("0.350"));
        QCOMPARE(meet(FaultKind::ThrottleMillis, 350).answer.header("retry-after-ms"), std::string("350"));
        QCOMPARE(meet(FaultKind::ThrottleReset, 360'000).answer.header("x-ratelimit-reset-requests"),
                 std::string("6m0s"));
        const LoopbackAnswer dated = meet(FaultKind::ThrottleDate, 2000).answer;
        QVERIFY(dated.header("date").ends_with("GMT"));
        QVERIFY(dated.header("retry-after").ends_with("GMT"));
        QVERIFY(dated.header("retry-after") != dated.header("date"));
        const LoopbackAnswer bare = meet(FaultKind::ThrottleBare).answer;
        QCOMPARE(bare.status, 429);
        QVERIFY(bare.header("retry-after").empty() && bare.header("retry-after-ms").empty());
        std::set<std::string> nonsense;
        for (int variant = 0; variant < 10; ++variant)
            nonsense.insert(meet(FaultKind::ThrottleGarbage, variant).answer.header("retry-after"));
        QVERIFY(nonsense.size() >= 9);
    }

    void refusalsBeforeTheWorkCostNothing_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("status");
        QTest::newRow("throttled") << int(FaultKind::ThrottleSeconds) << 429;
        QTest::newRow("unavailable") << int(FaultKind::Unavailable) << 503;
        QTest::newRow("quota") << int(FaultKind::QuotaEmpty) << 429;
        QTest::newRow("key") << int(FaultKind::KeyRevoked) << 401;
    }
    void refusalsBeforeTheWorkCostNothing()
    {
        QFETCH(int, kind);
        QFETCH(int, status);
        const Seen seen = meet(static_cast<FaultKind>(kind));
        QCOMPARE(seen.answer.status, status);
        QCOMPARE(seen.verdict.executed, std::int64_t{0});
        QCOMPARE(seen.verdict.refusals, std::int64_t{0});
        QVERIFY(seen.verdict.cost.empty());
        QVERIFY(!seen.entry.executed && !seen.entry.charged && !seen.entry.refused && seen.entry.paid);
    }

    void anEmptyQuotaAndARevokedKeySayWhatTheyAre()
    {
        QCOMPARE(jsonOf(meet(FaultKind::QuotaEmpty).answer)["error"]["code"].get<std::string>(),
                 std::string("insufficient_quota"));
        QVERIFY(meet(FaultKind::KeyRevoked).answer.body.find("key-of-main") != std::string::npos);
    }

    void lostAnswersAreDoneAndCharged_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("end");
        QTest::addColumn<int>("status");
        QTest::newRow("500 afterwards") << int(FaultKind::ServerError) << int(AnswerEnd::Whole) << 500;
        QTest::newRow("hang") << int(FaultKind::Hang) << int(AnswerEnd::TimedOut) << 0;
        QTest::newRow("before a byte") << int(FaultKind::ResetBeforeByte) << int(AnswerEnd::Reset) << 0;
        QTest::newRow("after the headers") << int(FaultKind::ResetAfterHeaders) << int(AnswerEnd::Reset) << 200;
        QTest::newRow("within the body") << int(FaultKind::ResetMidBody) << int(AnswerEnd::Reset) << 200;
        QTest::newRow("after the body") << int(FaultKind::ResetAfterBody) << int(AnswerEnd::Whole) << 200;
    }
    void lostAnswersAreDoneAndCharged()
    {
        QFETCH(int, kind);
        QFETCH(int, end);
        QFETCH(int, status);
        const Seen seen = meet(static_cast<FaultKind>(kind));
        QCOMPARE(int(seen.answer.end), end);
        QCOMPARE(seen.answer.status, status);
        QCOMPARE(seen.verdict.executed, std::int64_t{1});
        QVERIFY(seen.entry.executed && seen.entry.charged);
        QVERIFY(seen.verdict.cost.at("USD").count() > 0);
        if (kind == int(FaultKind::ResetAfterHeaders)) QVERIFY(seen.answer.body.empty());
        if (kind == int(FaultKind::ResetMidBody)) QVERIFY(!seen.answer.body.empty() && jsonOf(seen.answer).is_null());
    }

    void theConnectionIsResetAfterAWholeBody()
    {
        const auto provider = started(worldWith(plainService()));
        SimulatedFault fault;
        fault.kind = FaultKind::ResetAfterBody;
        fault.firstCalls = 1;
        provider->addFault("sim", fault);
        LoopbackClient client(provider->port());
        const std::string body = question("a");
        QCOMPARE(client.exchange("POST", "/sim/v1/chat/completions", withKey("key-of-main"), body).status, 200);
        QVERIFY(eventually([&] { return provider->open() == 0; }));
        QCOMPARE(client.receive().end, AnswerEnd::Reset);
        QCOMPARE(provider->ledger().front().ending, std::string("reset by fault after the body"));
    }

    void largeAnswersAreResetOnlyWhenTheyArrived()
    {
        SimulatedService service = plainService();
        service.models[0].pictureBytes = 6 << 20;
        const auto provider = started(worldWith(std::move(service)));
        SimulatedFault fault;
        fault.kind = FaultKind::ResetAfterBody;
        provider->addFault("sim", fault);
        LoopbackClient client(provider->port());
        const LoopbackAnswer answer = client.exchange("POST", "/sim/v1/images/generations", withKey("key-of-main"),
                                                      R"({"model":"model","prompt":"a lamp"})");
        QCOMPARE(answer.end, AnswerEnd::Whole);
        QVERIFY(answer.body.size() > 8U << 20U);
    }

    void spoiltAnswersAreSpoiltAsDescribed()
    {
        const std::string right = textOf(meet(FaultKind::Lie, 29, kFormat).answer);
        QVERIFY(parseJson(right).has_value());
        const std::string misfit = textOf(meet(FaultKind::Misfit, 0, kFormat).answer);
        QVERIFY(parseJson(misfit).has_value() && !parseJson(misfit)->is_object());
        const std::string fenced = textOf(meet(FaultKind::Fenced, 0, kFormat).answer);
        QVERIFY(fenced.find("```json\n" + right + "\n```") != std::string::npos);
        const Seen cut = meet(FaultKind::CutOff, 0, kFormat);
        QCOMPARE(jsonOf(cut.answer)["choices"][0]["finish_reason"].get<std::string>(), std::string("length"));
        QVERIFY(right.starts_with(textOf(cut.answer)) && !parseJson(textOf(cut.answer)).has_value());
        const Seen refused = meet(FaultKind::ContentRefused);
        QVERIFY(jsonOf(refused.answer)["choices"][0]["message"]["refusal"].is_string());
        QCOMPARE(refused.answer.status, 200);
    }

    void rulesPickTheirCalls()
    {
        SimulatedService service = plainService();
        SimulatedFault onSecond;
        onSecond.account = "second";
        SimulatedFault onWord;
        onWord.contains = "poison";
        SimulatedFault twice;
        twice.model = "model";
        twice.firstCalls = 2;
        service.faults = {onSecond, onWord, twice};
        const auto provider = started(worldWith(std::move(service)));
        QCOMPARE(chat(*provider, "a", "key-of-second").status, 503);
        QCOMPARE(chat(*provider, "with poison in it").status, 503);
        QCOMPARE(chat(*provider, "b").status, 503);
        QCOMPARE(chat(*provider, "c").status, 503);
        QCOMPARE(chat(*provider, "d").status, 200);
        provider->clearFaults();
        QCOMPARE(chat(*provider, "e", "key-of-second").status, 200);
    }

    void rulesHaveTheirTimeInSimulatedLife()
    {
        SimulatedFault later;
        later.from = 10s;
        later.until = 20s;
        SimulatedService service = plainService();
        service.faults = {later};
        SimulatedWorld world = worldWith(std::move(service));
        world.speed = 50; // down from 0.2 s to 0.4 s
        const auto provider = started(std::move(world));
        int changes = 0;
        int last = 200;
        QVERIFY(eventually([&] {
            const int status = chat(*provider, "a").status;
            if (status != last) ++changes;
            last = status;
            return changes == 2;
        }));
        QCOMPARE(last, 200);
        for (const LedgerEntry& entry : provider->ledger())
            if (entry.status == 503) QVERIFY(!entry.executed);
    }

    void chancesComeTrueAsOftenAsTheyShould()
    {
        SimulatedFault fault;
        fault.probability = 0.3;
        SimulatedService service = plainService();
        service.faults = {fault};
        const auto provider = started(worldWith(std::move(service)));
        LoopbackClient client(provider->port());
        int failed = 0;
        for (int i = 0; i < 1000; ++i)
            failed +=
                client.exchange("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question(std::to_string(i)))
                            .status == 503
                    ? 1
                    : 0;
        QVERIFY(failed > 240 && failed < 360);
    }
};

QTEST_GUILESS_MAIN(FaultsTest)
#include "faults_test.moc"
