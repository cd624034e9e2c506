#include <QTest>

#include "tests/core/rehearsal/stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace aiflow;
using namespace aiflow::testing;
using namespace std::chrono_literals;

namespace {

struct Workshop {
    explicit Workshop(SimulatedService given = service(), double speed = 1)
        : provider(started(fast(worldWith(std::move(given)), speed))), client(provider->port(), 5s)
    {
    }
    static SimulatedWorld fast(SimulatedWorld world, double speed)
    {
        world.speed = speed;
        return world;
    }
    static SimulatedService service()
    {
        SimulatedService service = plainService(ProtocolKind::RemoteJob);
        service.capability = CapabilityClass::B;
        service.models[0].latency.median = 150ms;
        return service;
    }
    static Json request(const std::string& reference = {}, const std::string& webhook = {})
    {
        Json body = {{"model", "model"}, {"input", {{"prompt", "a lamp"}}}};
        if (!reference.empty()) body["reference"] = reference;
        if (!webhook.empty()) body["webhook"] = webhook;
        return body;
    }
    LoopbackAnswer submit(const Json& body)
    {
        return client.exchange("POST", "/sim/jobs", withKey("key-of-main"), dumpJson(body));
    }
    Json poll(const std::string& id)
    {
        return jsonOf(client.exchange("GET", "/sim/jobs/" + id, withKey("key-of-main")));
    }
    // The last word of the job.
    Json wait(const std::string& id)
    {
        Json last;
        eventually([&] {
            last = poll(id);
            return last["status"] == "succeeded" || last["status"] == "failed";
        });
        return last;
    }
    void fail(FaultKind kind, int variant = 0)
    {
        SimulatedFault fault;
        fault.kind = kind;
        fault.variant = variant;
        provider->addFault("sim", fault);
    }
    std::string lookUp(const std::string& reference)
    {
        const Json found =
            jsonOf(client.exchange("GET", "/sim/jobs?reference=" + reference, withKey("key-of-main")))["jobs"];
        return found.empty() ? std::string() : found[0]["id"].get<std::string>();
    }

    std::unique_ptr<SimulatedProvider> provider;
    LoopbackClient client;
};

// Listens once, and tells what was posted to it.
class Doorbell {
public:
    Doorbell() : m_listener(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(m_listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::listen(m_listener, 4);
        socklen_t size = sizeof address;
        ::getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size);
        m_port = ntohs(address.sin_port);
    }
    ~Doorbell() { ::close(m_listener); }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(m_port) + "/bell?job=1"; }
    std::string ring() const
    {
        pollfd ready{m_listener, POLLIN, 0};
        if (::poll(&ready, 1, 10'000) <= 0) return {};
        const int visitor = ::accept(m_listener, nullptr, nullptr);
        std::string text;
        char buffer[1024];
        while (text.find("}") == std::string::npos) {
            const ssize_t count = ::recv(visitor, buffer, sizeof buffer, 0);
            if (count <= 0) break;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        ::close(visitor);
        return text;
    }

private:
    int m_listener;
    int m_port = 0;
};

} // namespace

class RemoteJobsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aJobIsSubmittedPolledAndDone()
    {
        Workshop shop;
        const LoopbackAnswer submitted = shop.submit(Workshop::request());
        QCOMPARE(submitted.status, 200);
        const auto id = jsonOf(submitted)["id"].get<std::string>();
        QCOMPARE(jsonOf(submitted)["status"].get<std::string>(), std::string("queued"));
        QCOMPARE(submitted.header("retry-after"), std::string("2"));
        const Json done = shop.wait(id);
        QVERIFY(done["output"]["text"].get<std::string>().ends_with("a lamp"));
        QCOMPARE(done["id"].get<std::string>(), id);
        QCOMPARE(done["usage"]["output_tokens"].get<int>(), 200);
        const Verdict verdict = shop.provider->verdict();
        QCOMPARE(verdict.calls, std::int64_t{1}); // polls are none
        QCOMPARE(verdict.executed, std::int64_t{1});
        QVERIFY(eventually([&] { return shop.provider->open() == 0; }));
        for (const LedgerEntry& entry : shop.provider->ledger()) QCOMPARE(entry.paid, entry.path == "/jobs");
    }

    void picturesComeAsTextOrByAddress()
    {
        SimulatedService service = Workshop::service();
        service.models[0].makesPictures = true;
        service.models[0].latency.median = 0ms;
        SimulatedModel byUrl = service.models[0];
        byUrl.name = "by url";
        byUrl.picturesByUrl = true;
        service.models.push_back(byUrl);
        Workshop shop(std::move(service));
        Json body = Workshop::request();
        const Json inside = shop.wait(jsonOf(shop.submit(body))["id"].get<std::string>());
        QVERIFY(inside["output"][0]["b64_json"].get<std::string>().starts_with("iVBOR"));
        body["model"] = "by url";
        const Json outside = shop.wait(jsonOf(shop.submit(body))["id"].get<std::string>());
        const std::string path = pathOf(outside["output"][0]["url"].get<std::string>());
        QCOMPARE(shop.client.exchange("GET", path, {}).status, 200);
    }

    void aJobIsFoundByItsReferenceAlthoughTheSubmitWasLost()
    {
        Workshop shop;
        shop.fail(FaultKind::ResetBeforeByte);
        {
            LoopbackClient other(shop.provider->port());
            const LoopbackAnswer lost =
                other.exchange("POST", "/sim/jobs", withKey("key-of-main"), dumpJson(Workshop::request("our-7")));
            QCOMPARE(lost.end, AnswerEnd::Reset);
        }
        const std::string id = shop.lookUp("our-7");
        QVERIFY(!id.empty());
        QVERIFY(shop.lookUp("our-8").empty());
        QCOMPARE(shop.wait(id)["status"].get<std::string>(), std::string("succeeded"));
        QCOMPARE(shop.provider->verdict().executed, std::int64_t{1});
        LoopbackClient stranger(shop.provider->port());
        QCOMPARE(stranger.exchange("GET", "/sim/jobs/" + id, withKey("key-of-second")).status, 404);
    }

    void theGatewayGivesUpAfterAMinuteButTheJobGoesOn()
    {
        Workshop shop(Workshop::service(), 100);
        shop.fail(FaultKind::ServerError);
        const LoopbackAnswer answer = shop.submit(Workshop::request("our-1"));
        QCOMPARE(answer.status, 504);
        QCOMPARE(answer.header("content-type"), std::string("text/html"));
        QVERIFY(eventually([&] { return shop.provider->open() == 0; }));
        const LedgerEntry entry = shop.provider->ledger().front();
        QVERIFY(entry.executed && entry.charged);
        QVERIFY(entry.endedNs - entry.arrivedNs >= 600'000'000);
        QCOMPARE(shop.wait(shop.lookUp("our-1"))["status"].get<std::string>(), std::string("succeeded"));
    }

    void aRefusedJobFailsAndCostsNothing()
    {
        Workshop shop;
        shop.fail(FaultKind::ContentRefused);
        const Json failed = shop.wait(jsonOf(shop.submit(Workshop::request()))["id"].get<std::string>());
        QCOMPARE(failed["status"].get<std::string>(), std::string("failed"));
        QCOMPARE(failed["error"]["code"].get<std::string>(), std::string("content_policy_violation"));
        QCOMPARE(shop.provider->verdict().executed, std::int64_t{0});
    }

    void aStuckJobStaysUnderWay()
    {
        Workshop shop;
        shop.fail(FaultKind::Hang, 1);
        const auto id = jsonOf(shop.submit(Workshop::request()))["id"].get<std::string>();
        QVERIFY(eventually([&] { return shop.poll(id)["status"] == "running"; }));
        // The poll that was just answered may be leaving still.
        QVERIFY(eventually([&] { return shop.provider->open() == 1; }));
    }

    void theResultCanLieToo()
    {
        Workshop shop;
        int unknownWord = 0;
        while (lieName(unknownWord) != "unknown status word") ++unknownWord;
        shop.fail(FaultKind::Lie, unknownWord);
        const auto id = jsonOf(shop.submit(Workshop::request()))["id"].get<std::string>();
        QVERIFY(eventually([&] { return shop.poll(id)["status"] == "perhaps"; }));
    }

    void aJobTakesItsPlaceUntilItIsDone()
    {
        SimulatedService service = Workshop::service();
        service.accounts[0].limits.concurrency = 1;
        Workshop shop(std::move(service));
        const auto id = jsonOf(shop.submit(Workshop::request()))["id"].get<std::string>();
        QCOMPARE(shop.submit(Workshop::request()).status, 429);
        shop.wait(id);
        QCOMPARE(shop.submit(Workshop::request()).status, 200);
        QCOMPARE(shop.provider->verdict().refusals, std::int64_t{1});
    }

    void theWebhookIsCalledWhenTheJobIsDone()
    {
        const Doorbell bell;
        Workshop shop;
        const auto id = jsonOf(shop.submit(Workshop::request({}, bell.url())))["id"].get<std::string>();
        const std::string text = bell.ring();
        QVERIFY(text.starts_with("POST /bell?job=1 HTTP/1.1\r\n"));
        QVERIFY(text.find("\"id\":\"" + id + "\",\"status\":\"succeeded\"") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(RemoteJobsTest)
#include "remote_jobs_test.moc"
