#include "core/base/json.h"
#include "core/rehearsal/world/world_file.h"

#include <QTest>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

ApiSettings userSettings()
{
    ApiSettings settings;
    ProviderSettings openai;
    openai.name = "openai";
    openai.baseUrl = "https://api.example.com/v1";
    openai.proxy = "http://proxy.example.com";
    openai.options =
        std::make_shared<const Json>(Json{{"chat_path", "/elsewhere"}, {"max_tokens_field", "max_tokens"}});
    AccountSettings main;
    main.name = "openai/main";
    main.scope = "api.example.com#0123456789abcdef";
    main.keySource = "env:OPENAI_KEY"; // not loaded
    main.limits.windows = {{LimitUnit::Requests, 4, 60s}};
    main.organisation = "team";
    AccountSettings spare = main;
    spare.name = "openai/spare";
    openai.accounts = {main, spare};
    ProviderSettings detector;
    detector.name = "detector";
    detector.protocol = ProtocolKind::ModelService;
    detector.accounts.resize(2);
    detector.accounts[0].name = "detector/1";
    detector.accounts[1].name = "detector/2";
    detector.accounts[1].baseUrl = "http://10.0.0.7:8000";
    ProviderSettings jobs;
    jobs.name = "jobs";
    jobs.protocol = ProtocolKind::RemoteJob;
    jobs.capability = CapabilityClass::B;
    jobs.accounts = {main};
    jobs.accounts[0].name = "jobs/main";
    settings.providers = {openai, detector, jobs};
    settings.organisations = {{"team", {}}};
    settings.organisations[0].limits.concurrency = 7;
    const auto model = [](const char* name, std::size_t provider) {
        ApiModel made;
        made.name = name;
        made.provider = provider;
        made.remoteName = std::string(name) + "-2026";
        return made;
    };
    settings.models = {model("writer", 0), model("painter", 0), model("detector", 1), model("tryon", 2)};
    settings.models[1].price.perImage = Nanos(40'000'000);
    settings.models[2].options = std::make_shared<const Json>(Json{{"latency_ms", 250}});
    settings.models[3].price.perImage = Nanos(10);
    RouteSettings text;
    text.choices = {{0, 1}};
    RouteSettings image;
    image.kind = RouteKind::Image;
    image.choices = {{1, 1}};
    settings.routes = {text, image};
    return settings;
}

} // namespace

class WorldTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theWorldHasTheUsersAccountsLimitsAndModels()
    {
        const SimulatedWorld world = worldOf(userSettings(), 20, 5);
        QCOMPARE(world.speed, 20.0);
        QCOMPARE(world.services.size(), std::size_t{3});
        const SimulatedService& openai = world.services[0];
        QCOMPARE(openai.accounts.size(), std::size_t{2});
        QCOMPARE(openai.accounts[0].name, std::string("openai/main"));
        QCOMPARE(openai.accounts[0].limits.windows[0].count, std::int64_t{4});
        QVERIFY(openai.accounts[0].key != openai.accounts[1].key);
        QCOMPARE(*openai.organisations.at("team").concurrency, std::int64_t{7});
        QCOMPARE(openai.models[0].name, std::string("writer-2026"));
        QVERIFY(!openai.models[0].makesPictures && openai.models[1].makesPictures);
        QVERIFY(world.services[2].models[0].makesPictures); // by its price: no route names it
    }

    void latenciesComeFromTheOptionsOrTheKind()
    {
        const SimulatedWorld world = worldOf(userSettings(), 1, 5);
        QCOMPARE(world.services[0].models[0].latency.median.count(), std::int64_t{15'000});
        QCOMPARE(world.services[0].models[1].latency.median.count(), std::int64_t{40'000});
        QCOMPARE(world.services[0].models[1].latency.sigma, 0.25);
        QCOMPARE(world.services[1].models[0].latency.median.count(), std::int64_t{250});
        QCOMPARE(world.services[1].models[0].latency.sigma, 0.0);
    }

    void redirectedSettingsCallTheSimulatedServicesAlone()
    {
        const ApiSettings real = userSettings();
        const SimulatedWorld world = worldOf(real, 1, 5);
        const auto provider = SimulatedProvider::start(world);
        QVERIFY(provider);
        const ApiSettings settings = redirected(real, world, **provider);
        const std::string here = "http://127.0.0.1:" + std::to_string((*provider)->port());
        QCOMPARE(settings.providers[0].baseUrl, here + "/openai/v1");
        QVERIFY(settings.providers[0].proxy.empty());
        QCOMPARE(settings.providers[0].accounts[0].key->reveal(), std::string_view(world.services[0].accounts[0].key));
        QVERIFY(settings.providers[0].accounts[0].scope != real.providers[0].accounts[0].scope);
        QVERIFY(settings.providers[0].accounts[0].scope != settings.providers[0].accounts[1].scope);
        QVERIFY(!settings.providers[0].options->contains("chat_path"));
        QVERIFY(settings.providers[0].options->contains("max_tokens_field"));
        QCOMPARE(settings.providers[1].accounts[1].baseUrl, here + "/detector/1");
        QVERIFY(settings.providers[1].accounts[1].key == nullptr);
        QCOMPARE((*settings.providers[2].options)["lookup"].get<std::string>(),
                 std::string("/jobs?reference={reference}"));
        QCOMPARE(settings.providers[0].accounts[0].limits.windows, real.providers[0].accounts[0].limits.windows);
    }

    void worldsSurviveTheirFile()
    {
        SimulatedWorld world = worldOf(userSettings(), 20, 5);
        SimulatedFault fault;
        fault.kind = FaultKind::Lie;
        fault.variant = 12;
        fault.probability = 0.25;
        fault.firstCalls = 3;
        fault.until = 90s;
        fault.contains = "x";
        world.services[0].faults = {fault};
        world.services[0].capability = CapabilityClass::A;
        world.services[0].accounts[0].limits.concurrency = 9;
        world.keepEntries = false;
        world.ledgerFile = "/somewhere/ledger.jsonl";
        const auto again = readWorld(worldJson(world));
        QVERIFY(again);
        QVERIFY(worldJson(*again) == worldJson(world));
        QCOMPARE(*again->services[0].faults[0].firstCalls, std::int64_t{3});
        QCOMPARE(*again->services[0].accounts[0].limits.concurrency, std::int64_t{9});
    }

    void wrongWordsInAFileAreNamed()
    {
        const auto unknown = readWorld({{"services", Json::array({{{"protocol", "telepathy"}}})}});
        QVERIFY(!unknown);
        QVERIFY(unknown.error().message.find("telepathy") != std::string::npos);
        QVERIFY(!readWorld({{"speed", "fast"}}));
        QVERIFY(!SimulatedProvider::start([] {
            SimulatedWorld world;
            world.speed = 0;
            return world;
        }()));
    }

    void verdictsSurviveTheirText()
    {
        Verdict verdict;
        verdict.calls = 7;
        verdict.sameBody = 2;
        verdict.concurrencyOf["main"] = 3;
        verdict.cost["USD"] = Nanos(12345);
        const auto again = readVerdict(verdictJson(verdict));
        QVERIFY(again);
        QVERIFY(verdictJson(*again) == verdictJson(verdict));
        QCOMPARE(again->cost.at("USD").count(), std::int64_t{12345});
    }
};

QTEST_GUILESS_MAIN(WorldTest)
#include "world_test.moc"
