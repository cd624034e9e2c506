#include <QTemporaryDir>
#include <QTest>

#include "core/base/schema/json_schema.h"
#include "core/rehearsal/world/world_file.h"
#include "tests/core/rehearsal/stage.h"

#include <fstream>

using namespace aiflow;
using namespace aiflow::testing;
using namespace std::chrono_literals;

namespace {

LimitSet requests(std::int64_t count, std::chrono::milliseconds window)
{
    LimitSet limits;
    limits.windows = {{LimitUnit::Requests, count, window}};
    return limits;
}

SimulatedService slowService(std::chrono::milliseconds latency)
{
    SimulatedService service = plainService();
    service.models[0].latency.median = latency;
    return service;
}

} // namespace

class ProviderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersAChatCallWithUsageAndCost()
    {
        const auto provider = started(worldWith(plainService()));
        const LoopbackAnswer answer = chat(*provider, "Describe a lamp");
        QCOMPARE(answer.status, 200);
        QVERIFY(textOf(answer).find("Describe a lamp") != std::string::npos);
        const Json usage = jsonOf(answer)["usage"];
        QCOMPARE(usage["prompt_tokens"].get<int>(), 3);
        QCOMPARE(usage["completion_tokens"].get<int>(), 200);
        const Verdict verdict = provider->verdict();
        QCOMPARE(verdict.calls, std::int64_t{1});
        QCOMPARE(verdict.executed, std::int64_t{1});
        QCOMPARE(verdict.cost.at("USD").count(), std::int64_t{3 * 150 + 200 * 600});
    }

    void theSameQuestionGetsTheSameAnswer()
    {
        const auto provider = started(worldWith(plainService()));
        QCOMPARE(chat(*provider, "one").body, chat(*provider, "one").body);
        QVERIFY(chat(*provider, "one").body != chat(*provider, "two").body);
    }

    void answersFitTheSchemaThatWasAskedFor()
    {
        const auto provider = started(worldWith(plainService()));
        const Json schema = Json::parse(R"({"type": "object", "additionalProperties": false,
            "required": ["title", "tags", "price", "size"], "properties": {
            "title": {"type": "string", "minLength": 5, "maxLength": 60},
            "tags": {"type": "array", "minItems": 3, "maxItems": 5, "items": {"enum": ["red", "green", "blue"]}},
            "price": {"type": "number", "minimum": 10, "maximum": 20},
            "size": {"type": "object", "required": ["w"], "properties": {"w": {"type": "integer", "minimum": 1}}}}})");
        const auto compiled = JsonSchema::compile(schema);
        QVERIFY(compiled);
        const Json format = {{"type", "json_schema"}, {"json_schema", {{"name", "product"}, {"schema", schema}}}};
        for (int i = 0; i < 50; ++i) {
            const std::string text =
                textOf(chat(*provider, "product " + std::to_string(i), "key-of-main", {{"response_format", format}}));
            const auto value = parseJson(text);
            QVERIFY(value);
            const auto misfits = (*compiled)->misfits(*value);
            QVERIFY2(misfits.empty(), misfits.empty() ? "" : misfits.front().c_str());
        }
    }

    void aShortOutputLimitCutsTheAnswerOff()
    {
        const auto provider = started(worldWith(plainService()));
        const Json json = jsonOf(chat(*provider, "long", "key-of-main", {{"max_tokens", 50}}));
        QCOMPARE(json["choices"][0]["finish_reason"].get<std::string>(), std::string("length"));
        QCOMPARE(json["usage"]["completion_tokens"].get<int>(), 50);
    }

    void wrongRequestsAreToldApart()
    {
        const auto provider = started(worldWith(plainService()));
        LoopbackClient client(provider->port());
        const auto status = [&](const char* method, const char* path, const Headers& headers, const std::string& body) {
            return client.exchange(method, path, headers, body).status;
        };
        const Headers key = withKey("key-of-main");
        QCOMPARE(status("POST", "/sim/v1/chat/completions", {}, question("a")), 401);
        QCOMPARE(status("POST", "/sim/v1/chat/completions", withKey("nobody's"), question("a")), 401);
        QCOMPARE(status("POST", "/sim/v1/chat/completions", key, "{no json"), 400);
        QCOMPARE(status("POST", "/sim/v1/chat/completions", key, R"({"model":"model","messages":[]})"), 400);
        QCOMPARE(status("POST", "/sim/v1/chat/completions", key,
                        R"({"model":"x","messages":[{"role":"user","content":"a"}]})"),
                 404);
        QCOMPARE(status("POST", "/sim/v1/elsewhere", key, "{}"), 404);
        QCOMPARE(status("POST", "/nobody/v1/chat/completions", key, "{}"), 404);
        QCOMPARE(status("GET", "/sim/v1/models", key, ""), 200);
        QCOMPARE(provider->verdict().executed, std::int64_t{0});
    }

    void theCallOverALimitIsRefusedWithTheTimeToWait()
    {
        SimulatedService service = plainService();
        service.accounts[0].limits = requests(3, 60s);
        const auto provider = started(worldWith(std::move(service)));
        for (int i = 0; i < 3; ++i) QCOMPARE(chat(*provider, std::to_string(i)).status, 200);
        const LoopbackAnswer refused = chat(*provider, "one more");
        QCOMPARE(refused.status, 429);
        const int told = std::stoi(refused.header("retry-after-ms"));
        QVERIFY(told > 30'000 && told <= 60'000);
        QCOMPARE(std::stoi(refused.header("retry-after")), (told + 999) / 1000);
        QCOMPARE(chat(*provider, "one more", "key-of-second").status, 200);
        const Verdict verdict = provider->verdict();
        QCOMPARE(verdict.violations, std::int64_t{1});
        QCOMPARE(verdict.refusals, std::int64_t{1});
        QCOMPARE(verdict.executed, std::int64_t{4});
        const auto ledger = provider->ledger();
        QVERIFY(ledger[3].refused && !ledger[3].executed && !ledger[3].charged && ledger[3].paid);
    }

    void atHighSpeedTheWindowIsShortAndOpensAgain()
    {
        SimulatedService service = plainService();
        service.accounts[0].limits = requests(1, 60s);
        SimulatedWorld world = worldWith(std::move(service));
        world.speed = 1000;
        const auto provider = started(std::move(world));
        LoopbackClient client(provider->port());
        const auto ask = [&](int i) {
            return client.exchange("POST", "/sim/v1/chat/completions", withKey("key-of-main"),
                                   question(std::to_string(i)));
        };
        int answered = 0;
        QVERIFY(eventually([&] { return (answered += ask(answered).status == 200 ? 1 : 0) == 3; }));
        const auto ledger = provider->ledger();
        std::vector<std::int64_t> admitted;
        for (const LedgerEntry& entry : ledger)
            if (!entry.refused) admitted.push_back(entry.arrivedNs);
        QVERIFY(admitted[1] - admitted[0] >= 60'000'000);
        QVERIFY(admitted[2] - admitted[1] >= 60'000'000);
    }

    void callsBeforeAToldTimeAreCounted()
    {
        SimulatedService service = plainService();
        SimulatedFault fault;
        fault.kind = FaultKind::ThrottleMillis;
        fault.variant = 9000;
        fault.firstCalls = 1;
        service.faults = {fault};
        const auto provider = started(worldWith(std::move(service)));
        QCOMPARE(chat(*provider, "a").status, 429);
        QVERIFY(eventually([&] { return chat(*provider, "b").status == 200 && provider->verdict().early > 0; }));
        const std::int64_t early = provider->verdict().early;
        QCOMPARE(chat(*provider, "c", "key-of-second").status, 200);
        QCOMPARE(provider->verdict().early, early);
    }

    void aCallTakesItsPlaceUntilItsWorkEndsWhoeverListens()
    {
        SimulatedService service = slowService(300ms);
        service.accounts[0].limits.concurrency = 2;
        const auto provider = started(worldWith(std::move(service)));
        {
            LoopbackClient first(provider->port());
            LoopbackClient second(provider->port());
            first.send("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question("1"));
            second.send("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question("2"));
            QVERIFY(eventually([&] { return provider->open() == 2; }));
        } // both hang up
        QCOMPARE(chat(*provider, "3").status, 429);
        QVERIFY(eventually([&] { return provider->open() == 0; }));
        QCOMPARE(chat(*provider, "4").status, 200);
        const Verdict verdict = provider->verdict();
        QCOMPARE(verdict.highestConcurrency, std::int64_t{2});
        QCOMPARE(verdict.concurrencyOf.at("main"), std::int64_t{2});
        QCOMPARE(verdict.executed, std::int64_t{3});
        int closed = 0;
        for (const LedgerEntry& entry : provider->ledger())
            if (entry.ending == "client closed" && entry.executed && entry.charged) ++closed;
        QCOMPARE(closed, 2);
    }

    void latenciesShrinkWithTheSpeed()
    {
        SimulatedWorld world = worldWith(slowService(15s));
        world.speed = 100;
        const auto provider = started(std::move(world));
        QCOMPARE(chat(*provider, "a").status, 200);
        const LedgerEntry entry = provider->ledger().front();
        QVERIFY(entry.endedNs - entry.arrivedNs >= 150'000'000);
        QVERIFY(entry.endedNs - entry.arrivedNs < 5'000'000'000);
    }

    void latenciesSpreadAroundTheirMedian()
    {
        SimulatedService service = slowService(200ms);
        service.models[0].latency.sigma = 0.5;
        const auto provider = started(worldWith(std::move(service)));
        std::vector<std::unique_ptr<LoopbackClient>> clients;
        for (int i = 0; i < 200; ++i) {
            clients.push_back(std::make_unique<LoopbackClient>(provider->port()));
            clients.back()->send("POST", "/sim/v1/chat/completions", withKey("key-of-main"),
                                 question(std::to_string(i)));
        }
        for (const auto& client : clients) QCOMPARE(client->receive().status, 200);
        const auto ledger = provider->ledger();
        const auto fast = std::ranges::count_if(
            ledger, [](const LedgerEntry& entry) { return entry.endedNs - entry.arrivedNs < 150'000'000; });
        QVERIFY(fast > 10 && fast < 190); // 28 % of such a distribution, when nobody disturbs
    }

    void twoThousandSlowCallsAreOpenAtOnce()
    {
        constexpr int kCalls = 2000;
        const auto provider = started(worldWith(slowService(1500ms)));
        std::vector<std::unique_ptr<LoopbackClient>> clients;
        for (int i = 0; i < kCalls; ++i) {
            clients.push_back(std::make_unique<LoopbackClient>(provider->port()));
            QVERIFY(clients.back()->connected());
        }
        for (int i = 0; i < kCalls; ++i)
            clients[static_cast<std::size_t>(i)]->send("POST", "/sim/v1/chat/completions", withKey("key-of-main"),
                                                       question("item " + std::to_string(i)));
        for (int i = 0; i < kCalls; ++i) {
            const LoopbackAnswer answer = clients[static_cast<std::size_t>(i)]->receive();
            QCOMPARE(answer.status, 200);
            QVERIFY(textOf(answer).ends_with("item " + std::to_string(i)));
        }
        QVERIFY(eventually([&] { return provider->open() == 0; }));
        const Verdict verdict = provider->verdict();
        QCOMPARE(verdict.executed, std::int64_t{kCalls});
        QCOMPARE(verdict.sameBody, std::int64_t{0});
        QVERIFY(verdict.highestConcurrency > kCalls / 4);
    }

    void clientsThatHangUpAtAnyMomentDoNoHarm()
    {
        const auto provider = started(worldWith(slowService(20ms)));
        for (int i = 0; i < 300; ++i) {
            LoopbackClient client(provider->port(), std::chrono::milliseconds(i % 30));
            client.send("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question(std::to_string(i)));
            if (i % 3 == 0) client.receive();
        }
        QVERIFY(eventually([&] { return provider->open() == 0 && std::ssize(provider->ledger()) == 300; }));
        QCOMPARE(provider->verdict().executed, std::int64_t{300});
        QCOMPARE(chat(*provider, "still here").status, 200);
    }

    void oneConnectionServesManyCallsEvenSentAtOnce()
    {
        const auto provider = started(worldWith(plainService()));
        LoopbackClient client(provider->port());
        for (int i = 0; i < 50; ++i)
            client.send("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question("n" + std::to_string(i)));
        for (int i = 0; i < 50; ++i) QVERIFY(textOf(client.receive()).ends_with("n" + std::to_string(i)));
    }

    void executionsOfOneKeyOrOneBodyAreFoundOut()
    {
        const auto provider = started(worldWith(plainService()));
        LoopbackClient client(provider->port());
        const auto ask = [&](const std::string& prompt, const std::string& idempotency, const std::string& reference) {
            Headers headers = withKey("key-of-main");
            if (!idempotency.empty()) headers.emplace_back("Idempotency-Key", idempotency);
            if (!reference.empty()) headers.emplace_back("X-Client-Request-Id", reference);
            client.exchange("POST", "/sim/v1/chat/completions", headers, question(prompt));
        };
        ask("a", "k1", "");
        ask("a", "k2", ""); // another item with the same words
        QCOMPARE(provider->verdict().paidTwice, std::int64_t{0});
        QCOMPARE(provider->verdict().sameBody, std::int64_t{1});
        ask("b", "k1", "");
        QCOMPARE(provider->verdict().paidTwice, std::int64_t{1});
        ask("c", "", "r1");
        ask("d", "", "r1");
        QCOMPARE(provider->verdict().paidTwice, std::int64_t{2});
        ask("e", "", "");
        ask("e", "", "");
        QCOMPARE(provider->verdict().paidTwice, std::int64_t{3});
        QCOMPARE(provider->verdict().sameBody, std::int64_t{2});
        const auto ledger = provider->ledger();
        QCOMPARE(ledger[0].idempotencyKey, std::string("k1"));
        QCOMPARE(ledger[0].bodyHash, ledger[1].bodyHash);
        QCOMPARE(ledger[3].itemReference, std::string("r1"));
    }

    void anIdempotencyKeyOfClassAReplaysTheAnswer()
    {
        SimulatedService service = plainService();
        service.capability = CapabilityClass::A;
        SimulatedFault fault;
        fault.kind = FaultKind::ResetBeforeByte;
        fault.firstCalls = 1;
        service.faults = {fault};
        const auto provider = started(worldWith(std::move(service)));
        Headers headers = withKey("key-of-main");
        headers.emplace_back("Idempotency-Key", "k1");
        const auto ask = [&](const std::string& prompt) {
            LoopbackClient client(provider->port());
            return client.exchange("POST", "/sim/v1/chat/completions", headers, question(prompt));
        };
        QCOMPARE(ask("a").status, 0); // done and charged, but the answer is lost
        const LoopbackAnswer again = ask("a");
        QCOMPARE(again.status, 200);
        QVERIFY(textOf(again).ends_with("a"));
        QCOMPARE(ask("something else").status, 422);
        const Verdict verdict = provider->verdict();
        QCOMPARE(verdict.executed, std::int64_t{1});
        QCOMPARE(verdict.paidTwice, std::int64_t{0});
        QCOMPARE(verdict.replays, std::int64_t{1});
    }

    void theLedgerFileHoldsEveryEndAsItHappens()
    {
        const QTemporaryDir folder;
        SimulatedWorld world = worldWith(plainService());
        world.ledgerFile = folder.filePath("ledger.jsonl").toStdString();
        world.keepEntries = false;
        const auto provider = started(std::move(world));
        QCOMPARE(chat(*provider, "a").status, 200);
        QCOMPARE(chat(*provider, "b", "wrong key").status, 401);
        QVERIFY(eventually([&] { return provider->open() == 0; }));
        QVERIFY(provider->ledger().empty());
        std::ifstream file(folder.filePath("ledger.jsonl").toStdString());
        std::vector<LedgerEntry> entries;
        for (std::string line; std::getline(file, line);) {
            const auto json = parseJson(line);
            QVERIFY(json);
            const auto entry = readLedgerLine(*json);
            QVERIFY(entry);
            entries.push_back(*entry);
        }
        QCOMPARE(entries.size(), std::size_t{2});
        QCOMPARE(entries[0].account, std::string("main"));
        QCOMPARE(entries[0].ending, std::string("answered"));
        QCOMPARE(entries[0].cost.count(), provider->verdict().cost.at("USD").count());
        QCOMPARE(entries[1].status, 401);
    }

    void limitsAreToldInTheHeadersWhenTheServiceDoesSo()
    {
        SimulatedService service = plainService();
        service.tellsLimits = true;
        service.accounts[0].limits = requests(5, 60s);
        service.accounts[0].limits.windows.push_back({LimitUnit::TotalTokens, 1000, 60s});
        const auto provider = started(worldWith(std::move(service)));
        chat(*provider, "first");
        const LoopbackAnswer answer = chat(*provider, "Describe a lamp");
        QCOMPARE(answer.header("x-ratelimit-limit-requests"), std::string("5"));
        QCOMPARE(answer.header("x-ratelimit-remaining-requests"), std::string("3"));
        QCOMPARE(answer.header("x-ratelimit-remaining-tokens"), std::string("596"));
        QVERIFY(answer.header("x-ratelimit-reset-requests").ends_with("s"));
    }

    void aPortThatIsTakenIsAnError()
    {
        const auto provider = started(worldWith(plainService()));
        SimulatedWorld second = worldWith(plainService());
        second.port = provider->port();
        const auto failed = SimulatedProvider::start(std::move(second));
        QVERIFY(!failed);
        QVERIFY(failed.error().message.find(std::to_string(provider->port())) != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(ProviderTest)
#include "provider_test.moc"
