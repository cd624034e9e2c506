// What a configuration may not say, and that every mistake is told with its place and the way out.
#include "tests/core/api/settings/configured.h"

#include <QtTest>

using namespace aiflow;

namespace {

const std::string kGood =
    "providers:\n"
    "  a: { protocol: openai, base_url: 'https://a.example.com', accounts: { m: { key: env:AIFLOW_TEST_KEY } } }\n"
    "models:\n"
    "  m: { provider: a, price: { input: 1, output: 2, currency: USD } }\n"
    "  n: { provider: a, price: { input: 1, output: 2, currency: CNY } }\n"
    "  free: { provider: a }\n";

std::string provider(const std::string& words)
{
    return "providers:\n  a: { protocol: openai, base_url: 'https://a.example.com',\n       accounts: { m: {} }, " +
           words + " }\n";
}

std::string model(const std::string& words) { return kGood + "  x: { provider: a, " + words + " }\n"; }

std::string route(const std::string& words) { return kGood + "routes: { text: " + words + " }\n"; }

} // namespace

class SettingsErrorsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { qputenv("AIFLOW_TEST_KEY", "sk-canary-7d1f"); }

    void everyMistakeIsToldWithTheWayOut_data()
    {
        QTest::addColumn<QString>("yaml");
        QTest::addColumn<QString>("says");
        const auto add = [](const char* name, const std::string& yaml, const char* says) {
            QTest::newRow(name) << QString::fromStdString(yaml) << QString::fromUtf8(says);
        };
        add("no protocol", "providers: { a: { base_url: 'https://a' } }", "does not say how it is spoken to");
        add("unknown protocol", "providers: { a: { protocol: soap } }", "protocol");
        add("no address", "providers: { a: { protocol: openai } }", "has no address");
        add("address with a password", "providers: { a: { protocol: openai, base_url: 'https://u:p@a' } }",
            "is no address of a service");
        add("address with a query", "providers: { a: { protocol: openai, base_url: 'https://a/?key=1' } }",
            "is no address of a service");
        add("plain address", "providers: { a: { protocol: openai, base_url: 'http://a.example.com' } }",
            "readable over the network");
        add("look-alike of this machine",
            "providers: { a: { protocol: openai, base_url: 'http://localhost.example.com' } }",
            "readable over the network");
        add("look-alike of loopback",
            "providers: { a: { protocol: openai, base_url: 'http://127.0.0.1.example.com' } }",
            "readable over the network");
        add("no account", "providers: { a: { protocol: openai, base_url: 'https://a' } }", "has no account");
        add("unknown preset", "providers: { a: { preset: opnai } }", "names no service that ships");
        add("literal key",
            "providers: { a: { protocol: openai, base_url: 'https://a', accounts: { m: { key: sk-1 } } } }",
            "must name where the key is");
        add("unknown organisation",
            provider("limits: {}").replace(provider("").find("m: {}"), 5, "m: { organisation: x }"),
            "names no organisation");
        add("key header", provider("headers: { Authorization: Bearer }"), "would hold a key");
        add("key header in capitals", provider("headers: { X-API-KEY: abc }"), "would hold a key");
        add("header with a line", provider("headers: { X-A: \"a\\r\\nb\" }"), "may not hold");
        add("header with a letter", provider("headers: { X-A: \"\xC3\xA9\" }"), "may not hold");
        add("ca file", provider("ca_file: /nowhere/ca.pem"), "is not there");
        add("proxy", provider("proxy: proxy.example.com"), "is no address of a proxy");
        add("proxy with a password", provider("proxy: 'http://u:p@proxy.example.com'"), "proxy");
        add("http version", provider("http_version: 3"), "http_version");
        add("class A", provider("capability: A"), "A needs a header");
        add("class B", provider("capability: B"), "B needs a remote job");
        add("class C", provider("capability: C"), "C is for remote jobs");
        add("unknown option", provider("options: { max_token_field: max_tokens }"), "is no option of this protocol");
        add("option of another protocol", provider("options: { poll: /x }"), "is no option of this protocol");
        add("wrong option word", provider("options: { structured: yaml }"), "has the wrong form");
        add("wrong option path", provider("options: { chat_path: chat }"), "has the wrong form");
        add("wrong option header", provider("options: { key_header: 'X Y' }"), "has the wrong form");
        add("instances elsewhere", provider("instances: ['https://b']"), "is for model services alone");
        add("instance without address", "providers: { a: { protocol: model-service, instances: { x: {} } } }",
            "has no address");
        add("plain instance", "providers: { a: { protocol: model-service, instances: ['http://10.0.0.1'] } }",
            "readable over the network");
        add("limit of nothing", provider("limits: { rpm: 0 }"), "rpm");
        add("limit with a fraction", provider("limits: { rpm: 1.5 }"), "rpm");
        add("window without time", provider("limits: { windows: [ { requests: 4 } ] }"),
            "needs one count and the time");
        add("window of two counts", provider("limits: { windows: [ { requests: 4, tokens: 3, per: 60s } ] }"),
            "needs one count and the time");
        add("count without time", provider("limits: { requests: { count: 4 } }"), "needs a count and the time");
        add("money of two currencies", provider("limits: { money: 1USD, windows: [ { money: 1CNY, per: 1h } ] }"),
            "another currency");
        add("no money", provider("limits: { money: 0USD }"), "is nothing");
        add("model of nobody", "models: { x: { model: y } }", "does not say who answers");
        add("negative price", model("price: { input: -1, currency: USD }"), "must be a number from 0");
        add("absurd price", model("price: { input: 20000, currency: USD }"), "is absurd");
        add("price without money", model("price: { input: 1 }"), "does not say in which money");
        add("wrong money", model("price: { input: 1, currency: dollars }"), "is no currency");
        add("dear cache", model("price: { input: 1, cached_input: 2, currency: USD }"), "is above the price of input");
        add("no room", model("context: 1000, max_output: 2000"), "leaves no room");
        add("unknown model of a route", route("[mm]"), "model \"mm\"");
        add("model twice", route("[m, m]"), "twice");
        add("empty route", route("[]"), "names no model");
        add("network of this machine", kGood + "  local: { file: a.pt }\nroutes: { text: [local] }\n",
            "a network of this machine");
        add("weight of a stranger", route("{ models: [m], weights: { n: 1 } }"), "is not a model of this route");
        add("no weight", route("{ models: [m], weights: { m: 0 } }"), "are all 0");
        add("negative weight", route("{ models: [m], weights: { m: -1 } }"), "must be a number from 0");
        add("lonely canary", route("{ models: [m], canary: 5 }"), "needs two models");
        add("canary and weights", route("{ models: [m, free], canary: 5, weights: { m: 1 } }"), "cannot stand beside");
        add("tolerance", route("{ models: [m], promotion: { tolerance: 2 } }"), "must be a number from 0");
        add("budgets in two currencies", kGood + "budgets: { per_job: 1USD, per_day: 1CNY }\n", "is in CNY");
        add("budget in another currency", route("[n]") + "budgets: { per_job: 1USD }\n", "is priced in CNY");
        add("budget without price", route("[free]") + "budgets: { per_job: 1USD }\n", "has no price");
        add("retry cap", "retry: { base: 10s, cap: 1s }", "is shorter than `base`");
        add("retry share", "retry: { budget_share: 20 }", "must be a number from 0");
        add("breaker pause", "breaker: { first_pause: 10s, longest_pause: 1s }", "is shorter than `first_pause`");
        add("breaker share", "breaker: { failure_share: 0 }", "must be a number from 0.01");
        add("unknown policy", "on_unknown: { policy: maybe }", "policy");
    }
    void everyMistakeIsToldWithTheWayOut()
    {
        QFETCH(QString, yaml);
        QFETCH(QString, says);
        const auto settings = configured(yaml.toStdString());
        QVERIFY(!settings);
        const Error& error = settings.error();
        QVERIFY2(QString::fromStdString(error.message).contains(says), error.message.c_str());
        QCOMPARE(error.reason, Reason::ConfigInvalid);
        const bool wayOut = !error.hint.empty() || error.message.find("there are: ") != std::string::npos ||
                            error.message.find("did you mean") != std::string::npos ||
                            error.message.find("must be") != std::string::npos;
        QVERIFY2(wayOut, error.message.c_str());
        QVERIFY2(error.where && error.where->file == "aiflow.yaml" && error.where->line > 0, error.text().c_str());
        QVERIFY2(!QString::fromStdString(error.text() + error.hint).contains("sk-"), error.text().c_str());
    }

    void wrongTypesAreToldEvenIfTheLoaderLetThemPass_data()
    {
        QTest::addColumn<QString>("yaml");
        for (const char* yaml : {"providers: 5",
                                 "providers: [a]",
                                 "providers: { a: 5 }",
                                 "models: x",
                                 "routes: 3",
                                 "budgets: [1USD]",
                                 "budgets: { per_job: 5 }",
                                 "budgets: { per_job: [] }",
                                 "retry: { base: 5 }",
                                 "retry: { attempts: many }",
                                 "breaker: { probes: 0 }",
                                 "on_unknown: perhaps",
                                 "routes: { text: { models: [[]] } }",
                                 "providers: { a: { protocol: openai, base_url: 5 } }",
                                 "providers: { a: { protocol: offline, limits: { windows: 5 } } }",
                                 "providers: { a: { protocol: offline, limits: { windows: [5] } } }",
                                 "providers: { a: { protocol: offline, limits: 5 } }",
                                 "providers: { a: { protocol: offline, timeout: 5 } }",
                                 "providers: { a: { protocol: offline, timeout: 999999999h } }",
                                 "providers: { a: { protocol: offline, surprise: 1 } }",
                                 "organisations: { o: { limits: { rpm: many } } }",
                                 "providers: { a: { protocol: offline, plain_http: perhaps } }"})
            QTest::newRow(yaml) << QString::fromUtf8(yaml);
    }
    void wrongTypesAreToldEvenIfTheLoaderLetThemPass()
    {
        QFETCH(QString, yaml);
        const auto settings = unchecked(yaml.toStdString());
        QVERIFY(!settings);
        QCOMPARE(settings.error().reason, Reason::ConfigInvalid);
        QVERIFY(!settings.error().hint.empty());
    }

    void aMistakeInAListNamesTheListsLine()
    {
        const auto settings =
            configured(provider("title: x").append("models:\n  m: { provider: a }\n\nroutes:\n  text:\n    [m, mm]\n"));
        QVERIFY(!settings);
        QCOMPARE(settings.error().where->line, 9);
    }

    void theNearestWordIsOffered()
    {
        const auto settings = unchecked("providers: { a: { protocol: offline, acounts: {} } }");
        QVERIFY(!settings);
        QVERIFY2(settings.error().hint.find("accounts") != std::string::npos, settings.error().hint.c_str());
    }
};

QTEST_GUILESS_MAIN(SettingsErrorsTest)
#include "settings_errors_test.moc"
