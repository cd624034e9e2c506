#include <QTest>

#include "tests/core/rehearsal/stage.h"

#include <set>

using namespace aiflow;
using namespace aiflow::testing;
using namespace std::chrono_literals;

namespace {

int lieNamed(const std::string& name)
{
    for (int i = 0; i < kLieVariants; ++i)
        if (lieName(i) == name) return i;
    qFatal("no lie is called %s", name.c_str());
}

struct Teller {
    explicit Teller(SimulatedService service = plainService()) : provider(started(worldWith(std::move(service)))) {}
    LoopbackAnswer tell(int variant, const std::string& path = "/sim/v1/chat/completions",
                        const std::string& body = question("Describe a lamp"))
    {
        provider->clearFaults();
        SimulatedFault fault;
        fault.kind = FaultKind::Lie;
        fault.variant = variant;
        provider->addFault("sim", fault);
        LoopbackClient client(provider->port(), 400ms);
        return client.exchange("POST", path, withKey("key-of-main"), body, 1U << 20U);
    }
    LoopbackAnswer tell(const std::string& name) { return tell(lieNamed(name)); }
    std::unique_ptr<SimulatedProvider> provider;
};

const std::string kPicture = R"({"model":"model","prompt":"a lamp","size":"64x48"})";

} // namespace

class LiesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyLieHasANameOfItsOwn()
    {
        std::set<std::string> names;
        for (int i = 0; i < kLieVariants; ++i) names.insert(lieName(i));
        QCOMPARE(static_cast<int>(names.size()), kLieVariants);
    }

    void everyLieDiffersFromTheTruthInText()
    {
        Teller teller;
        const LoopbackAnswer truth = chat(*teller.provider, "Describe a lamp");
        std::set<std::string> same;
        for (int i = 0; i < kLieVariants; ++i) {
            const LoopbackAnswer lie = teller.tell(i);
            QVERIFY2(lie.status == 200 || lie.status == 302 || lie.status == 204, lieName(i).c_str());
            if (lie.end == AnswerEnd::Whole && lie.body == truth.body &&
                lie.header("content-type") == truth.header("content-type") && lie.header("content-encoding").empty())
                same.insert(lieName(i));
        }
        QVERIFY2(same.empty(), same.empty() ? "" : same.begin()->c_str());
        QCOMPARE(teller.provider->verdict().executed, std::int64_t{kLieVariants + 1});
    }

    void everyLieDiffersFromTheTruthInPictures()
    {
        Teller teller;
        LoopbackClient client(teller.provider->port());
        const std::string path = "/sim/v1/images/generations";
        const LoopbackAnswer truth = client.exchange("POST", path, withKey("key-of-main"), kPicture);
        QCOMPARE(truth.status, 200);
        std::set<std::string> same;
        for (int i = 0; i < kLieVariants; ++i) {
            const LoopbackAnswer lie = teller.tell(i, path, kPicture);
            if (lie.end == AnswerEnd::Whole && lie.status == 200 && lie.body == truth.body &&
                lie.header("content-type") == truth.header("content-type") && lie.header("content-encoding").empty())
                same.insert(lieName(i));
        }
        // An answer with pictures has neither a finish word nor a model's name.
        QCOMPARE(same, (std::set<std::string>{"unknown status word", "another model"}));
    }

    void brokenFramesAreBrokenAsTheySay()
    {
        Teller teller;
        QCOMPARE(teller.tell("shorter than announced").end, AnswerEnd::Closed);
        const LoopbackAnswer drip = teller.tell("endless drip");
        QCOMPARE(drip.end, AnswerEnd::TimedOut);
        QCOMPARE(drip.status, 200);
        QVERIFY(!drip.body.empty() && drip.body.size() < 100);
        QVERIFY(teller.tell("endless flood").body.size() >= 1U << 20U);
        const LoopbackAnswer bomb = teller.tell("gzip bomb");
        QCOMPARE(bomb.header("content-encoding"), std::string("gzip"));
        QVERIFY(bomb.body.starts_with("\x1f\x8b") && bomb.body.size() < 1U << 20U);
        QCOMPARE(teller.tell("depth 100,000").body.size(), std::size_t{200'000});
        QVERIFY(teller.tell("redirect").header("location").starts_with("http://127.0.0.1:"));
    }

    void brokenTextsAreBrokenAsTheySay()
    {
        Teller teller;
        QVERIFY(teller.tell("NaN").body.find(":NaN") != std::string::npos);
        QVERIFY(teller.tell("infinite number").body.find(":1e999") != std::string::npos);
        QVERIFY(teller.tell("invalid UTF-8").body.find("\xC3\x28 \xFF") != std::string::npos);
        QVERIFY(teller.tell("byte order mark").body.starts_with("\xEF\xBB\xBF{"));
        QVERIFY(!parseJson(teller.tell("truncated JSON").body).has_value());
        QVERIFY(jsonOf(teller.tell("number instead of text"))["choices"][0]["message"]["content"].is_number());
        QVERIFY(jsonOf(teller.tell("empty list"))["choices"].empty());
        QVERIFY(!jsonOf(teller.tell("no usage")).contains("usage"));
        QCOMPARE(jsonOf(teller.tell("negative usage"))["usage"]["prompt_tokens"].get<int>(), -5);
        QCOMPARE(jsonOf(teller.tell("another model"))["model"].get<std::string>(), std::string("another-model"));
        QVERIFY(teller.tell("stream without its end").body.starts_with("data: {"));
    }

    void listsOfPicturesAreTooShortOrTooLong()
    {
        Teller teller;
        const std::string path = "/sim/v1/images/generations";
        QCOMPARE(jsonOf(teller.tell(lieNamed("one too few"), path, kPicture))["data"].size(), std::size_t{0});
        QCOMPARE(jsonOf(teller.tell(lieNamed("one too many"), path, kPicture))["data"].size(), std::size_t{2});
    }

    void anExpiredAddressIsRefused()
    {
        SimulatedService service = plainService();
        service.models[0].picturesByUrl = true;
        Teller teller(std::move(service));
        const LoopbackAnswer lie = teller.tell(lieNamed("expired URL"), "/sim/v1/images/generations", kPicture);
        const auto url = jsonOf(lie)["data"][0]["url"].get<std::string>();
        LoopbackClient client(teller.provider->port());
        QCOMPARE(client.exchange("GET", pathOf(url), {}).status, 403);
    }

    void otherProtocolsLieToo_data()
    {
        QTest::addColumn<int>("protocol");
        QTest::newRow("gemini") << int(ProtocolKind::Gemini);
        QTest::newRow("anthropic") << int(ProtocolKind::Anthropic);
        QTest::newRow("model service") << int(ProtocolKind::ModelService);
    }
    void otherProtocolsLieToo()
    {
        QFETCH(int, protocol);
        const auto kind = static_cast<ProtocolKind>(protocol);
        const auto provider = started(worldWith(plainService(kind)));
        Headers headers = withKey("key-of-main");
        headers.emplace_back("x-goog-api-key", "key-of-main");
        headers.emplace_back("x-api-key", "key-of-main");
        headers.emplace_back("anthropic-version", "2023-06-01");
        std::string path = "/sim/0/infer";
        std::string body = R"({"model":"model","inputs":{}})";
        if (kind == ProtocolKind::Gemini) {
            path = "/sim/v1beta/models/model:generateContent";
            body = R"({"contents":[{"role":"user","parts":[{"text":"hello"}]}]})";
        } else if (kind == ProtocolKind::Anthropic) {
            path = "/sim/v1/messages";
            body = R"({"model":"model","max_tokens":900,"messages":[{"role":"user","content":"hello"}]})";
        }
        std::string truth;
        for (int i = -1; i < kLieVariants; ++i) {
            provider->clearFaults();
            SimulatedFault fault;
            fault.kind = FaultKind::Lie;
            fault.variant = i;
            if (i >= 0) provider->addFault("sim", fault);
            LoopbackClient client(provider->port(), 250ms);
            const LoopbackAnswer answer = client.exchange("POST", path, headers, body, 1U << 18U);
            if (i < 0) truth = answer.body;
            QVERIFY(answer.status == 200 || answer.status == 302 || answer.status == 204);
        }
        QVERIFY(parseJson(truth).has_value());
        QCOMPARE(provider->verdict().executed, std::int64_t{kLieVariants + 1});
    }
};

QTEST_GUILESS_MAIN(LiesTest)
#include "lies_test.moc"
