// Hostile answers, wrong certificates, proxies, redirects and foreign URLs: bounded, refused, and no key leaves.
#include "core/api/transport/address_check.h"
#include "tests/core/api/transport/calls.h"
#include "tests/support/http_peers/scripted_server.h"

#include <fstream>

using namespace aiflow;
using peers::PeerExchange;
using peers::ScriptedServer;

namespace {

const char* const kCanary = "sk-canary-7d1f0a93b2";

HttpRequest withKey(HttpRequest request)
{
    request.keyHeader = {"Authorization", "Bearer ", std::make_shared<Secret>("test/main", kCanary)};
    return request;
}

bool holdsKey(const std::string& text) { return text.find(kCanary) != std::string::npos; }

bool holdsKey(const HttpEnd& end)
{
    bool found = holdsKey(end.error) || holdsKey(end.url) || holdsKey(end.body);
    for (const auto& [name, value] : end.headers) found = found || holdsKey(name) || holdsKey(value);
    return found;
}

bool holdsKey(const ScriptedServer& server)
{
    for (const auto& request : server.executed())
        if (holdsKey(request.head) || holdsKey(request.body)) return true;
    return false;
}

std::string deflated(const QByteArray& bytes) { return qCompress(bytes, 9).mid(4).toStdString(); }

} // namespace

class SafetyTest : public QObject {
    Q_OBJECT

    peers::Authority m_authority;
    QTemporaryDir m_folder;

    std::filesystem::path caFile()
    {
        const std::string path = m_folder.filePath("ca.pem").toStdString();
        std::ofstream(path) << m_authority.certificatePem();
        return path;
    }

private Q_SLOTS:
    void answerIsCountedAfterDecompression()
    {
        const std::string bomb = deflated(QByteArray(200'000'000, 'x'));
        QVERIFY(bomb.size() < 1'000'000);
        ScriptedServer server([&](PeerExchange& e) { e.answer(200, bomb, "Content-Encoding: deflate\r\n"); });
        Calls calls;
        const Told told = calls.run(Calls::post(server.url()));
        COMPARE_ENDING(told, HttpEnding::TooLarge);
        QVERIFY(told.end->bodyBytes <= 9 * 1024 * 1024);
        QVERIFY(told.end->body.empty());
        QCOMPARE(told.end->status, 200);

        HttpRequest roomy = Calls::post(server.url());
        roomy.answerCap = mebibytes(256);
        COMPARE_ENDING(calls.run(std::move(roomy)), HttpEnding::Complete);
    }

    void endlessBodyIsCutAtItsCap()
    {
        ScriptedServer server([](PeerExchange& e) {
            e.send("HTTP/1.1 200 OK\r\n\r\n");
            const std::string piece(100'000, 'x');
            while (e.stream().write(piece)) {
            }
            e.stream().close();
        });
        Calls calls;
        COMPARE_ENDING(calls.run(Calls::post(server.url())), HttpEnding::TooLarge);
    }

    void headersAreBounded_data()
    {
        QTest::addColumn<int>("lines");
        QTest::addColumn<int>("length");
        QTest::addColumn<bool>("good");
        QTest::newRow("many lines") << 250 << 10 << false;
        QTest::newRow("many bytes") << 100 << 1000 << false;
        QTest::newRow("one huge line") << 1 << 90'000 << false;
        QTest::newRow("endless") << 1'000'000 << 20 << false;
        QTest::newRow("as many as allowed") << 150 << 300 << true;
    }
    void headersAreBounded()
    {
        QFETCH(int, lines);
        QFETCH(int, length);
        QFETCH(bool, good);
        ScriptedServer server([&](PeerExchange& e) {
            e.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
            for (int i = 0; i < lines; ++i)
                if (!e.stream().write("x-" + std::to_string(i) + ": " +
                                      std::string(static_cast<std::size_t>(length), 'v') + "\r\n"))
                    break;
            e.send("\r\n{}");
            e.stream().close();
        });
        Calls calls;
        COMPARE_ENDING(calls.run(Calls::post(server.url())), good ? HttpEnding::Complete : HttpEnding::TooLarge);
    }

    void redirectsAreNotFollowedWithAKey()
    {
        ScriptedServer other([](PeerExchange& e) { e.answer(200, "{}"); });
        for (const int status : {301, 302, 303, 307, 308}) {
            ScriptedServer server(
                [&](PeerExchange& e) { e.answer(status, "", "Location: " + other.url("/steal") + "\r\n"); });
            Calls calls;
            const Told told = calls.run(withKey(Calls::post(server.url())));
            COMPARE_ENDING(told, HttpEnding::Complete);
            QCOMPARE(told.end->status, status);
            QVERIFY(holdsKey(server.executed().at(0).head));
        }
        QCOMPARE(other.connections(), 0);
    }

    void badCertificatesAreNotSent_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("self-signed") << 0;
        QTest::newRow("wrong host") << 1;
        QTest::newRow("expired") << 2;
        QTest::newRow("not yet valid") << 3;
        QTest::newRow("unknown authority") << 4;
    }
    void badCertificatesAreNotSent()
    {
        QFETCH(int, kind);
        const peers::Authority stranger;
        const peers::Identity identity = kind == 0   ? peers::selfSigned("127.0.0.1")
                                         : kind == 1 ? m_authority.issue("other.example")
                                         : kind == 2 ? m_authority.issue("127.0.0.1", -20, -1)
                                         : kind == 3 ? m_authority.issue("127.0.0.1", 2, 20)
                                                     : stranger.issue("127.0.0.1");
        const peers::TlsContext tls(identity, "h2,http/1.1");
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); }, {&tls});
        Calls calls;
        for (const bool ownAuthority : {true, false}) {
            HttpRequest request = withKey(Calls::post(server.url()));
            if (ownAuthority) request.caFile = caFile();
            const Told told = calls.run(std::move(request));
            COMPARE_ENDING(told, HttpEnding::NotSent);
            QVERIFY(!told.end->error.empty() && !holdsKey(*told.end));
            QCOMPARE(told.wires, 0);
        }
        QCOMPARE(server.executions(), 0);
    }

    void privateAuthorityIsAcceptedForItsCallsAlone()
    {
        const peers::TlsContext tls(m_authority.issue("127.0.0.1"), "http/1.1");
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); }, {&tls});
        Calls calls;
        for (int i = 0; i < 3; ++i) {
            HttpRequest request = withKey(Calls::post(server.url()));
            request.caFile = caFile();
            COMPARE_ENDING(calls.run(std::move(request)), HttpEnding::Complete);
            // Neither the open connection nor the used handle trusts for others.
            COMPARE_ENDING(calls.run(withKey(Calls::post(server.url()))), HttpEnding::NotSent);
        }
        QCOMPARE(server.executions(), 3);
    }

    void environmentNamesNoProxy()
    {
        ScriptedServer proxy([](PeerExchange& e) { e.answer(502, "caught"); });
        const std::string address = "http://127.0.0.1:" + std::to_string(proxy.port());
        for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
            qputenv(name, QByteArray::fromStdString(address));
        qputenv("no_proxy", "");
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); });
        Calls calls;
        COMPARE_ENDING(calls.run(Calls::post(server.url())), HttpEnding::Complete);
        COMPARE_ENDING(calls.run(Calls::fetch(server.url(), {"127.0.0.1"})), HttpEnding::Complete);
        COMPARE_ENDING(calls.run(Calls::post("https://no-such-host.invalid/")), HttpEnding::NotSent);
        for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy"})
            qunsetenv(name);
        QCOMPARE(proxy.connections(), 0);
    }

    void explicitProxySeesNoKey()
    {
        // Even where the environment would exempt the host.
        qputenv("no_proxy", "127.0.0.1,*");
        ScriptedServer proxy([](PeerExchange& e) { e.answer(403, "", "Connection: close\r\n"); });
        Calls calls;
        HttpRequest request = withKey(Calls::post("https://service.example/v1"));
        request.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
        const Told told = calls.run(std::move(request));
        qunsetenv("no_proxy");
        COMPARE_ENDING(told, HttpEnding::NotSent);
        QCOMPARE(proxy.executions(), 1);
        QVERIFY(proxy.executed().at(0).head.starts_with("CONNECT service.example:443"));
        QVERIFY(!holdsKey(proxy));
        QVERIFY(!holdsKey(*told.end));
    }

    void keyIsInNoErrorWhateverComesBack()
    {
        // The service echoes what it got, in headers and in ways that break.
        ScriptedServer server([](PeerExchange& e) {
            e.send("HTTP/1.1 200 OK\r\nx-echo: a\r\n" + std::string("Transfer-Encoding: chunked\r\n\r\n") + kCanary +
                   "\r\n");
            e.stream().close();
        });
        Calls calls;
        HttpRequest request = withKey(Calls::post(server.url("/v1")));
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::Broken);
        QVERIFY(!holdsKey(*told.end));
        // A key that would break the header's form is refused without being named.
        HttpRequest broken = Calls::post(server.url());
        broken.keyHeader = {"Authorization", "Bearer ",
                            std::make_shared<Secret>("test/b", std::string(kCanary) + "\r\nX: y")};
        const Told refused = calls.run(std::move(broken));
        COMPARE_ENDING(refused, HttpEnding::NotSent);
        QVERIFY(refused.end->refusedHere && !holdsKey(*refused.end));
        QVERIFY(refused.end->error.find("Authorization") != std::string::npos);
    }

    void headerThatCouldSmuggleIsRefused_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<bool>("good");
        QTest::newRow("line end") << QByteArray("x") << QByteArray("a\r\nEvil: 1") << false;
        QTest::newRow("newline") << QByteArray("x") << QByteArray("a\nb") << false;
        QTest::newRow("NUL") << QByteArray("x") << QByteArray("a\0b", 3) << false;
        QTest::newRow("delete") << QByteArray("x") << QByteArray("a\x7F") << false;
        QTest::newRow("utf-8") << QByteArray("x") << QByteArray("\xC3\xA4") << false;
        QTest::newRow("blank name") << QByteArray("x y") << QByteArray("a") << false;
        QTest::newRow("colon in the name") << QByteArray("x:") << QByteArray("a") << false;
        QTest::newRow("no name") << QByteArray("") << QByteArray("a") << false;
        QTest::newRow("host") << QByteArray("Host") << QByteArray("evil") << false;
        QTest::newRow("length") << QByteArray("content-length") << QByteArray("1") << false;
        QTest::newRow("encoding") << QByteArray("Transfer-Encoding") << QByteArray("chunked") << false;
        QTest::newRow("tab") << QByteArray("x-tab") << QByteArray("a\tb") << true;
        QTest::newRow("empty") << QByteArray("x-empty") << QByteArray("") << true;
        QTest::newRow("semicolon") << QByteArray("x-semi") << QByteArray("a;b") << true;
    }
    void headerThatCouldSmuggleIsRefused()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, value);
        QFETCH(bool, good);
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); });
        Calls calls;
        HttpRequest request = Calls::post(server.url());
        request.headers.emplace_back(name.toStdString(), value.toStdString());
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, good ? HttpEnding::Complete : HttpEnding::NotSent);
        QCOMPARE(told.end->refusedHere, !good);
        QCOMPARE(server.executions(), good ? 1 : 0);
        if (!good) return;
        const std::string head = server.executed()[0].head;
        const std::string line =
            "\r\n" + name.toStdString() + ":" + (value.isEmpty() ? "" : " ") + value.toStdString() + "\r\n";
        QVERIFY2(head.find(line) != std::string::npos, head.c_str());
        QVERIFY(head.find("Expect") == std::string::npos);
    }

    void cookiesAndNetrcAreOff()
    {
        QTemporaryDir home;
        std::ofstream(home.filePath(".netrc").toStdString()) << "machine 127.0.0.1 login me password secret\n";
        const QByteArray before = qgetenv("HOME");
        qputenv("HOME", home.path().toUtf8());
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}", "Set-Cookie: session=1; Path=/\r\n"); });
        Calls calls;
        for (int i = 0; i < 3; ++i) COMPARE_ENDING(calls.run(Calls::post(server.url())), HttpEnding::Complete);
        qputenv("HOME", before);
        for (const auto& request : server.executed()) {
            QVERIFY(request.head.find("Cookie") == std::string::npos);
            QVERIFY(request.head.find("Authorization") == std::string::npos);
        }
    }

    void plainHttpNeedsToBeAllowed()
    {
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); });
        Calls calls;
        HttpRequest request = withKey(Calls::post(server.url()));
        request.plainAllowed = false;
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::NotSent);
        QVERIFY(told.end->refusedHere);
        for (const char* url : {"ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "not a url", "",
                                "https://user:pass@127.0.0.1/", "//127.0.0.1/", "https://"}) {
            const Told other = calls.run(withKey(Calls::post(url)));
            COMPARE_ENDING(other, HttpEnding::NotSent);
            QVERIFY(other.end->refusedHere);
            QVERIFY(other.end->error.find("user:pass") == std::string::npos);
        }
        QCOMPARE(server.connections(), 0);
    }

    void foreignUrlsReachOnlyPublicAddresses_data();
    void foreignUrlsReachOnlyPublicAddresses()
    {
        QFETCH(QByteArray, url);
        static Calls calls;
        HttpRequest request = Calls::fetch(url.toStdString());
        request.connectTimeout = std::chrono::milliseconds(500);
        const Told told = calls.run(std::move(request));
        COMPARE_ENDING(told, HttpEnding::NotSent);
        QCOMPARE(told.wires, 0);
        // A name with a dot at its end may already be unknown to the resolver.
        const bool unknown = told.end->error.find("not resolve host") != std::string::npos;
        QVERIFY2(told.end->refusedHere || (url.contains("./") && unknown), told.end->error.c_str());
    }

    void redirectsOfAFetchAreCheckedEach_data();
    void redirectsOfAFetchAreCheckedEach()
    {
        QFETCH(QByteArray, location);
        ScriptedServer inner([](PeerExchange& e) { e.answer(200, "secret"); });
        const std::string target = QByteArray(location).replace("PORT", QByteArray::number(inner.port())).toStdString();
        ScriptedServer server([&](PeerExchange& e) { e.answer(302, "moved", "Location: " + target + "\r\n"); });
        Calls calls;
        const Told told = calls.run(Calls::fetch(server.url(), {"127.0.0.1:" + std::to_string(server.port())}));
        COMPARE_ENDING(told, HttpEnding::Broken);
        QVERIFY2(told.end->refusedHere, told.end->error.c_str());
        QCOMPARE(inner.connections(), 0);
        QCOMPARE(told.wires, 1);
    }

    void goodRedirectsOfAFetchAreFollowedThreeTimes()
    {
        ScriptedServer server([&](PeerExchange& e) {
            const std::string head = e.request().head;
            const int left = head[5] - '0';
            if (left > 0)
                e.answer(307, "moved", "Location: /" + std::to_string(left - 1) + "\r\n");
            else
                e.answer(200, "picture");
        });
        Calls calls;
        const std::vector<std::string> trusted = {"127.0.0.1"};
        const Told three = calls.run(Calls::fetch(server.url("/3"), trusted));
        COMPARE_ENDING(three, HttpEnding::Complete);
        QCOMPARE(three.end->status, 200);
        QCOMPARE(three.end->body, std::string("picture"));
        QCOMPARE(three.end->url, server.url("/0"));
        QCOMPARE(three.wires, 1);
        QCOMPARE(server.executions(), 4);
        const Told four = calls.run(Calls::fetch(server.url("/4"), trusted));
        COMPARE_ENDING(four, HttpEnding::Broken);
        QVERIFY(four.end->refusedHere && four.end->error.find("3 redirects") != std::string::npos);
        QCOMPARE(server.executions(), 8);
    }

    void fetchCarriesNoKeyAndUsesNoProxy()
    {
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); });
        Calls calls;
        COMPARE_ENDING(calls.run(withKey(Calls::fetch(server.url(), {"127.0.0.1"}))), HttpEnding::NotSent);
        HttpRequest proxied = Calls::fetch(server.url(), {"127.0.0.1"});
        proxied.proxy = server.url();
        COMPARE_ENDING(calls.run(std::move(proxied)), HttpEnding::NotSent);
        QCOMPARE(server.connections(), 0);
    }

    void connectionOfATrustedFetchIsNotLentToOthers()
    {
        // The first leaves an open connection behind; the second must not ride on it.
        ScriptedServer server([](PeerExchange& e) { e.answer(200, "{}"); });
        Calls calls;
        const std::string port = std::to_string(server.port());
        COMPARE_ENDING(calls.run(Calls::fetch(server.url(), {"127.0.0.1:" + port})), HttpEnding::Complete);
        const Told second = calls.run(Calls::fetch(server.url(), {"127.0.0.1:1"}));
        COMPARE_ENDING(second, HttpEnding::NotSent);
        QVERIFY(second.end->refusedHere);
        QCOMPARE(server.executions(), 1);
    }

    void publicAddressesArePublic()
    {
        for (const char* address : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
                                    "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
                                    "2a00:1450:4001::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"})
            QVERIFY2(isPublicAddress(std::string_view(address)), address);
        for (const char* address : {"0.0.0.0",
                                    "0.1.2.3",
                                    "10.0.0.1",
                                    "10.255.255.255",
                                    "100.64.0.1",
                                    "100.100.100.200",
                                    "127.0.0.1",
                                    "127.255.0.1",
                                    "169.254.169.254",
                                    "172.16.0.1",
                                    "172.31.255.255",
                                    "192.0.0.192",
                                    "192.0.2.1",
                                    "192.88.99.1",
                                    "192.168.1.1",
                                    "198.18.0.1",
                                    "198.19.255.255",
                                    "198.51.100.1",
                                    "203.0.113.1",
                                    "224.0.0.1",
                                    "239.1.1.1",
                                    "240.0.0.1",
                                    "255.255.255.255",
                                    "168.63.129.16",
                                    "::",
                                    "::1",
                                    "::7f00:1",
                                    "::ffff:127.0.0.1",
                                    "::ffff:10.0.0.1",
                                    "::ffff:169.254.169.254",
                                    "64:ff9b::7f00:1",
                                    "64:ff9b::a9fe:a9fe",
                                    "64:ff9b:1::1",
                                    "2002:7f00:1::1",
                                    "2002:a00:1::1",
                                    "2002:a9fe:a9fe::1",
                                    "2001::1",
                                    "2001:db8::1",
                                    "2001:10::1",
                                    "2001:20::1",
                                    "fc00::1",
                                    "fd00:ec2::254",
                                    "fd12:3456::1",
                                    "fe80::1",
                                    "fe80::1%eth0",
                                    "febf::1",
                                    "fec0::1",
                                    "ff02::1",
                                    "100::1",
                                    "3fff::1",
                                    "2606:4700::5efe:7f00:1",
                                    "2606:4700::200:5efe:a00:1",
                                    "4000::1",
                                    "8000::1",
                                    "",
                                    "nonsense",
                                    "127.1",
                                    "1.1.1.1 "})
            QVERIFY2(!isPublicAddress(std::string_view(address)), address);
    }
};

// 120 forms: none may connect, and each must say that it was refused.
void SafetyTest::foreignUrlsReachOnlyPublicAddresses_data()
{
    QTest::addColumn<QByteArray>("url");
    const auto row = [](const QByteArray& url) { QTest::newRow(url.left(80).constData()) << url; };
    const char* const hosts[] = {
        // loopback, in every way that it is written
        "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1",
        "0x7f.1", "0x7F.0x0.0x0.0x1", "017700000001", "0177.0.0.1", "0177.1", "0177.0x0.0.1", "0", "0.0.0.0", "0x0",
        "00", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "LocalHost", "%31%32%37.0.0.1",
        "%6c%6f%63%61%6c%68%6f%73%74", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0.0.0.1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0:0]",
        // private and shared networks
        "10.0.0.1", "10.255.255.255", "167772161", "0x0a000001", "012.0.0.1", "172.16.0.1", "172.31.255.255",
        "0xac100001", "192.168.0.1", "192.168.255.255", "0xc0a80001", "0300.0250.0.1", "3232235521", "100.64.0.1",
        "100.127.255.255", "[::ffff:10.0.0.1]", "[::ffff:192.168.1.1]", "[::ffff:a00:1]", "[fc00::1]", "[fd00::1]",
        "[fdff:ffff::1]", "[fec0::1]",
        // metadata services
        "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "169.16689662",
        "0xa9.0xfe.0xa9.0xfe", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        // translated forms
        "[64:ff9b::127.0.0.1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::1]", "[2002:a00:1::]",
        "[2002:c0a8:1::1]", "[2001:0:7f00:1::1]", "[2001:db8::1]", "[2001:10::1]", "[2606:4700::5efe:127.0.0.1]",
        // link local, multicast, reserved
        "[fe80::1]", "[fe80::1%25lo]", "[febf::1]", "[ff02::1]", "[ff05::2]", "[100::1]", "[4000::1]", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
        "192.88.99.1", "0.0.0.1"};
    for (const char* host : hosts) row(QByteArray("http://") + host + "/x.png");
    for (const char* url : {"https://127.0.0.1/",
                            "http://127.0.0.1:443/",
                            "https://[::1]:80/",
                            "http://127.0.0.1:22/",
                            "http://127.0.0.1:8080/",
                            "http://1.1.1.1:6379/",
                            "https://1.1.1.1:25/",
                            "http://1.1.1.1@127.0.0.1/",
                            "http://user:pw@127.0.0.1/",
                            "http://127.0.0.1#@1.1.1.1/",
                            "http://127.0.0.1?@1.1.1.1/",
                            "http:127.0.0.1/",
                            "http:///127.0.0.1/",
                            "http:\\\\127.0.0.1\\",
                            "http://127.0.0.1\\@1.1.1.1/",
                            "http://127.0.0.1%2f@1.1.1.1/",
                            "http://1.1.1.1 @127.0.0.1/",
                            "ftp://127.0.0.1/",
                            "file:///etc/passwd",
                            "gopher://127.0.0.1/",
                            "dict://127.0.0.1/",
                            "data:text/plain,x",
                            "http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/",
                            "http://127\xE3\x80\x82"
                            "0\xE3\x80\x82"
                            "0\xE3\x80\x82"
                            "1/",
                            "//127.0.0.1/",
                            "http://[::1",
                            "http://[::1]extra/",
                            "http://127.0.0.1:99999/",
                            "http://127.0.0.1:-1/",
                            "http://"})
        row(url);
    row("http://127.0.0.1/" + QByteArray(20'000, 'a'));
}

void SafetyTest::redirectsOfAFetchAreCheckedEach_data()
{
    QTest::addColumn<QByteArray>("location");
    for (const char* location :
         {"http://127.0.0.1:PORT/", "//127.0.0.1:PORT/", "http://localhost:PORT/", "http://127.0.0.1/", "http://[::1]/",
          "http://169.254.169.254/latest/meta-data/", "http://0x7f.1/", "https://127.0.0.1/", "ftp://127.0.0.1:PORT/",
          "file:///etc/passwd", "http://user@127.0.0.1:PORT/", "http://1.1.1.1:22/", "http://[64:ff9b::7f00:1]/",
          "http://2130706433/", "gopher://127.0.0.1:PORT/"})
        QTest::newRow(location) << QByteArray(location);
}

QTEST_GUILESS_MAIN(SafetyTest)
#include "safety_test.moc"
