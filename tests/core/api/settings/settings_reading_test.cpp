// What a good configuration is read as.
#include "tests/core/api/settings/configured.h"

#include "core/api/settings/usual_latency.h"
#include "core/base/hash.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace aiflow;
using std::chrono::milliseconds;

namespace {

constexpr const char* kWhole = R"(
providers:
  hub:
    title: Image hub
    protocol: openai
    base_url: https://Images.example.com:8443/v1/
    accounts:
      main: { key: env:AIFLOW_TEST_KEY, organisation: shop, limits: { rpm: 4, concurrency: 2 }, weight: 2 }
      spare: { key: env:AIFLOW_TEST_SPARE }
    limits: { per_day: 1000, money: 10USD }
    headers: { X-Team: pictures }
    fetch_hosts: [cdn.example.com, 10.0.0.5:9000]
    http_version: 2
    timeout: 90s
    options: { image_format: url, extra: { quality: high } }
organisations:
  shop: { limits: { tpm: 100000, requests: { count: 50, per: 10s } } }
models:
  painter:
    provider: hub
    model: painter-3
    price: { input: 2.5, output: 10, cached_input: 0.25, image: 0.04, call: 0.001, currency: USD }
    context: 128000
    max_output: 2048
    timeout: 2m
    limits: { windows: [ { requests: 4, per: 60s }, { money: 1USD, per: 1h } ] }
  writer: { provider: hub, price: { input: 0, output: 0, currency: USD } }
routes:
  image: [painter]
  text: { models: [writer, painter], canary: 5, sticky: off, promotion: { calls: 20, tolerance: 0.1 } }
  mixed: { kind: text, models: [writer, painter], weights: { writer: 3, painter: 1 } }
budgets: { per_call: 0.5USD, per_item: 1USD, per_job: 60 USD, per_day: 100USD, per_month: 1000USD }
retry: { base: 100ms, cap: 5s, attempts: 2, budget_share: 0.2, budget_floor: 3, budget_window: 1m, reasks: 1 }
breaker: { failures: 3, failure_share: 0.4, minimum_calls: 5, window: 30s, first_pause: 1s, longest_pause: 9s, probes: 1 }
on_unknown: { policy: ask, ceiling: 0.2 }
)";

} // namespace

class SettingsReadingTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase()
    {
        qputenv("AIFLOW_TEST_KEY", "sk-test-key-0001");
        qputenv("AIFLOW_TEST_SPARE", "sk-test-key-0002");
        qunsetenv("AIFLOW_TEST_MISSING");
    }

    void providersAreReadWhole()
    {
        const auto settings = configured(kWhole);
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        const ProviderSettings& hub = settings->providers.at(0);
        QCOMPARE(hub.name, std::string("hub"));
        QCOMPARE(hub.title, std::string("Image hub"));
        QCOMPARE(hub.baseUrl, std::string("https://Images.example.com:8443/v1"));
        QCOMPARE(hub.timeout, milliseconds(90'000));
        QCOMPARE(hub.httpVersion, std::string("2"));
        QCOMPARE(hub.fetchHosts, (std::vector<std::string>{"cdn.example.com", "10.0.0.5:9000"}));
        QCOMPARE(hub.headers.at("X-Team"), std::string("pictures"));
        QVERIFY(hub.capability == CapabilityClass::D);
        QCOMPARE((*hub.options)["image_format"].get<std::string>(), std::string("url"));
        QCOMPARE(hub.limits.windows.size(), std::size_t(2));
        QCOMPARE(hub.limits.currency, std::string("USD"));
        QVERIFY((hub.limits.windows[1] == WindowLimit{LimitUnit::Money, 10'000'000'000, milliseconds(86'400'000)}));
    }

    void accountsKnowTheirKeysAndTheScopeThatAllProcessesShare()
    {
        const auto settings = configured(kWhole);
        QVERIFY(settings);
        const AccountSettings& main = settings->providers[0].accounts.at(0);
        QCOMPARE(main.name, std::string("hub/main"));
        QCOMPARE(std::string(main.key->reveal()), std::string("sk-test-key-0001"));
        QCOMPARE(main.scope, "images.example.com:8443#" + sha256("sk-test-key-0001").hex().substr(0, 16));
        QCOMPARE(main.organisation, std::string("shop"));
        QCOMPARE(main.weight, 2.0);
        QCOMPARE(*main.limits.concurrency, 2);
        QVERIFY((main.limits.windows.at(0) == WindowLimit{LimitUnit::Requests, 4, milliseconds(60'000)}));
        QVERIFY(settings->providers[0].accounts.at(1).scope != main.scope);
    }

    void limitsHaveShortFormsAndWindowsOfAnyLength()
    {
        const auto settings = configured(kWhole);
        QVERIFY(settings);
        const LimitSet& shop = settings->organisations.at(0).limits;
        QVERIFY((shop.windows.at(0) == WindowLimit{LimitUnit::TotalTokens, 100'000, milliseconds(60'000)}));
        QVERIFY((shop.windows.at(1) == WindowLimit{LimitUnit::Requests, 50, milliseconds(10'000)}));
        const LimitSet& painter = settings->models.at(0).limits;
        QVERIFY((painter.windows.at(0) == WindowLimit{LimitUnit::Requests, 4, milliseconds(60'000)}));
        QVERIFY((painter.windows.at(1) == WindowLimit{LimitUnit::Money, 1'000'000'000, milliseconds(3'600'000)}));
    }

    void modelsKnowTheirPricesAndSizes()
    {
        const auto settings = configured(kWhole);
        QVERIFY(settings);
        const ApiModel& painter = settings->models.at(0);
        QCOMPARE(painter.remoteName, std::string("painter-3"));
        QCOMPARE(painter.price.inputPerMillion.count(), 2'500'000'000);
        QCOMPARE(painter.price.cachedInputPerMillion.count(), 250'000'000);
        QCOMPARE(painter.price.perImage.count(), 40'000'000);
        QCOMPARE(painter.price.perCall.count(), 1'000'000);
        QCOMPARE(painter.contextTokens, 128'000);
        QCOMPARE(painter.maxOutputTokens, 2048);
        QCOMPARE(painter.timeout, milliseconds(120'000));
        QCOMPARE(settings->models.at(1).remoteName, std::string("writer"));
    }

    void routesAreListsOrMaps()
    {
        const auto settings = configured(kWhole);
        QVERIFY(settings);
        const RouteSettings* image = settings->findRoute("image");
        QVERIFY(image != nullptr && image->kind == RouteKind::Image && !image->weighted);
        const RouteSettings* text = settings->findRoute("text");
        QVERIFY(text != nullptr && text->kind == RouteKind::Text);
        QCOMPARE(text->choices.size(), std::size_t(2));
        QCOMPARE(text->canaryPercent, 5.0);
        QVERIFY(!text->stickyByItem);
        QCOMPARE(text->canaryCalls, 20);
        QCOMPARE(text->canaryTolerance, 0.1);
        const RouteSettings* mixed = settings->findRoute("mixed");
        QVERIFY(mixed != nullptr && mixed->weighted);
        QCOMPARE(mixed->choices.at(0).weight, 3.0);
        QVERIFY(settings->findRoute("video") == nullptr);
    }

    void policiesAndBudgetsAreRead()
    {
        const auto settings = configured(kWhole);
        QVERIFY(settings);
        QCOMPARE(toText(*settings->budgets.perJob), std::string("60.00 USD"));
        QCOMPARE(toText(*settings->budgets.perCall), std::string("0.50 USD"));
        QCOMPARE(settings->retry.attempts, 2);
        QCOMPARE(settings->retry.base, milliseconds(100));
        QCOMPARE(settings->breaker.longestPause, milliseconds(9'000));
        QVERIFY(settings->unknown.policy == UnknownPolicy::Ask);
        QCOMPARE(settings->unknown.ceilingPerCall, 0.2);
    }

    void anEmptyConfigurationHasTheDefaults()
    {
        const auto settings = configured("");
        QVERIFY(settings);
        QVERIFY(settings->providers.empty() && settings->routes.empty());
        QCOMPARE(settings->retry.attempts, 4);
        QCOMPARE(settings->breaker.probes, 3);
        QVERIFY(settings->unknown.policy == UnknownPolicy::RetryOnce);
    }

    void aShippedServiceNeedsNothingButItsAccounts()
    {
        const auto settings = configured("providers: { openai: { accounts: { main: { key: env:AIFLOW_TEST_KEY } } } }\n"
                                         "models: { gpt-6-luna: { provider: openai } }\n"
                                         "routes: { text: [gpt-6-luna] }\n"
                                         "budgets: { per_job: 1USD }\n");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        QCOMPARE(settings->providers[0].baseUrl, std::string("https://api.openai.com/v1"));
        QCOMPARE((*settings->providers[0].options)["max_tokens_field"].get<std::string>(),
                 std::string("max_completion_tokens"));
        QCOMPARE(settings->models[0].price.outputPerMillion.count(), 500'000'000);
    }

    void aPresetServesAnyNameAndOwnWordsWin()
    {
        const auto settings = configured(
            "providers: { shop: { preset: qwen, base_url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',\n"
            "                     accounts: { main: { key: env:AIFLOW_TEST_KEY } },\n"
            "                     options: { extra: { enable_thinking: true } } } }\n"
            "models: { fast: { provider: shop, model: qwen3.5-plus, max_output: 100 } }\n");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        QVERIFY(settings->providers[0].baseUrl.starts_with("https://dashscope-intl"));
        QCOMPARE((*settings->providers[0].options)["structured"].get<std::string>(), std::string("json_object"));
        QVERIFY((*settings->providers[0].options)["extra"]["enable_thinking"].get<bool>());
        QCOMPARE(settings->models[0].price.currency, std::string("CNY"));
        QCOMPARE(settings->models[0].maxOutputTokens, 100);
    }

    void everyShippedServiceAndModelIsGood()
    {
        const Json presets = shippedPresets();
        std::string yaml = "providers:\n";
        for (const auto& [name, provider] : presets["providers"].items())
            yaml += "  " + name + ": { accounts: { main: { key: env:AIFLOW_TEST_KEY } } }\n";
        yaml += "models:\n";
        for (const auto& [name, model] : presets["models"].items())
            yaml += "  " + name + ": { provider: " + model["provider"].get<std::string>() + " }\n";
        const auto settings = configured(yaml);
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        QCOMPARE(settings->providers.size(), std::size_t(7));
        for (const ApiModel& model : settings->models) {
            QVERIFY2(!model.price.currency.empty() && model.price.inputPerMillion.count() > 0, model.name.c_str());
            QVERIFY2(model.contextTokens == 0 || model.maxOutputTokens <= model.contextTokens, model.name.c_str());
        }
    }

    void aServiceOnThisMachineNeedsNoKey()
    {
        const auto settings = configured("providers: { ollama: { limits: { concurrency: 2 } } }\n"
                                         "models: { llama: { provider: ollama } }\nroutes: { text: [llama] }\n"
                                         "budgets: { per_job: 1USD }\n");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        const AccountSettings& only = settings->providers[0].accounts.at(0);
        QCOMPARE(only.name, std::string("ollama/default"));
        QVERIFY(only.key == nullptr);
        QVERIFY(only.scope.starts_with("localhost:11434#"));
    }

    void aModelServiceHasOneAccountForEachInstance()
    {
        const auto settings = configured(
            "providers:\n"
            "  cutout: { protocol: model-service, plain_http: true, limits: { concurrency: 4 },\n"
            "            instances: ['http://10.0.0.1:8000/', 'http://10.0.0.2:8000'] }\n"
            "  match: { protocol: model-service, accounts: { all: { key: env:AIFLOW_TEST_KEY } },\n"
            "           instances: { big: { base_url: 'https://a.example.com', weight: 3, limits: { concurrency: 8 } "
            "},\n"
            "                        small: { base_url: 'https://b.example.com', key: env:AIFLOW_TEST_SPARE } } }\n"
            "models: { segment: { provider: cutout } }\nroutes: { segment: [segment] }\n");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        const auto& cutout = settings->providers.at(0).accounts;
        QCOMPARE(cutout.size(), std::size_t(2));
        QCOMPARE(cutout[0].name, std::string("cutout/1"));
        QCOMPARE(cutout[0].baseUrl, std::string("http://10.0.0.1:8000"));
        QVERIFY(cutout[0].scope != cutout[1].scope);
        const auto& match = settings->providers.at(1).accounts;
        QCOMPARE(match[0].name, std::string("match/big"));
        QCOMPARE(match[0].weight, 3.0);
        QCOMPARE(std::string(match[0].key->reveal()), std::string("sk-test-key-0001"));
        QCOMPARE(std::string(match[1].key->reveal()), std::string("sk-test-key-0002"));
        QVERIFY(settings->findRoute("segment")->kind == RouteKind::Model);
    }

    void capabilityFollowsFromWhatTheServiceTakes()
    {
        const auto classOf = [](const std::string& words) {
            const auto settings = configured("providers: { x: { base_url: 'http://localhost:1', " + words + " } }");
            return settings ? settings->providers[0].capability : CapabilityClass::D;
        };
        QVERIFY(classOf("protocol: openai") == CapabilityClass::D);
        QVERIFY(classOf("protocol: remote-job") == CapabilityClass::C);
        QVERIFY(classOf("protocol: remote-job, options: { reference: ref, lookup: '/jobs?ref={reference}' }") ==
                CapabilityClass::B);
        QVERIFY(classOf("protocol: openai, options: { idempotency_header: Idempotency-Key }") == CapabilityClass::A);
        QVERIFY(classOf("protocol: remote-job, capability: D") == CapabilityClass::D);
    }

    void missingKeysAreToldAndTheirAccountsLeftOut()
    {
        const std::string yaml =
            "providers:\n"
            "  a: { protocol: openai, base_url: 'https://a.example.com',\n"
            "       accounts: { one: { key: env:AIFLOW_TEST_KEY }, two: { key: env:AIFLOW_TEST_MISSING } } }\n"
            "  b: { protocol: openai, base_url: 'https://b.example.com',\n"
            "       accounts: { one: { key: env:AIFLOW_TEST_MISSING } } }\n"
            "models: { m: { provider: a }, n: { provider: b } }\n"
            "routes: { text: [n, m], other: [n] }\n";
        const auto strict = configured(yaml);
        QVERIFY(!strict);
        QCOMPARE(strict.error().reason, Reason::ProviderAuth);
        std::vector<Error> missing;
        SettingsReading reading;
        reading.missing = &missing;
        const auto settings = configured(yaml, reading);
        QVERIFY(settings);
        QCOMPARE(settings->providers[0].accounts.size(), std::size_t(1));
        QVERIFY(settings->providers[1].accounts.empty());
        QCOMPARE(settings->findRoute("text")->choices.size(), std::size_t(1));
        QVERIFY(settings->findRoute("other") == nullptr);
        QCOMPARE(missing.size(), std::size_t(3)); // two keys, one route
    }

    void keysMayStayUnread()
    {
        SettingsReading reading;
        reading.loadKeys = false;
        const auto settings =
            configured("providers: { openai: { accounts: { main: { key: env:AIFLOW_TEST_MISSING } } } }", reading);
        QVERIFY(settings);
        QVERIFY(settings->providers[0].accounts[0].key == nullptr);
        QCOMPARE(settings->providers[0].accounts[0].keySource, std::string("env:AIFLOW_TEST_MISSING"));
        reading.loadKeys = true;
        reading.only = "gemini";
        QVERIFY(configured("providers: { openai: { accounts: { main: { key: env:AIFLOW_TEST_MISSING } } } }", reading));
    }

    void aFasterWorldHasShorterTimesAndWindowsAndTheSameCounts()
    {
        auto settings = configured(std::string(kWhole) + "\n");
        QVERIFY(settings);
        const ApiSettings fast = scaled(*settings, 20);
        QVERIFY((fast.providers[0].accounts[0].limits.windows[0] ==
                 WindowLimit{LimitUnit::Requests, 4, milliseconds(3'000)}));
        QVERIFY((fast.organisations[0].limits.windows[1] == WindowLimit{LimitUnit::Requests, 50, milliseconds(500)}));
        QCOMPARE(fast.providers[0].timeout, milliseconds(4'500));
        QCOMPARE(fast.models[0].timeout, milliseconds(6'000));
        QCOMPARE(fast.retry.base, milliseconds(5));
        QCOMPARE(fast.breaker.firstPause, milliseconds(50));
        QCOMPARE(fast.providers[0].limits.windows[1].count, 10'000'000'000);
        QCOMPARE(scaled(*settings, 1e9).retry.base, milliseconds(1));
    }

    void timesOfOptionsAreNumbersAndShrinkToo()
    {
        const auto settings = configured(
            "providers: { q: { protocol: remote-job, base_url: 'http://127.0.0.1:9', options: { interval: 2s } } }");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        QCOMPARE((*settings->providers[0].options)["interval_ms"].get<int>(), 2000);
        QCOMPARE((*scaled(*settings, 20).providers[0].options)["interval_ms"].get<int>(), 100);
        QCOMPARE((*scaled(*settings, 20).providers[0].options)["patience_ms"].get<int>(), 30'000);
    }

    void latenciesAreToldByModelOrProviderOrElseTheKind()
    {
        const auto settings = configured(
            "providers: { q: { protocol: openai, base_url: 'http://127.0.0.1:9', options: { latency: 3s } },\n"
            "             r: { protocol: openai, base_url: 'http://127.0.0.1:9' } }\n"
            "models: { a: { provider: q }, b: { provider: q, options: { latency: 700ms } }, c: { provider: r } }\n");
        QVERIFY2(settings, settings ? "" : settings.error().text().c_str());
        const std::chrono::milliseconds expected[] = {milliseconds(3'000), milliseconds(700), milliseconds(15'000)};
        for (std::size_t i = 0; i < 3; ++i) {
            const UsualLatency latency = usualLatency(*settings, i);
            QCOMPARE(latency.median.count(), expected[i].count());
            QCOMPARE(latency.told, i < 2);
        }
    }

    void modelsOfThisMachineAreNotOurs()
    {
        const auto settings = configured("models: { nano: { file: nano.pt, device: cpu } }");
        QVERIFY(settings);
        QVERIFY(settings->models.empty());
    }
};

QTEST_GUILESS_MAIN(SettingsReadingTest)
#include "settings_reading_test.moc"
