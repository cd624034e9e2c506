#include "core/base/json.h"
#include "tests/core/api/lane/lane_rig.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;
using std::chrono::milliseconds;

namespace {

const char* const kSchema = R"({"type":"object","properties":{"title":{"type":"string"},"score":{"type":"integer"}},
                                "required":["title","score"],"additionalProperties":false})";

SimulatedFault first(FaultKind kind, std::int64_t calls = 1)
{
    SimulatedFault fault;
    fault.kind = kind;
    fault.firstCalls = calls;
    return fault;
}

} // namespace

class LaneAnswersTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyProtocolAnswersWithItsProvenance_data()
    {
        QTest::addColumn<int>("protocol");
        QTest::addColumn<QString>("route");
        QTest::newRow("openai text") << int(ProtocolKind::OpenAi) << "text";
        QTest::newRow("openai image") << int(ProtocolKind::OpenAi) << "image";
        QTest::newRow("gemini text") << int(ProtocolKind::Gemini) << "text";
        QTest::newRow("gemini image") << int(ProtocolKind::Gemini) << "image";
        QTest::newRow("anthropic text") << int(ProtocolKind::Anthropic) << "text";
        QTest::newRow("remote job text") << int(ProtocolKind::RemoteJob) << "text";
        QTest::newRow("remote job image") << int(ProtocolKind::RemoteJob) << "image";
    }

    void everyProtocolAnswersWithItsProvenance()
    {
        QFETCH(int, protocol);
        QFETCH(QString, route);
        SimulatedWorld world = oneService(static_cast<ProtocolKind>(protocol));
        const bool picture = route == QLatin1String("image");
        if (!picture) world.services[0].models[0].price.perImage = {};
        LaneRig rig(world);
        const auto answer = rig.answerOf(
            1, picture ? R"({"prompt":"a chair","size":"256x256"})" : textRequest("a chair"), route.toStdString());
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        const auto body = parseJson(answer->body);
        QVERIFY(body && body->is_object());
        if (route == QLatin1String("text")) {
            QVERIFY(!body->at("text").get<std::string>().empty());
        } else {
            QCOMPARE(body->at("images").get<int>(), 1);
            QCOMPARE(answer->files.size(), 1U);
            QVERIFY(answer->files[0].mediaType.starts_with("image/"));
            QVERIFY(answer->files[0].size > 0);
            const auto onDisk = answer->files[0].spooled;
            QCOMPARE(static_cast<std::int64_t>(onDisk.empty() ? answer->files[0].bytes.size()
                                                              : std::filesystem::file_size(onDisk)),
                     answer->files[0].size);
        }
        QCOMPARE(answer->provenance.provider, std::string("svc"));
        QCOMPARE(answer->provenance.account, std::string("svc/main"));
        QCOMPARE(answer->provenance.attempts, 1);
        QCOMPARE(answer->provenance.note, std::string());
        QVERIFY(answer->provenance.cost > 0);
        QCOMPARE(answer->provenance.currency, std::string("USD"));
        QCOMPARE(Nanos(rig.provider->verdict().cost["USD"]).units(), answer->provenance.cost);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void embeddingsComeBackAsNumbers()
    {
        LaneRig rig(oneService());
        const auto answer = rig.answerOf(1, R"({"text":"a chair"})", "embedding");
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QVERIFY(parseJson(answer->body)->at("embedding").is_array());
    }

    void answerThatFitsItsSchemaIsTheSchemasObject()
    {
        LaneRig rig(oneService());
        const auto answer = rig.answerOf(1, textRequest("a chair", kSchema));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QVERIFY(parseJson(answer->body)->at("title").is_string());
    }

    void answerThatDoesNotFitIsAskedForAgainAndPaidForHonestly()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(first(FaultKind::Misfit));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair", kSchema));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.attempts, 2);
        QCOMPARE(Nanos(rig.provider->verdict().cost["USD"]).units(), answer->provenance.cost);
        const auto reports = rig.recorder->reports();
        QCOMPARE(reports.size(), 2U);
        QCOMPARE(reports[0].outcome, AttemptOutcome::Failed);
        QCOMPARE(reports[0].failure, std::string("misfit"));
        QVERIFY(!reports[0].body.empty());
        const auto ledger = rig.provider->ledger();
        QCOMPARE(ledger.size(), 2U);
        QVERIFY(ledger[0].bodyHash != ledger[1].bodyHash); // it was shown its mistake
    }

    void askingAgainIsBounded()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(first(FaultKind::Misfit, 100));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair", kSchema));
        QVERIFY(!answer);
        QCOMPARE(answer.error().reason, Reason::ProviderBadOutput);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{3});
    }

    void fencedAnswerIsRead()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(first(FaultKind::Fenced));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair", kSchema));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.attempts, 1);
    }

    void cutOffAnswerGetsMoreRoom()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(first(FaultKind::CutOff));
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.attempts, 2);
        const auto ledger = rig.provider->ledger();
        QVERIFY(ledger.at(0).bodyHash != ledger.at(1).bodyHash);
    }

    void cutOffAnswerWithoutMoreRoomFailsAtOnce()
    {
        SimulatedWorld world = oneService();
        world.services[0].faults.push_back(first(FaultKind::CutOff, 100));
        LaneRig rig(world, [](ApiSettings& settings) { settings.models[0].contextTokens = 1000; });
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY(!answer);
        QCOMPARE(answer.error().reason, Reason::ProviderBadOutput);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void pictureByAddressIsFetchedWithoutTheKey()
    {
        SimulatedWorld world = oneService();
        world.services[0].models[0].picturesByUrl = true;
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"), "image");
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->files.size(), 1U);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void largePictureIsSpooledNotHeld()
    {
        SimulatedWorld world = oneService();
        world.services[0].models[0].pictureBytes = 3'000'000;
        LaneRig rig(world);
        const auto answer = rig.answerOf(1, textRequest("a chair"), "image");
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QVERIFY(!answer->files.at(0).spooled.empty());
        QCOMPARE(answer->files[0].hash.size(), 64U);
        QVERIFY(answer->files[0].size >= 3'000'000);
        QVERIFY(rig.recorder->reports().at(0).body.size() < 65536);
    }

    void requestThatCannotBeMadeSendsNothing()
    {
        LaneRig rig(oneService());
        QCOMPARE(rig.answerOf(1, "{}").error().reason == Reason::Internal, false);
        QCOMPARE(rig.answerOf(2, "not json").error().reason, Reason::Internal);
        QCOMPARE(rig.answerOf(3, textRequest("x"), "nowhere").error().reason, Reason::UsageInvalid);
        QCOMPARE(rig.provider->ledger().size(), 0U);
        QVERIFY(rig.waitUntil([&] { return rig.lane->inFlight() == 0; }));
    }

    void routesAreNamedByTheirModels()
    {
        LaneRig rig(oneService());
        QVERIFY(rig.lane->hasRoute("text"));
        QVERIFY(!rig.lane->hasRoute("nowhere"));
        QCOMPARE(rig.lane->routeIdentity("text"), std::string("text: svc/m"));
        QCOMPARE(rig.lane->routes().size(), 3U);
    }

    void routeOfStandInsIsAnsweredWithoutANetwork()
    {
        LaneRig rig(oneService(), [](ApiSettings& settings) {
            ProviderSettings offline;
            offline.name = "offline";
            offline.protocol = ProtocolKind::Offline;
            offline.accounts.push_back({});
            offline.accounts[0].name = "offline/default";
            settings.providers.push_back(offline);
            ApiModel model;
            model.name = "stand-in";
            model.provider = settings.providers.size() - 1;
            settings.models.push_back(model);
            routeOf(settings, "text").choices = {{settings.models.size() - 1, 1}};
        });
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY2(answer, answer ? "" : answer.error().text().c_str());
        QCOMPARE(answer->provenance.note, std::string("offline stand-in"));
        QCOMPARE(rig.provider->ledger().size(), 0U);
        QCOMPARE(rig.lane->routeIdentity("text"), std::string("offline/template/1"));
    }
};

QTEST_GUILESS_MAIN(LaneAnswersTest)
#include "lane_answers_test.moc"
