#include "core/base/json.h"
#include "tests/core/api/lane/lane_rig.h"

#include <map>
#include <QTest>
#include <set>

using namespace aiflow;
using namespace aiflow::test;
using std::chrono::milliseconds;

namespace {

constexpr int kHonest = 100;

std::string promptOf(int number) { return "a chair, number " + std::to_string(number) + "."; }

// All lies of one kind of answer, told in one run, each once, and one honest answer to compare with.
std::map<int, Result<ApiAnswer>> outcomes(LaneRig& rig, const std::string& route, const std::string& schema)
{
    for (int lie = 0; lie < kLieVariants; ++lie) {
        SimulatedFault fault;
        fault.kind = FaultKind::Lie;
        fault.variant = lie;
        fault.contains = promptOf(lie);
        rig.provider->addFault("svc", fault);
    }
    // Floods and bombs keep a slow machine busy: the honest answer comes before them.
    rig.ask(kHonest, textRequest(promptOf(kHonest), schema), route);
    if (!rig.waitFor(1)) return {};
    for (int lie = 0; lie < kLieVariants; ++lie) rig.ask(lie, textRequest(promptOf(lie), schema), route);
    std::map<int, Result<ApiAnswer>> all;
    if (!rig.waitFor(static_cast<std::size_t>(kLieVariants) + 1)) return all;
    for (const Ended& one : rig.ended()) all.emplace(static_cast<int>(one.call.task.item.value()), one.answer);
    return all;
}

// What must come of a lie; nothing: what came is an answer all the same.
std::optional<Reason> expectedOf(const std::string& name, const std::string& route, bool object)
{
    static const std::set<std::string> kHarmless{"byte order mark", "duplicate keys", "another model",
                                                 "negative usage",  "absurd usage",   "no usage"};
    // A text may say anything, and one more of what was asked for once is ignored.
    static const std::set<std::string> kTexts{"expired URL", "no base64", "half a picture"};
    if (kHarmless.contains(name)) return std::nullopt;
    if (route == "image" && name == "unknown status word") return std::nullopt; // pictures come without one
    if (route == "text" && name == "one too many") return std::nullopt;
    if (route == "text" && !object && kTexts.contains(name)) return std::nullopt;
    if (name == "shorter than announced" || name == "no gzip although it says so") return Reason::ProviderOutage;
    if (name == "endless drip") return Reason::ProviderTimeout;
    if (name == "redirect") return Reason::InputFieldBad;
    return Reason::ProviderBadOutput;
}

void oneTryOnly(ApiSettings& settings)
{
    settings.retry.attempts = 1;
    settings.retry.reasks = 0;
    settings.unknown.policy = UnknownPolicy::Fail;
    settings.models[0].timeout = milliseconds(2500);
    settings.breaker.failures = 1000;
    settings.breaker.minimumCalls = 1000;
}

} // namespace

class LaneLiesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void noLieIsTakenForAnAnswer_data()
    {
        QTest::addColumn<QString>("route");
        QTest::addColumn<QString>("schema");
        QTest::newRow("text") << "text"
                              << "";
        QTest::newRow("object") << "text"
                                << R"({"type":"object","properties":{"title":{"type":"string","minLength":1}},
                                       "required":["title"],"additionalProperties":false})";
        QTest::newRow("picture") << "image"
                                 << "";
    }

    void noLieIsTakenForAnAnswer()
    {
        QFETCH(QString, route);
        QFETCH(QString, schema);
        LaneRig rig(oneService(), oneTryOnly);
        const auto all = outcomes(rig, route.toStdString(), schema.toStdString());
        QCOMPARE(all.size(), static_cast<std::size_t>(kLieVariants) + 1);
        const auto& honest = all.at(kHonest);
        QVERIFY2(honest, honest ? "" : honest.error().text().c_str());
        for (int lie = 0; lie < kLieVariants; ++lie) {
            const Result<ApiAnswer>& answer = all.at(lie);
            const std::string name = lieName(lie);
            const auto expected = expectedOf(name, route.toStdString(), !schema.isEmpty());
            const std::string told = name + ": " + (answer ? answer->body : answer.error().text());
            QVERIFY2(answer.has_value() == !expected.has_value(), told.c_str());
            if (expected) QVERIFY2(answer.error().reason == *expected, told.c_str());
        }
    }

    void whatCameIsKept()
    {
        LaneRig rig(oneService(), oneTryOnly);
        QCOMPARE(outcomes(rig, "text", {}).size(), static_cast<std::size_t>(kLieVariants) + 1);
        int kept = 0;
        for (const AttemptReport& report : rig.recorder->reports()) {
            if (report.outcome != AttemptOutcome::Failed) continue;
            QVERIFY(!report.message.empty());
            kept += report.body.empty() && report.bodyFile.empty() ? 0 : 1;
        }
        // All but those that hold nothing, never end or end too early.
        QVERIFY2(kept >= 20, std::to_string(kept).c_str());
    }
};

QTEST_GUILESS_MAIN(LaneLiesTest)
#include "lane_lies_test.moc"
