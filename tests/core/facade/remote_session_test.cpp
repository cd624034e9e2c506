#include "aiflow/engine.h"
#include "aiflow/providers.h"
#include "core/rehearsal/simulated_provider.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

using namespace aiflow;

namespace {

constexpr const char* kKeyName = "AIFLOW_REMOTE_SESSION_TEST_KEY";
constexpr const char* kKey = "sk-session-canary-8d1f2c";

constexpr const char* kPipeline = R"(aiflow: 1
name: describe
title: { en: Describe, zh: 描述 }
input:
  id: sku
  columns:
    title: { type: text, required: true }
steps:
  words:
    api: text
    request: { prompt: $item.title }
outputs:
  "{{item.sku}}.txt": $words.text
)";

SimulatedWorld world()
{
    SimulatedModel model;
    model.name = "m";
    model.price.inputPerMillion = nanosOf(1);
    model.price.outputPerMillion = nanosOf(2);
    model.price.currency = "USD";
    SimulatedService service;
    service.name = "svc";
    service.accounts.push_back({"main", kKey, {}, {}});
    service.models.push_back(model);
    SimulatedWorld world;
    world.services.push_back(service);
    return world;
}

} // namespace

class RemoteSessionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        auto started = SimulatedProvider::start(world());
        QVERIFY(started);
        m_provider = std::move(*started);
        qputenv(kKeyName, kKey);
        write("pipeline.yaml", kPipeline);
        write("products.csv", "sku,title\nA-1,chair\nA-2,table\nA-3,lamp\nA-4,chair\n");
        configure("[m]");
    }

    void apiStepsAreAnsweredByTheConfiguredServices()
    {
        const auto session = JobSession::batch(surroundings(), request());
        QVERIFY2(session, session ? "" : session.error().text().c_str());
        const auto report = (*session)->run({});
        QVERIFY2(report, report ? "" : report.error().text().c_str());
        QCOMPARE(report->exitCode, 0);
        QCOMPARE(report->snapshot.items[TaskState::Succeeded], std::int64_t{4});
        const Verdict verdict = m_provider->verdict();
        QVERIFY(verdict.calls == 3 || verdict.calls == 4); // two chairs, shared when they were asked for at once
        QCOMPARE(verdict.violations, std::int64_t{0});
        QVERIFY(std::filesystem::exists(path("out/A-1.txt")));
        QVERIFY(std::filesystem::exists(path("state/limits.db")));
    }

    void keyIsKeptNowhere()
    {
        SimulatedFault revoked;
        revoked.kind = FaultKind::KeyRevoked;
        revoked.contains = "table";
        m_provider->addFault("svc", revoked);
        const auto session = JobSession::batch(surroundings(), request());
        QVERIFY(session);
        std::string told;
        std::mutex mutex;
        std::thread running([&] {
            (void)(*session)->run([&](const EventLine& event) {
                const std::lock_guard lock(mutex);
                told += event.json;
            });
        });
        const bool seen = QTest::qWaitFor([&] {
            const auto ledger = m_provider->ledger();
            return std::ranges::any_of(ledger, [](const LedgerEntry& entry) { return entry.status == 401; });
        });
        (*session)->stop(true); // it would wait for a mended key
        running.join();
        QVERIFY(seen);
        QVERIFY(told.find(kKey) == std::string::npos);
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
            if (!entry.is_regular_file()) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes{std::istreambuf_iterator<char>(file), {}};
            QVERIFY2(bytes.find(kKey) == std::string::npos, entry.path().c_str());
        }
    }

    void routeThatNobodyAnswersEndsItBeforeAnythingRuns()
    {
        write("aiflow.yaml", "aiflow: 1\n");
        const auto session = JobSession::batch(surroundings(), request());
        QVERIFY(!session);
        QCOMPARE(session.error().reason, Reason::ConfigInvalid);
        QVERIFY(session.error().message.find("\"words\"") != std::string::npos);
        QVERIFY(session.error().hint.find("--offline") != std::string::npos);
        QVERIFY(!std::filesystem::exists(path("out")));
    }

    void offlineNeedsNoService()
    {
        write("aiflow.yaml", "aiflow: 1\n");
        BatchRequest offline = request();
        offline.offline = true;
        const auto session = JobSession::batch(surroundings(), offline);
        QVERIFY2(session, session ? "" : session.error().text().c_str());
        QCOMPARE((*session)->run({})->exitCode, 0);
        QCOMPARE(m_provider->ledger().size(), 0U);
    }

    void missingKeyIsToldWithItsName()
    {
        qunsetenv(kKeyName);
        const auto session = JobSession::batch(surroundings(), request());
        QVERIFY(!session);
        QCOMPARE(session.error().reason, Reason::ProviderAuth);
        QCOMPARE(exitCodeOf(session.error()), 4);
        QVERIFY(session.error().text().find(kKeyName) != std::string::npos);
        QVERIFY(!std::filesystem::exists(path("out")));
    }

    void keysThatNobodyNeedsAreNotAskedFor()
    {
        configure("[m]", "  other:\n    protocol: openai\n    base_url: https://other.invalid/v1\n"
                         "    accounts: { main: { key: env:AIFLOW_NO_SUCH_KEY } }\n");
        const auto session = JobSession::batch(surroundings(), request());
        QVERIFY2(session, session ? "" : session.error().text().c_str());
    }

    void providersAreListedWithoutTheirKeys()
    {
        const auto list = listProviders(surroundings());
        QVERIFY2(list, list ? "" : list.error().text().c_str());
        QCOMPARE(list->providers.size(), 1U);
        const ProviderAccountLine& account = list->providers[0].accounts.at(0);
        QCOMPARE(account.name, std::string("svc/main"));
        QCOMPARE(account.keySource, std::string("env:") + kKeyName);
        QVERIFY(account.key == KeyState::Found);
        QCOMPARE(account.limits, std::string("6000 requests/min, 4 at once"));
        QCOMPARE(list->models.at(0).price, std::string("1.00 USD/M in, 2.00 USD/M out"));
        QCOMPARE(list->routes.at(0).models, std::vector<std::string>{"m"});
        QCOMPARE(m_provider->ledger().size(), 0U);
    }

    void keysAreTestedWithTheCheapestCall()
    {
        std::vector<std::string> told;
        const auto good =
            testProviders(surroundings(), {}, [&](const AccountTest& one) { told.push_back(one.account); });
        QVERIFY2(good, good ? "" : good.error().text().c_str());
        QVERIFY2(good->at(0).verdict == AccountVerdict::Good, good->at(0).sentence.c_str());
        QCOMPARE(told, std::vector<std::string>{"svc/main"});
        QCOMPARE(exitCodeOf(*good), 0);
        QCOMPARE(m_provider->verdict().calls, std::int64_t{0}); // none that costs

        qputenv(kKeyName, "sk-wrong-0123456789");
        const auto refused = testProviders(surroundings(), {});
        QVERIFY(refused);
        QVERIFY2(refused->at(0).verdict == AccountVerdict::KeyRefused, refused->at(0).sentence.c_str());
        QVERIFY(refused->at(0).sentence.find("sk-wrong") == std::string::npos);
        QCOMPARE(exitCodeOf(*refused), 4);

        qunsetenv(kKeyName);
        const auto missing = testProviders(surroundings(), {});
        QVERIFY(missing);
        QCOMPARE(missing->size(), 1U);
        QVERIFY(missing->at(0).verdict == AccountVerdict::KeyMissing);
        QVERIFY(missing->at(0).hint.find(kKeyName) != std::string::npos);

        qputenv(kKeyName, kKey);
        m_provider.reset();
        const auto gone = testProviders(surroundings(), {});
        QVERIFY(gone);
        QVERIFY2(gone->at(0).verdict == AccountVerdict::CannotConnect, gone->at(0).sentence.c_str());
        QCOMPARE(exitCodeOf(*gone), 5);

        const auto unknown = testProviders(surroundings(), "svcc");
        QCOMPARE(unknown.error().reason, Reason::UsageInvalid);
        QVERIFY(unknown.error().hint.find("svc") != std::string::npos);
    }

private:
    std::filesystem::path path(const char* name) const
    {
        return m_folder->filePath(QString::fromLatin1(name)).toStdString();
    }
    void write(const char* name, const std::string& text) const { std::ofstream(path(name)) << text; }
    void configure(const std::string& route, const std::string& more = {}) const
    {
        std::ostringstream text;
        text << "aiflow: 1\nproviders:\n  svc:\n    protocol: openai\n    base_url: " << m_provider->baseUrl("svc")
             << "\n    accounts: { main: { key: env:" << kKeyName << ", limits: { rpm: 6000, concurrency: 4 } } }\n"
             << more
             << "models:\n  m: { provider: svc, price: { input: 1, output: 2, currency: USD } }\nroutes:\n  text: "
             << route << "\n";
        write("aiflow.yaml", text.str());
    }
    Surroundings surroundings() const
    {
        Surroundings where;
        where.stateDirectory = path("state");
        where.configFile = path("aiflow.yaml");
        return where;
    }
    BatchRequest request() const
    {
        BatchRequest request;
        request.input = path("products.csv");
        request.output = path("out");
        request.pipeline = path("pipeline.yaml").string();
        return request;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<SimulatedProvider> m_provider;
};

QTEST_GUILESS_MAIN(RemoteSessionTest)
#include "remote_session_test.moc"
