// What callers rely on: when a call counts as sent, limits of time and place, cancelling, streaming, shared
// connections.
#include "core/api/transport/answer_spool.h"
#include "tests/core/api/transport/calls.h"
#include "tests/support/http_peers/http2_server.h"
#include "tests/support/http_peers/scripted_server.h"

#include <filesystem>
#include <fstream>
#include <semaphore>

using namespace aiflow;
using namespace std::chrono_literals;
using peers::Http2Act;
using peers::Http2Server;
using peers::PeerExchange;
using peers::ScriptedServer;

namespace {

void answerWell(PeerExchange& exchange) { exchange.answer(200, "{}"); }
void hang(PeerExchange& exchange) { exchange.stream().awaitEnd(std::chrono::minutes(1)); }

// Notes what a sink is given; may refuse.
struct NotingSink final : AnswerSink {
    Result<void> begin(int answered, const std::vector<std::pair<std::string, std::string>>& came) override
    {
        ++begun;
        status = answered;
        headers = came;
        if (refuseBegin) return fail(Reason::InputFileBad, "not what was announced");
        return {};
    }
    Result<void> write(std::span<const std::byte> bytes) override
    {
        body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (body.size() > refuseAfter) return fail(Reason::OutputDiskFull, "no space left");
        return {};
    }
    int begun = 0;
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool refuseBegin = false;
    std::size_t refuseAfter = std::size_t{1} << 40U;
};

} // namespace

class BehaviourTest : public QObject {
    Q_OBJECT

    peers::Authority m_authority;
    peers::TlsContext m_both{m_authority.issue("127.0.0.1"), "h2,http/1.1"};
    peers::TlsContext m_http1{m_authority.issue("127.0.0.1"), "http/1.1"};
    peers::TlsContext m_http2{m_authority.issue("127.0.0.1"), "h2"};
    QTemporaryDir m_folder;
    std::filesystem::path m_caFile;

    HttpRequest trusting(HttpRequest request) const
    {
        request.caFile = m_caFile;
        return request;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_caFile = m_folder.filePath("ca.pem").toStdString();
        std::ofstream(m_caFile) << m_authority.certificatePem();
    }

    void callIsOnTheWireWhenItsBodyIsHandedOver()
    {
        std::binary_semaphore mayRead(0);
        ScriptedServer server(
            [&](PeerExchange& exchange) {
                mayRead.acquire();
                exchange.readBody();
                answerWell(exchange);
            },
            {nullptr, true});
        Calls calls;
        // More than the system's buffers hold.
        const HttpId id = calls.start(Calls::post(server.url(), std::string(30'000'000, 'x')));
        const HttpId small = calls.start(Calls::get("http://no-such-host.invalid/"));
        calls.await(small);
        QCOMPARE(calls.told(id).wires, 0);
        mayRead.release();
        const Told told = calls.await(id);
        COMPARE_ENDING(told, HttpEnding::Complete);
        QCOMPARE(told.wires, 1);
        QVERIFY(told.end->requestSent && !told.wireAfterEnd);
    }

    void callIsOnTheWireLongBeforeItsAnswer_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("POST") << 0;
        QTest::newRow("GET") << 1;
        QTest::newRow("empty POST") << 2;
        QTest::newRow("HTTP/2 POST") << 3;
        QTest::newRow("HTTP/2 GET") << 4;
    }
    void callIsOnTheWireLongBeforeItsAnswer()
    {
        QFETCH(int, kind);
        ScriptedServer server(&hang);
        Http2Server second([](const Http2Server::Request&) { return Http2Act::Hang; }, {&m_http2});
        Calls calls;
        HttpRequest request = kind == 0   ? Calls::post(server.url())
                              : kind == 1 ? Calls::get(server.url())
                              : kind == 2 ? Calls::post(server.url(), "")
                              : kind == 3 ? trusting(Calls::post(second.url()))
                                          : trusting(Calls::get(second.url()));
        if (kind == 2) request.body.reset();
        const HttpId id = calls.start(std::move(request));
        calls.awaitWire(id);
        QVERIFY(!calls.told(id).end);
        calls.transport().cancel(id);
        const Told told = calls.await(id);
        COMPARE_ENDING(told, HttpEnding::Cancelled);
        QVERIFY(told.end->requestSent);
        QVERIFY(told.end->latency > 0ns);
        QCOMPARE(told.wires, 1);
    }

    void everyMethodArrivesAsItIs()
    {
        ScriptedServer server(&answerWell);
        Calls calls;
        for (const char* method : {"PUT", "PATCH", "DELETE", "POST", "GET", "DELETE", "POST", "PUT"}) {
            const bool body = method[0] == 'P';
            HttpRequest request =
                body ? Calls::post(server.url("/m?q=1#f"), "{\"a\":1}") : Calls::get(server.url("/m?q=1#f"));
            request.method = method;
            COMPARE_ENDING(calls.run(std::move(request)), HttpEnding::Complete);
            const auto seen = server.executed().back();
            QVERIFY2(seen.head.starts_with(std::string(method) + " /m?q=1 HTTP/1.1\r\n"), seen.head.c_str());
            QCOMPARE(seen.body, std::string(body ? "{\"a\":1}" : ""));
            QVERIFY(body || seen.head.find("Content-Length") == std::string::npos);
        }
        QCOMPARE(server.connections(), 1);
    }

    void interimAnswersAreSkipped()
    {
        ScriptedServer server([](PeerExchange& exchange) {
            exchange.send("HTTP/1.1 103 Early Hints\r\nx-early: 1\r\n\r\n");
            exchange.answer(429, "slow down", "Retry-After:   7  \r\nX-Two: a\r\nx-two: b\r\n");
        });
        Calls calls;
        const Told told = calls.run(Calls::post(server.url()));
        QCOMPARE(told.end->status, 429);
        QCOMPARE(told.end->body, std::string("slow down"));
        QVERIFY(told.end->header("x-early") == nullptr);
        QCOMPARE(*told.end->header("retry-after"), std::string("7"));
        QCOMPARE(*told.end->header("x-two"), std::string("a"));
        QCOMPARE(told.end->headers.size(), std::size_t{4});
    }

    void answerGoesToItsSink()
    {
        ScriptedServer server(
            [](PeerExchange& exchange) { exchange.answer(200, std::string(100'000, 'y'), "x-a: b\r\n"); });
        Calls calls;
        const auto sink = std::make_shared<NotingSink>();
        HttpRequest request = Calls::post(server.url());
        request.sink = sink;
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::Complete);
        QVERIFY(told.end->body.empty());
        QCOMPARE(told.end->bodyBytes, std::int64_t{100'000});
        QCOMPARE(sink->begun, 1);
        QCOMPARE(sink->status, 200);
        QCOMPARE(sink->body, std::string(100'000, 'y'));
        QVERIFY(sink->headers == told.end->headers);
    }

    void sinkThatFailsEndsTheCall()
    {
        ScriptedServer server([](PeerExchange& exchange) { exchange.answer(200, std::string(1'000'000, 'y')); });
        Calls calls;
        for (const bool atBegin : {true, false}) {
            const auto sink = std::make_shared<NotingSink>();
            sink->refuseBegin = atBegin;
            sink->refuseAfter = 1000;
            HttpRequest request = Calls::post(server.url());
            request.sink = sink;
            const Told told = calls.run(std::move(request));
            COMPARE_ENDING(told, HttpEnding::SinkFailed);
            QVERIFY(told.end->sinkError.has_value());
            QVERIFY(told.end->sinkError->reason == (atBegin ? Reason::InputFileBad : Reason::OutputDiskFull));
            QCOMPARE(sink->body.empty(), atBegin);
        }
    }

    void pictureAnswerLandsInFiles()
    {
        const std::string digits(400'000, 'A');
        ScriptedServer server([&](PeerExchange& exchange) {
            exchange.answer(200, "{\"b64\":\"" + digits + "\"}", "Content-Type: application/json\r\n");
        });
        Calls calls;
        const auto spool = AnswerSpool::create(m_folder.path().toStdString(), "x");
        HttpRequest request = Calls::post(server.url());
        request.sink = spool;
        COMPARE_ENDING(calls.run(std::move(request)), HttpEnding::Complete);
        const auto answer = spool->take();
        QVERIFY(answer.has_value());
        QCOMPARE(answer->text, std::string("{\"b64\":\"aiflow-file:0\"}"));
        QCOMPARE(answer->files.at(0).size, std::int64_t{300'000});
    }

    void timeLimitsAreKept_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("total") << 0 << QByteArray("no answer within 200 ms");
        QTest::newRow("first byte") << 1 << QByteArray("no answer within 150 ms");
        QTest::newRow("standing still") << 2 << QByteArray("no byte of the answer for 200 ms");
    }
    void timeLimitsAreKept()
    {
        QFETCH(int, kind);
        QFETCH(QByteArray, words);
        ScriptedServer server(
            [&](PeerExchange& exchange) {
                exchange.readBody();
                if (kind == 2) exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
                hang(exchange);
            },
            {nullptr, true});
        TransportSettings settings;
        settings.stallTimeout = 200ms;
        Calls calls(settings);
        HttpRequest request = Calls::post(server.url());
        if (kind == 0) request.totalTimeout = 200ms;
        if (kind == 1) request.firstByteTimeout = 150ms;
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::TimedOut);
        QVERIFY2(told.end->error.find(words.toStdString()) != std::string::npos, told.end->error.c_str());
        QCOMPARE(told.wires, 1);
    }

    void requestThatCannotBeSentIsGivenUp()
    {
        std::binary_semaphore over(0);
        ScriptedServer server([&](PeerExchange&) { over.acquire(); }, {nullptr, true});
        TransportSettings settings;
        settings.stallTimeout = 200ms;
        Calls calls(settings);
        const Told told = calls.run(Calls::post(server.url(), std::string(30'000'000, 'x')));
        over.release();
        COMPARE_ENDING(told, HttpEnding::TimedOut);
        QVERIFY2(told.end->error.find("could be sent for 200 ms") != std::string::npos, told.end->error.c_str());
        QVERIFY(!told.end->requestSent);
    }

    void slowAnswerThatMovesIsNotGivenUp()
    {
        ScriptedServer server([](PeerExchange& exchange) {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
            for (int i = 0; i < 20 && !exchange.stream().awaitEnd(20ms); ++i) exchange.send(".");
        });
        TransportSettings settings;
        settings.stallTimeout = 200ms;
        Calls calls(settings);
        COMPARE_ENDING(calls.run(Calls::post(server.url())), HttpEnding::Complete);
    }

    void waitingForAPlaceCostsNoTime()
    {
        // Two places; the first two calls take longer than the others' whole limit.
        std::atomic<int> requests{0};
        ScriptedServer server([&](PeerExchange& exchange) {
            if (requests++ < 2) exchange.stream().awaitEnd(400ms);
            answerWell(exchange);
        });
        TransportSettings settings;
        settings.maxOpen = 2;
        Calls calls(settings);
        std::vector<HttpId> ids;
        for (int i = 0; i < 6; ++i) {
            HttpRequest request = Calls::post(server.url());
            request.totalTimeout = i < 2 ? 20s : 350ms;
            request.connectTimeout = 300ms;
            ids.push_back(calls.start(std::move(request)));
        }
        for (const HttpId id : ids) COMPARE_ENDING(calls.await(id), HttpEnding::Complete);
        QVERIFY(server.connections() <= 2);
        QCOMPARE(calls.transport().open(), std::int64_t{0});
    }

    void callsAreCancelledWhereverTheyAre()
    {
        ScriptedServer server(&hang);
        TransportSettings settings;
        settings.maxOpen = 1;
        Calls calls(settings);
        const HttpId open = calls.start(Calls::post(server.url()));
        calls.awaitWire(open);
        const HttpId waiting = calls.start(Calls::post(server.url()));
        const HttpId third = calls.start(Calls::get("http://no-such-host.invalid/"));
        calls.transport().cancel(waiting);
        calls.transport().cancel(12345);
        const Told never = calls.await(waiting);
        COMPARE_ENDING(never, HttpEnding::Cancelled);
        QCOMPARE(never.wires, 0);
        QVERIFY(!never.end->requestSent);
        QCOMPARE(calls.transport().open(), std::int64_t{2});
        calls.transport().cancel(open);
        COMPARE_ENDING(calls.await(open), HttpEnding::Cancelled);
        COMPARE_ENDING(calls.await(third), HttpEnding::NotSent);
        QCOMPARE(server.executions(), 1);
    }

    void droppingTheTransportEndsEveryCall()
    {
        ScriptedServer server(&hang);
        TransportSettings settings;
        settings.maxOpen = 50;
        Calls calls(settings);
        std::vector<HttpId> ids;
        for (int i = 0; i < 100; ++i) ids.push_back(calls.start(Calls::post(server.url())));
        calls.awaitWire(ids[0]);
        calls.drop();
        for (const HttpId id : ids) {
            const Told told = calls.told(id);
            QVERIFY(told.end.has_value());
            COMPARE_ENDING(told, HttpEnding::Cancelled);
            QVERIFY(!told.wireAfterEnd);
        }
    }

    void callsMayBeStartedWhereAnotherEnds()
    {
        ScriptedServer server(&answerWell);
        SystemClock clock;
        auto transport = makeCurlTransport({}, clock);
        QVERIFY(transport.has_value());
        std::binary_semaphore done(0);
        int left = 50;
        std::function<void()> next = [&] {
            HttpListener listener;
            listener.ended = [&](HttpId, HttpEnd end) {
                if (end.ending == HttpEnding::Complete && --left > 0)
                    next();
                else
                    done.release();
            };
            (*transport)->start(Calls::post(server.url()), std::move(listener));
        };
        next();
        QVERIFY(done.try_acquire_for(std::chrono::minutes(1)));
        QCOMPARE(left, 0);
        QCOMPARE(server.connections(), 1);
        transport->reset();
    }

    void http2IsNegotiatedAndShared()
    {
        Http2Server server([](const Http2Server::Request&) { return Http2Act::Answer; }, {&m_both, 20});
        TransportSettings settings;
        settings.connectionsPerHostHttp2 = 4;
        Calls calls(settings);
        constexpr int kCalls = 500;
        std::vector<HttpId> ids;
        for (int i = 0; i < kCalls; ++i) ids.push_back(calls.start(trusting(Calls::post(server.url()))));
        QVERIFY(calls.awaitEnded(kCalls));
        for (const HttpId id : ids) COMPARE_ENDING(calls.told(id), HttpEnding::Complete);
        QCOMPARE(server.executions(), kCalls);
        QVERIFY2(server.connections() <= 4, std::to_string(server.connections()).c_str());
    }

    void waitingForAStreamIsNotLateToConnect()
    {
        // One connection of one stream: the others wait longer than a connection may take.
        std::atomic<int> requests{0};
        Http2Server server(
            [&](const Http2Server::Request&) { return requests++ == 1 ? Http2Act::Hang : Http2Act::Answer; },
            {&m_http2, 1});
        TransportSettings settings;
        settings.connectionsPerHostHttp2 = 1;
        Calls calls(settings);
        COMPARE_ENDING(calls.run(trusting(Calls::post(server.url()))), HttpEnding::Complete);
        HttpRequest slow = trusting(Calls::post(server.url()));
        slow.totalTimeout = 700ms;
        const HttpId first = calls.start(std::move(slow));
        calls.awaitWire(first);
        HttpRequest patient = trusting(Calls::post(server.url()));
        patient.connectTimeout = 200ms;
        const HttpId second = calls.start(std::move(patient));
        COMPARE_ENDING(calls.await(first), HttpEnding::TimedOut);
        COMPARE_ENDING(calls.await(second), HttpEnding::Complete);
    }

    void serverOfOldHttpGetsAConnectionForEachOpenCall()
    {
        // All must be open at once before any is answered, or they would wait for ever.
        constexpr int kCalls = 60;
        std::counting_semaphore<kCalls> go(0);
        std::atomic<int> here{0};
        ScriptedServer server(
            [&](PeerExchange& exchange) {
                if (++here == kCalls) go.release(kCalls);
                if (go.try_acquire_for(30s)) answerWell(exchange);
            },
            {&m_http1});
        Calls calls;
        std::vector<HttpId> ids;
        for (int i = 0; i < kCalls; ++i) ids.push_back(calls.start(trusting(Calls::post(server.url()))));
        QVERIFY(calls.awaitEnded(kCalls));
        for (const HttpId id : ids) COMPARE_ENDING(calls.told(id), HttpEnding::Complete);
        QCOMPARE(server.connections(), kCalls);
    }

    void thousandsOfCallsFromManyThreadsAllEnd()
    {
        ScriptedServer server(&answerWell);
        TransportSettings settings;
        settings.maxOpen = 32;
        Calls calls(settings);
        constexpr int kThreads = 4;
        constexpr int kEach = 500;
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    const HttpId id = calls.start(Calls::post(server.url()));
                    if (i % 50 == 49) calls.transport().cancel(id);
                }
            });
        for (std::thread& thread : threads) thread.join();
        QVERIFY(calls.awaitEnded(kThreads * kEach));
        QCOMPARE(calls.transport().open(), std::int64_t{0});
        QVERIFY(server.connections() <= 32 + kThreads * kEach / 50);
        QVERIFY(server.executions() >= kThreads * kEach * 49 / 50 && server.executions() <= kThreads * kEach);
    }
};

QTEST_GUILESS_MAIN(BehaviourTest)
#include "behaviour_test.moc"
