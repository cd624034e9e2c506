// Every way in which a connection can end: nothing is sent twice behind our back, and each end gets its right name.
#include "tests/core/api/transport/calls.h"
#include "tests/support/http_peers/http2_server.h"
#include "tests/support/http_peers/scripted_server.h"

#include <fstream>
#include <set>

using namespace aiflow;
using peers::Http2Act;
using peers::Http2Server;
using peers::PeerExchange;
using peers::ScriptedServer;

namespace {

using Act = void (*)(PeerExchange&);

struct Case {
    const char* name;
    Act act;
    HttpEnding ending;
};

void answerWell(PeerExchange& exchange) { exchange.answer(200, "{}"); }
const char* const kPartial = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
const char* const kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

void awaitOther(PeerExchange& exchange) { exchange.stream().awaitEnd(std::chrono::seconds(30)); }

const Case kCases[] = {
    {"reset before a byte", [](PeerExchange& e) { e.stream().reset(); }, HttpEnding::Broken},
    {"close before a byte", [](PeerExchange& e) { e.stream().close(); }, HttpEnding::Broken},
    {"half close before a byte",
     [](PeerExchange& e) {
         e.stream().halfClose();
         awaitOther(e);
     },
     HttpEnding::Broken},
    {"reset in the status line",
     [](PeerExchange& e) {
         e.send("HTTP/1.");
         e.stream().reset();
     },
     HttpEnding::Broken},
    {"reset after the headers",
     [](PeerExchange& e) {
         e.send(kPartial);
         e.stream().reset();
     },
     HttpEnding::Broken},
    {"close after the headers",
     [](PeerExchange& e) {
         e.send(kPartial);
         e.stream().close();
     },
     HttpEnding::Broken},
    {"reset in the body",
     [](PeerExchange& e) {
         e.send(std::string(kPartial) + "half");
         e.stream().reset();
     },
     HttpEnding::Broken},
    {"close in the body",
     [](PeerExchange& e) {
         e.send(std::string(kPartial) + "half");
         e.stream().close();
     },
     HttpEnding::Broken},
    {"close between chunks",
     [](PeerExchange& e) {
         e.send(kChunked);
         e.stream().close();
     },
     HttpEnding::Broken},
    {"half close in the body",
     [](PeerExchange& e) {
         e.send(std::string(kPartial) + "half");
         e.stream().halfClose();
         awaitOther(e);
     },
     HttpEnding::Broken},
    {"close after the body",
     [](PeerExchange& e) {
         answerWell(e);
         e.stream().close();
     },
     HttpEnding::Complete},
    {"half close after the body",
     [](PeerExchange& e) {
         answerWell(e);
         e.stream().halfClose();
         awaitOther(e);
     },
     HttpEnding::Complete},
    {"hang", awaitOther, HttpEnding::TimedOut},
    {"hang after the headers",
     [](PeerExchange& e) {
         e.send(kPartial);
         awaitOther(e);
     },
     HttpEnding::TimedOut},
    {"drip",
     [](PeerExchange& e) {
         e.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
         while (e.stream().good() && !e.stream().awaitEnd(std::chrono::milliseconds(20))) e.send("x");
     },
     HttpEnding::TimedOut},
};

bool isTimed(HttpEnding ending) { return ending == HttpEnding::TimedOut; }

// What must hold at every end.
void checkTold(const Told& told)
{
    const bool sent = told.end->ending != HttpEnding::NotSent;
    QCOMPARE(told.wires, sent ? 1 : 0);
    QVERIFY(!told.wireAfterEnd);
    QCOMPARE(told.end->error.empty(), told.end->ending == HttpEnding::Complete);
}

} // namespace

class EndingsTest : public QObject {
    Q_OBJECT

    void casesAsRows()
    {
        QTest::addColumn<int>("index");
        QTest::addColumn<bool>("reused");
        QTest::addColumn<bool>("body");
        for (std::size_t i = 0; i < std::size(kCases); ++i)
            for (const bool reused : {false, true})
                for (const bool body : {false, true})
                    QTest::addRow("%s, %s, %s", kCases[i].name, reused ? "reused" : "new", body ? "POST" : "GET")
                        << static_cast<int>(i) << reused << body;
    }

    // HTTP/2 as services speak it: over TLS.
    peers::Authority m_authority;
    peers::TlsContext m_tls{m_authority.issue("127.0.0.1"), "h2"};
    QTemporaryDir m_folder;
    std::filesystem::path m_caFile;

    HttpRequest version2(HttpRequest request) const
    {
        request.version = "2";
        request.caFile = m_caFile;
        return request;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_caFile = m_folder.filePath("ca.pem").toStdString();
        std::ofstream(m_caFile) << m_authority.certificatePem();
    }

    void http1EndsSendNothingTwice_data() { casesAsRows(); }
    void http1EndsSendNothingTwice()
    {
        QFETCH(int, index);
        QFETCH(bool, reused);
        QFETCH(bool, body);
        const Case& now = kCases[index];
        std::atomic<int> requests{0};
        ScriptedServer server([&](PeerExchange& exchange) {
            if (requests++ < (reused ? 1 : 0))
                answerWell(exchange);
            else
                now.act(exchange);
        });
        Calls calls;
        int attempts = 0;
        if (reused) {
            const Told first = calls.run(Calls::post(server.url("/first")));
            COMPARE_ENDING(first, HttpEnding::Complete);
            ++attempts;
        }
        HttpRequest request = body ? Calls::post(server.url("/second")) : Calls::get(server.url("/second"));
        if (isTimed(now.ending)) request.totalTimeout = std::chrono::milliseconds(300);
        const Told told = calls.run(std::move(request));
        ++attempts;
        COMPARE_ENDING(told, now.ending);
        checkTold(told);
        QVERIFY(told.end->requestSent);

        // A connection that ended badly is not used again. One that was closed after a good answer may still look
        // open to the next call.
        requests = -1000;
        Calls others;
        Calls& next = now.ending == HttpEnding::Complete ? others : calls;
        COMPARE_ENDING(next.run(Calls::post(server.url("/third"))), HttpEnding::Complete);
        ++attempts;
        const auto executed = server.executed();
        QCOMPARE(static_cast<int>(executed.size()) - attempts, 0);
        if (reused) QCOMPARE(executed[1].onConnection, 1);
    }

    void answerBeforeAResetIsKeptOrBrokenButNeverSentAgain()
    {
        // Whether the reset overtakes the answer is the network's choice.
        std::atomic<int> requests{0};
        ScriptedServer server([&](PeerExchange& exchange) {
            answerWell(exchange);
            if (requests++ % 2 == 1) exchange.stream().reset();
        });
        Calls calls;
        for (int i = 0; i < 40; ++i) {
            const Told told = calls.run(Calls::post(server.url(), std::to_string(i)));
            const HttpEnding ending = told.end->ending;
            QVERIFY(ending == HttpEnding::Complete || ending == HttpEnding::Broken);
            checkTold(told);
        }
        std::set<std::string> bodies;
        for (const auto& request : server.executed())
            QVERIFY2(bodies.insert(request.body).second, request.body.c_str());
    }

    void bodyThatIsNotReadBreaksTheCall()
    {
        // Reset while the request's body is on its way, on a new and on a used connection.
        std::atomic<int> requests{0};
        ScriptedServer server(
            [&](PeerExchange& exchange) {
                if (requests++ % 2 == 0) {
                    exchange.readBody();
                    answerWell(exchange);
                } else {
                    exchange.stream().reset();
                }
            },
            {nullptr, true});
        Calls calls;
        for (int i = 0; i < 6; ++i) {
            const Told told = calls.run(Calls::post(server.url(), std::string(i % 2 == 0 ? 10 : 4'000'000, 'x')));
            COMPARE_ENDING(told, i % 2 == 0 ? HttpEnding::Complete : HttpEnding::Broken);
            checkTold(told);
            if (i % 2 == 1) QVERIFY(!told.end->requestSent);
        }
        QCOMPARE(requests.load(), 6);
    }

    void refusalBeforeTheBodyIsAnAnswer()
    {
        ScriptedServer server(
            [](PeerExchange& exchange) {
                exchange.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
                exchange.stream().awaitEnd(std::chrono::seconds(10));
            },
            {nullptr, true});
        Calls calls;
        const Told told = calls.run(Calls::post(server.url(), std::string(8'000'000, 'x')));
        COMPARE_ENDING(told, HttpEnding::Complete);
        QCOMPARE(told.end->status, 413);
        QCOMPARE(told.end->body, std::string("{}"));
        QVERIFY(!told.end->requestSent);
        QCOMPARE(told.wires, 1);
    }

    void http2EndsSendNothingTwice_data()
    {
        QTest::addColumn<int>("act");
        QTest::addColumn<int>("ending");
        QTest::addColumn<bool>("reused");
        QTest::addColumn<bool>("body");
        const std::pair<const char*, std::pair<Http2Act, HttpEnding>> cases[] = {
            {"answer", {Http2Act::Answer, HttpEnding::Complete}},
            {"hang", {Http2Act::Hang, HttpEnding::TimedOut}},
            {"stream reset", {Http2Act::ResetStream, HttpEnding::Broken}},
            {"stream refused", {Http2Act::RefuseStream, HttpEnding::Broken}},
            {"stream reset in the body", {Http2Act::ResetInBody, HttpEnding::Broken}},
            {"go away, unseen", {Http2Act::GoAwayUnseen, HttpEnding::Broken}},
            {"go away, seen", {Http2Act::GoAwaySeen, HttpEnding::Broken}},
            {"reset before a byte", {Http2Act::CutBeforeAnswer, HttpEnding::Broken}},
            {"close before a byte", {Http2Act::CloseBeforeAnswer, HttpEnding::Broken}},
            {"reset after the headers", {Http2Act::CutAfterHeaders, HttpEnding::Broken}},
            {"reset in the body", {Http2Act::CutInBody, HttpEnding::Broken}},
        };
        for (const auto& [name, what] : cases)
            for (const bool reused : {false, true})
                for (const bool body : {false, true})
                    QTest::addRow("%s, %s, %s", name, reused ? "reused" : "new", body ? "POST" : "GET")
                        << static_cast<int>(what.first) << static_cast<int>(what.second) << reused << body;
    }
    void http2EndsSendNothingTwice()
    {
        QFETCH(int, act);
        QFETCH(int, ending);
        QFETCH(bool, reused);
        QFETCH(bool, body);
        std::atomic<int> requests{0};
        std::atomic<int> onConnection{-1};
        Http2Server server(
            [&](const Http2Server::Request& request) {
                if (requests++ < (reused ? 1 : 0)) return Http2Act::Answer;
                onConnection = request.onConnection;
                return static_cast<Http2Act>(act);
            },
            {&m_tls});
        Calls calls;
        int attempts = 0;
        if (reused) {
            const Told first = calls.run(version2(Calls::post(server.url("/first"))));
            COMPARE_ENDING(first, HttpEnding::Complete);
            QCOMPARE(first.end->body, std::string("hello"));
            ++attempts;
        }
        HttpRequest request = version2(body ? Calls::post(server.url("/second")) : Calls::get(server.url("/second")));
        if (static_cast<HttpEnding>(ending) == HttpEnding::TimedOut)
            request.totalTimeout = std::chrono::milliseconds(300);
        const Told told = calls.run(std::move(request));
        ++attempts;
        COMPARE_ENDING(told, static_cast<HttpEnding>(ending));
        checkTold(told);
        QCOMPARE(onConnection.load(), reused ? 1 : 0);

        requests = -1000;
        COMPARE_ENDING(calls.run(version2(Calls::post(server.url("/third")))), HttpEnding::Complete);
        ++attempts;
        QCOMPARE(server.executions() - attempts, 0);
    }

    void manyCallsThatShareABreakingConnectionAreEachSentOnce()
    {
        // One stream's act cuts the connection of all others.
        std::atomic<int> requests{0};
        Http2Server server([&](const Http2Server::Request&) {
            const int number = requests++;
            return number % 50 == 49 ? Http2Act::CutBeforeAnswer
                   : number % 3 == 0 ? Http2Act::RefuseStream
                                     : Http2Act::Answer;
        });
        Calls calls;
        constexpr int kCalls = 400;
        std::vector<HttpId> ids;
        for (int i = 0; i < kCalls; ++i) {
            HttpRequest request = version2(Calls::post(server.url()));
            request.totalTimeout = std::chrono::seconds(10);
            ids.push_back(calls.start(std::move(request)));
        }
        QVERIFY(calls.awaitEnded(kCalls));
        int sent = 0;
        for (const HttpId id : ids) {
            const Told told = calls.told(id);
            checkTold(told);
            if (told.end->requestSent) ++sent;
        }
        QVERIFY(server.executions() <= sent);
        QVERIFY(requests.load() <= sent);
    }

    void plainHttp2WithPriorKnowledgeWorks()
    {
        Http2Server server([](const Http2Server::Request&) { return Http2Act::Answer; });
        Calls calls;
        for (int i = 0; i < 3; ++i) {
            HttpRequest request = Calls::post(server.url(), std::string(300'000, 'x'));
            request.version = "2";
            const Told told = calls.run(std::move(request));
            COMPARE_ENDING(told, HttpEnding::Complete);
            QCOMPARE(told.end->body, std::string("hello"));
            checkTold(told);
        }
        QCOMPARE(server.executions(), 3);
        QCOMPARE(server.bodyBytes(), std::int64_t{900'000});
    }

    void nothingLeftIsNotSent()
    {
        Calls calls;
        ScriptedServer gone(&answerWell);
        const std::string url = gone.url();
        gone.stop();
        const Told refused = calls.run(Calls::post(url));
        COMPARE_ENDING(refused, HttpEnding::NotSent);
        checkTold(refused);
        QVERIFY(!refused.end->requestSent && !refused.end->refusedHere);
        const Told unknown = calls.run(Calls::post("http://no-such-host.invalid/"));
        COMPARE_ENDING(unknown, HttpEnding::NotSent);
        checkTold(unknown);
    }

    void serverThatNeverShakesHandsIsNotSent()
    {
        // It takes the connection and says nothing, so TLS cannot begin.
        ScriptedServer silent([](PeerExchange&) {});
        Calls calls;
        HttpRequest request = Calls::post("https://127.0.0.1:" + std::to_string(silent.port()) + "/");
        request.connectTimeout = std::chrono::milliseconds(200);
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::NotSent);
        QVERIFY(told.end->error.find("no connection within 200 ms") != std::string::npos);
        checkTold(told);
    }

    void bodyThatCannotBeReadEndsTheCallBeforeItsLastByte()
    {
        struct Broken final : BodySource {
            std::int64_t size() const override { return 100; }
            Result<std::size_t> read(std::span<std::byte> into) override
            {
                if (++m_reads > 1) return fail(Reason::InputFileBad, "the artifact is gone");
                into[0] = std::byte{'x'};
                return 1;
            }
            int m_reads = 0;
        };
        ScriptedServer server(&answerWell);
        Calls calls;
        HttpRequest request = Calls::post(server.url());
        request.body = std::make_unique<Broken>();
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::Broken);
        QVERIFY(told.end->error.find("the artifact is gone") != std::string::npos);
        QVERIFY(!told.end->requestSent);
        QCOMPARE(server.executions(), 0);
    }
};

QTEST_GUILESS_MAIN(EndingsTest)
#include "endings_test.moc"
