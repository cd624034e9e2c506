// Answers that say success and are none: each has its class and a sentence, and none is taken for an answer.
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;

namespace {

struct Lie {
    std::string name;
    ProtocolKind protocol;
    RouteKind route;
    std::string body;
    std::string expected; // the failure's class
    Json request = {{"prompt", "p"}};
};

std::string chat(const std::string& choice) { return "{\"choices\":[" + choice + "]}"; }
std::string said(const std::string& content, const std::string& finish)
{
    return chat("{\"message\":{\"content\":" + content + "},\"finish_reason\":" + finish + "}");
}
std::string candidate(const std::string& parts, const std::string& finish)
{
    return "{\"candidates\":[{\"content\":{\"parts\":" + parts + "},\"finishReason\":" + finish + "}]}";
}
std::string messaged(const std::string& content, const std::string& stop)
{
    return "{\"type\":\"message\",\"content\":" + content + ",\"stop_reason\":" + stop + "}";
}

const std::string kGood = "{\"choices\":[{\"message\":{\"content\":\"a chair\"},\"finish_reason\":\"stop\"}]}";

std::vector<Lie> lies()
{
    constexpr auto kOpenAi = ProtocolKind::OpenAi;
    constexpr auto kGemini = ProtocolKind::Gemini;
    constexpr auto kAnthropic = ProtocolKind::Anthropic;
    constexpr auto kText = RouteKind::Text;
    constexpr auto kImage = RouteKind::Image;
    constexpr auto kEmbedding = RouteKind::Embedding;
    const Json two{{"prompt", "p"}, {"n", 2}};
    const Json texts{{"text", {"a", "b"}}};
    const std::string lying = "LyingSuccess";
    return {
        {"error inside", kOpenAi, kText,
         "{\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\"}}", lying},
        {"error beside an answer", kOpenAi, kText, "{\"error\":{\"message\":\"late\"}," + kGood.substr(1), lying},
        {"error as text", kOpenAi, kText, "{\"error\":\"upstream failed\"}", lying},
        {"code and message", kOpenAi, kText, "{\"code\":50001,\"message\":\"internal\"}", lying},
        {"limit inside", kOpenAi, kText, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\"}}",
         "Throttled"},
        {"balance inside", kOpenAi, kText, "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"x\"}}",
         "QuotaExhausted"},
        {"balance in Chinese", kOpenAi, kText, "{\"code\":\"x\",\"message\":\"账户余额不足，请充值\"}",
         "QuotaExhausted"},
        {"policy inside", kOpenAi, kText, "{\"error\":{\"code\":\"content_policy_violation\",\"message\":\"x\"}}",
         "ContentRefused"},
        {"page", kOpenAi, kText, "<!DOCTYPE html><html><title>502 Bad Gateway</title></html>", lying},
        {"page without a doctype", kOpenAi, kText, "  <html><body>login</body></html>", lying},
        {"XML", kOpenAi, kText, "<?xml version=\"1.0\"?><Error/>", lying},
        {"empty", kOpenAi, kText, "", lying},
        {"blank", kOpenAi, kText, " \r\n\t\n", lying},
        {"mark alone", kOpenAi, kText, "\xEF\xBB\xBF", lying},
        {"plain text", kOpenAi, kText, "OK", lying},
        {"list", kOpenAi, kText, "[]", lying},
        {"text", kOpenAi, kText, "\"ok\"", lying},
        {"number", kOpenAi, kText, "42", lying},
        {"null", kOpenAi, kText, "null", lying},
        {"truncated", kOpenAi, kText, kGood.substr(0, kGood.size() / 2), lying},
        {"twice", kOpenAi, kText, kGood + kGood, lying},
        {"trailing text", kOpenAi, kText, kGood + " ok", lying},
        {"stream", kOpenAi, kText, "data: " + kGood + "\n\ndata: [DONE]\n\n", lying},
        {"NaN", kOpenAi, kText, "{\"usage\":{\"prompt_tokens\":NaN}," + kGood.substr(1), lying},
        {"infinite", kOpenAi, kText, "{\"usage\":{\"prompt_tokens\":1e999}," + kGood.substr(1), lying},
        {"deep list", kOpenAi, kText, std::string(100'000, '[') + std::string(100'000, ']'), lying},
        {"deep objects", kOpenAi, kText,
         [] {
             std::string deep;
             for (int i = 0; i < 50'000; ++i) deep += "{\"a\":";
             return deep + "1" + std::string(50'000, '}');
         }(),
         lying},
        {"invalid UTF-8", kOpenAi, kText, said("\"\xC3\x28 \xFF\"", "\"stop\""), lying},
        {"surrogate", kOpenAi, kText, said("\"\\ud800\"", "\"stop\""), lying},
        {"no choices", kOpenAi, kText, "{}", lying},
        {"empty choices", kOpenAi, kText, chat(""), lying},
        {"choices of another type", kOpenAi, kText, "{\"choices\":\"none\"}", lying},
        {"choice of another type", kOpenAi, kText, chat("5"), lying},
        {"no message", kOpenAi, kText, chat("{\"finish_reason\":\"stop\"}"), lying},
        {"number instead of text", kOpenAi, kText, said("42", "\"stop\""), lying},
        {"null instead of text", kOpenAi, kText, said("null", "\"stop\""), lying},
        {"blank text", kOpenAi, kText, said("\" \\n \"", "\"stop\""), lying},
        {"no finish", kOpenAi, kText, chat("{\"message\":{\"content\":\"a chair\"}}"), lying},
        {"finish null", kOpenAi, kText, said("\"a\"", "null"), lying},
        {"unknown finish", kOpenAi, kText, said("\"a\"", "\"perhaps\""), lying},
        {"filtered", kOpenAi, kText, said("\"\"", "\"content_filter\""), "ContentRefused"},
        {"no pictures", kOpenAi, kImage, "{}", lying},
        {"no picture", kOpenAi, kImage, "{\"data\":[]}", lying},
        {"one of two", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"iVBORw0KGgp0aW55\"}]}", lying, two},
        {"two instead of one", kOpenAi, kImage,
         "{\"data\":[{\"b64_json\":\"iVBORw0KGgp0aW55\"},{\"b64_json\":\"iVBORw0KGgp0aW55\"}]}", lying},
        {"picture of nothing", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"\"}]}", lying},
        {"picture not base64", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"not a picture!\"}]}", lying},
        {"picture cut within base64", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"iVBORw0KG\"}]}", lying},
        {"picture of another type", kOpenAi, kImage, "{\"data\":[{\"b64_json\":5}]}", lying},
        {"picture nowhere", kOpenAi, kImage, "{\"data\":[{\"revised_prompt\":\"x\"}]}", lying},
        {"file that is not there", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"aiflow-file:7\"}]}", lying},
        {"file of no number", kOpenAi, kImage, "{\"data\":[{\"b64_json\":\"aiflow-file:-1\"}]}", lying},
        {"address of another kind", kOpenAi, kImage, "{\"data\":[{\"url\":\"file:///etc/passwd\"}]}", lying},
        {"too few embeddings", kOpenAi, kEmbedding, "{\"data\":[{\"embedding\":[1]}]}", lying, texts},
        {"embedding twice", kOpenAi, kEmbedding,
         "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}", lying, texts},
        {"embeddings of two lengths", kOpenAi, kEmbedding,
         "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1,2]}]}", lying, texts},
        {"embedding of texts", kOpenAi, kEmbedding, "{\"data\":[{\"embedding\":[\"a\"]}]}", lying, Json{{"text", "a"}}},
        {"embedding of nothing", kOpenAi, kEmbedding, "{\"data\":[{\"embedding\":[]}]}", lying, Json{{"text", "a"}}},
        {"no candidate", kGemini, kText, "{}", lying},
        {"empty candidates", kGemini, kText, "{\"candidates\":[]}", lying},
        {"candidate null", kGemini, kText, "{\"candidates\":null,\"usageMetadata\":{\"candidatesTokenCount\":0}}",
         lying},
        {"no parts", kGemini, kText, "{\"candidates\":[{\"finishReason\":\"STOP\"}]}", lying},
        {"no reason", kGemini, kText, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", lying},
        {"reason OTHER", kGemini, kText, candidate("[{\"text\":\"a\"}]", "\"OTHER\""), lying},
        {"only thoughts", kGemini, kText, candidate("[{\"text\":\"a\",\"thought\":true}]", "\"STOP\""), lying},
        {"text instead of picture", kGemini, kImage, candidate("[{\"text\":\"no\"}]", "\"STOP\""), lying},
        {"no picture made", kGemini, kImage, candidate("[]", "\"NO_IMAGE\""), lying},
        {"no content", kAnthropic, kText, "{\"type\":\"message\",\"stop_reason\":\"end_turn\"}", lying},
        {"empty content", kAnthropic, kText, messaged("[]", "\"end_turn\""), lying},
        {"content of another type", kAnthropic, kText, messaged("\"a\"", "\"end_turn\""), lying},
        {"no stop", kAnthropic, kText, messaged("[{\"type\":\"text\",\"text\":\"a\"}]", "null"), lying},
        {"unknown stop", kAnthropic, kText, messaged("[{\"type\":\"text\",\"text\":\"a\"}]", "\"perhaps\""), lying},
        {"error type", kAnthropic, kText, "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}",
         lying},
        {"context exceeded", kAnthropic, kText,
         messaged("[{\"type\":\"text\",\"text\":\"a\"}]", "\"model_context_window_exceeded\""), "TooLarge"},
        {"service says nothing", ProtocolKind::ModelService, RouteKind::Model, "{\"outputs\":{}}", lying,
         Json{{"x", 1}}},
        {"service says no", ProtocolKind::ModelService, RouteKind::Model, "{\"error\":\"CUDA out of memory\"}", lying,
         Json{{"x", 1}}},
        {"service's broken picture", ProtocolKind::ModelService, RouteKind::Model,
         "{\"outputs\":{\"m\":\"data:image/png;base64,@@\"}}", lying, Json{{"x", 1}}},
    };
}

} // namespace

class LyingAnswersTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void noLieIsTakenForAnAnswer_data()
    {
        QTest::addColumn<int>("number");
        const std::vector<Lie> all = lies();
        QVERIFY(all.size() >= 45);
        for (std::size_t i = 0; i < all.size(); ++i) QTest::newRow(all[i].name.c_str()) << static_cast<int>(i);
    }
    void noLieIsTakenForAnAnswer()
    {
        QFETCH(int, number);
        const Lie lie = lies()[static_cast<std::size_t>(number)];
        const TalkWorld world(lie.protocol);
        const auto talk = world.begin(lie.route, lie.request);
        QVERIFY(talk);
        const NextMove move = answered(*talk, lie.body);
        const std::string what = shown(move);
        QVERIFY2(what.starts_with(lie.expected + ": "), what.c_str());
        const Failure& failure = std::get<Failure>(move);
        QVERIFY(!failure.message.empty());
        QVERIFY(failure.message.size() <= 2200);
        // Whoever says 200 may have charged for it.
        QCOMPARE(failure.charged,
                 lie.expected == "LyingSuccess" || lie.expected == "TooLarge" || lie.name == "filtered");
    }

    void usageThatCannotBeIsNotKnown()
    {
        for (const char* usage : {"{\"prompt_tokens\":-5,\"completion_tokens\":1}", "{\"prompt_tokens\":1e18}",
                                  "{\"prompt_tokens\":\"12\"}", "[]", "null"}) {
            const TalkWorld world(ProtocolKind::OpenAi);
            const auto talk = world.begin(RouteKind::Text, {{"prompt", "p"}});
            const NextMove move = answered(*talk, "{\"usage\":" + std::string(usage) + "," + kGood.substr(1));
            QCOMPARE(shown(move), std::string("answer"));
            QVERIFY2(!std::get<ProtocolAnswer>(move).usageKnown, usage);
        }
    }

    void redirectsAreNeverFollowedWithAKey()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Text, {{"prompt", "p"}});
        const std::string what = shown(answered(*talk, "", 307, {{"location", "https://elsewhere.example.com"}}));
        QVERIFY2(what.starts_with("BadRequest") && what.find("base_url") != std::string::npos, what.c_str());
    }
};

QTEST_GUILESS_MAIN(LyingAnswersTest)
#include "lying_answers_test.moc"
