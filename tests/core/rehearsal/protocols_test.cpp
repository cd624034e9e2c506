#include <QByteArray>
#include <QTest>

#include "tests/core/rehearsal/stage.h"

using namespace aiflow;
using namespace aiflow::testing;
using namespace std::chrono_literals;

namespace {

struct Booth {
    explicit Booth(SimulatedService service)
        : provider(started(worldWith(std::move(service)))), client(provider->port())
    {
    }
    LoopbackAnswer post(const std::string& path, const Json& body, Headers headers)
    {
        return client.exchange("POST", path, headers, dumpJson(body));
    }
    std::unique_ptr<SimulatedProvider> provider;
    LoopbackClient client;
};

const Headers kGoogleKey = {{"x-goog-api-key", "key-of-main"}};
const Headers kAnthropicKey = {{"x-api-key", "key-of-main"}, {"anthropic-version", "2023-06-01"}};

std::pair<int, int> sizeOf(const std::string& base64Png)
{
    const QByteArray png = QByteArray::fromBase64(QByteArray::fromStdString(base64Png));
    if (!png.startsWith("\x89PNG")) return {0, 0};
    const auto at = [&](qsizetype i) { return static_cast<unsigned char>(png[i]); };
    return {at(18) << 8 | at(19), at(22) << 8 | at(23)};
}

Json gemini(const std::string& text, Json config = Json::object())
{
    return {{"contents", Json::array({{{"role", "user"}, {"parts", Json::array({{{"text", text}}})}}})},
            {"generationConfig", std::move(config)}};
}

} // namespace

class ProtocolsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void openaiMakesPicturesOfTheWantedSize()
    {
        Booth booth(plainService());
        const Json json = jsonOf(booth.post("/sim/v1/images/generations",
                                            {{"model", "model"}, {"prompt", "a lamp"}, {"n", 3}, {"size", "320x200"}},
                                            withKey("key-of-main")));
        QCOMPARE(json["data"].size(), std::size_t{3});
        for (const Json& one : json["data"])
            QCOMPARE(sizeOf(one["b64_json"].get<std::string>()), (std::pair{320, 200}));
        QVERIFY(json["data"][0] != json["data"][1]);
        QCOMPARE(booth.provider->ledger().front().usage.images, std::int64_t{3});
    }

    void openaiPicturesByAddressWorkOnce()
    {
        Booth booth(plainService());
        const Json json = jsonOf(booth.post("/sim/v1/images/generations",
                                            {{"model", "model"}, {"prompt", "a lamp"}, {"response_format", "url"}},
                                            withKey("key-of-main")));
        const std::string path = pathOf(json["data"][0]["url"].get<std::string>());
        const LoopbackAnswer file = booth.client.exchange("GET", path, {});
        QCOMPARE(file.status, 200);
        QCOMPARE(file.header("content-type"), std::string("image/png"));
        QVERIFY(file.body.starts_with("\x89PNG"));
        QCOMPARE(booth.client.exchange("GET", path, {}).status, 403);
        QVERIFY(!booth.provider->ledger().back().paid);
    }

    void openaiEditsTakeAForm()
    {
        Booth booth(plainService());
        const std::string form =
            "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nmodel\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nremove the \r\n wall\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n64x64\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\n"
            "Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n--not the end\r\n--b--\r\n";
        Headers headers = withKey("key-of-main");
        headers.emplace_back("Content-Type", "multipart/form-data; boundary=b");
        const LoopbackAnswer answer = booth.client.exchange("POST", "/sim/v1/images/edits", headers, form);
        QCOMPARE(answer.status, 200);
        QCOMPARE(sizeOf(jsonOf(answer)["data"][0]["b64_json"].get<std::string>()), (std::pair{64, 64}));
        headers.back().second = "multipart/form-data; boundary=other";
        QCOMPARE(booth.client.exchange("POST", "/sim/v1/images/edits", headers, form).status, 400);
    }

    void openaiEmbedsOneTextOrMany()
    {
        Booth booth(plainService());
        const Json many =
            jsonOf(booth.post("/sim/v1/embeddings", {{"model", "model"}, {"input", {"one", "two"}}, {"dimensions", 8}},
                              withKey("key-of-main")));
        QCOMPARE(many["data"].size(), std::size_t{2});
        QCOMPARE(many["data"][1]["embedding"].size(), std::size_t{8});
        QCOMPARE(many["data"][1]["index"].get<int>(), 1);
        QVERIFY(many["data"][0]["embedding"] != many["data"][1]["embedding"]);
    }

    void openaiReadsPicturesInAMessage()
    {
        Booth booth(plainService());
        const auto ask = [&](Json parts) {
            return booth.post(
                "/sim/v1/chat/completions",
                {{"model", "model"}, {"messages", Json::array({{{"role", "user"}, {"content", std::move(parts)}}})}},
                withKey("key-of-main"));
        };
        const Json words = {{"type", "text"}, {"text", "What is this?"}};
        const Json picture = {{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64,AAAA"}}}};
        const LoopbackAnswer answer = ask(Json::array({words, picture}));
        QCOMPARE(answer.status, 200);
        QCOMPARE(jsonOf(answer)["usage"]["prompt_tokens"].get<int>(), 3 + 85);
        QCOMPARE(ask(Json::array({words, {{"type", "input_image"}}})).status, 400);
    }

    void aLargeBodyWithExpectIsAskedFor()
    {
        Booth booth(plainService());
        Headers headers = withKey("key-of-main");
        headers.emplace_back("Expect", "100-continue");
        const std::string body = question(std::string(3 << 20, 'x'));
        const LoopbackAnswer first = booth.client.exchange("POST", "/sim/v1/chat/completions", headers, body);
        QCOMPARE(first.status, 100);
        QCOMPARE(booth.client.receive().status, 200);
        QCOMPARE(booth.provider->ledger().front().usage.inputTokens, std::int64_t{(3 << 20) / 4});
    }

    void geminiAnswersTextSchemaAndPictures()
    {
        Booth booth(plainService(ProtocolKind::Gemini));
        QCOMPARE(QByteArray::fromStdString(booth.provider->baseUrl("sim")).right(11), QByteArray("/sim/v1beta"));
        const std::string path = "/sim/v1beta/models/model:generateContent";
        const Json text = jsonOf(booth.post(path, gemini("Describe a lamp"), kGoogleKey));
        QVERIFY(text["candidates"][0]["content"]["parts"][0]["text"].get<std::string>().ends_with("Describe a lamp"));
        QCOMPARE(text["candidates"][0]["finishReason"].get<std::string>(), std::string("STOP"));
        QCOMPARE(text["usageMetadata"]["candidatesTokenCount"].get<int>(), 200);

        const Json schema = {
            {"type", "OBJECT"}, {"required", {"title"}}, {"properties", {{"title", {{"type", "STRING"}}}}}};
        const Json object = jsonOf(booth.post(
            path, gemini("a", {{"responseMimeType", "application/json"}, {"responseSchema", schema}}), kGoogleKey));
        const auto value = parseJson(object["candidates"][0]["content"]["parts"][0]["text"].get<std::string>());
        QVERIFY(value && (*value)["title"].is_string());

        const Json picture =
            jsonOf(booth.post(path, gemini("a", {{"responseModalities", {"TEXT", "IMAGE"}}}), kGoogleKey));
        const Json data = picture["candidates"][0]["content"]["parts"][0]["inlineData"];
        QCOMPARE(sizeOf(data["data"].get<std::string>()), (std::pair{48, 32}));
        QCOMPARE(booth.provider->ledger()[2].usage.images, std::int64_t{1});
    }

    void geminiCutsRefusesAndEmbeds()
    {
        Booth booth(plainService(ProtocolKind::Gemini));
        const std::string path = "/sim/v1beta/models/model:generateContent";
        QCOMPARE(
            jsonOf(booth.post(path, gemini("a", {{"maxOutputTokens", 5}}), kGoogleKey))["candidates"][0]["finishReason"]
                .get<std::string>(),
            std::string("MAX_TOKENS"));
        const Json embedded =
            jsonOf(booth.post("/sim/v1beta/models/model:embedContent",
                              {{"content", {{"parts", Json::array({{{"text", "a"}}})}}}}, kGoogleKey));
        QCOMPARE(embedded["embedding"]["values"].size(), std::size_t{16});
        SimulatedFault fault;
        fault.kind = FaultKind::ContentRefused;
        booth.provider->addFault("sim", fault);
        QCOMPARE(jsonOf(booth.post(path, gemini("a"), kGoogleKey))["promptFeedback"]["blockReason"].get<std::string>(),
                 std::string("SAFETY"));
        const LoopbackAnswer wrongKey = booth.post(path, gemini("a"), {{"x-goog-api-key", "no"}});
        QCOMPARE(wrongKey.status, 400);
        QVERIFY(wrongKey.body.find("API_KEY_INVALID") != std::string::npos);
        QCOMPARE(booth.client.exchange("GET", "/sim/v1beta/models?pageSize=1", kGoogleKey).status, 200);
    }

    void anthropicAnswersTextAndToolCalls()
    {
        Booth booth(plainService(ProtocolKind::Anthropic));
        Json request = {{"model", "model"},
                        {"max_tokens", 900},
                        {"system", "You are brief."},
                        {"messages", Json::array({{{"role", "user"}, {"content", "Describe a lamp"}}})}};
        const Json text = jsonOf(booth.post("/sim/v1/messages", request, kAnthropicKey));
        QVERIFY(text["content"][0]["text"].get<std::string>().ends_with("Describe a lamp"));
        QCOMPARE(text["stop_reason"].get<std::string>(), std::string("end_turn"));
        QCOMPARE(text["usage"]["output_tokens"].get<int>(), 200);

        request["tools"] = Json::array(
            {{{"name", "answer"},
              {"input_schema",
               {{"type", "object"}, {"required", {"n"}}, {"properties", {{"n", {{"type", "integer"}}}}}}}}});
        request["tool_choice"] = {{"type", "tool"}, {"name", "answer"}};
        const Json tool = jsonOf(booth.post("/sim/v1/messages", request, kAnthropicKey));
        QCOMPARE(tool["stop_reason"].get<std::string>(), std::string("tool_use"));
        QVERIFY(tool["content"][0]["input"]["n"].is_number_integer());
        request["max_tokens"] = 10;
        QCOMPARE(jsonOf(booth.post("/sim/v1/messages", request, kAnthropicKey))["stop_reason"].get<std::string>(),
                 std::string("max_tokens"));
    }

    void anthropicIsAsStrictAsTheRealOne()
    {
        SimulatedService service = plainService(ProtocolKind::Anthropic);
        service.tellsLimits = true;
        service.accounts[0].limits.windows = {{LimitUnit::Requests, 2, 60s}, {LimitUnit::InputTokens, 500, 60s}};
        Booth booth(std::move(service));
        Json request = {{"model", "model"}, {"messages", Json::array({{{"role", "user"}, {"content", "a"}}})}};
        QCOMPARE(booth.post("/sim/v1/messages", request, kAnthropicKey).status, 400); // no max_tokens
        request["max_tokens"] = 500;
        QCOMPARE(booth.post("/sim/v1/messages", request, {{"x-api-key", "key-of-main"}}).status, 400); // no version
        QCOMPARE(booth.post("/sim/v1/messages", request, withKey("key-of-main")).status, 401);
        const LoopbackAnswer answer = booth.post("/sim/v1/messages", request, kAnthropicKey);
        QCOMPARE(answer.header("anthropic-ratelimit-requests-remaining"), std::string("1"));
        QCOMPARE(answer.header("anthropic-ratelimit-input-tokens-remaining"), std::string("499"));
        QVERIFY(answer.header("anthropic-ratelimit-requests-reset").ends_with("Z"));
        SimulatedFault fault;
        booth.provider->addFault("sim", fault);
        QCOMPARE(booth.post("/sim/v1/messages", request, kAnthropicKey).status, 529);
    }

    void modelServicesAnswerByInstanceAndTellTheirHealth()
    {
        SimulatedService service = plainService(ProtocolKind::ModelService);
        for (SimulatedAccount& account : service.accounts) account.key.clear();
        Booth booth(std::move(service));
        const Json request = {{"model", "model"},
                              {"inputs", {{"image", {{"media_type", "image/png"}, {"base64", "AA"}}}}}};
        const Json json = jsonOf(booth.post("/sim/0/infer", request, {}));
        QCOMPARE(json["outputs"]["boxes"].size(), std::size_t{2});
        QCOMPARE(booth.post("/sim/second/predict", request, {}).status, 200);
        const auto ledger = booth.provider->ledger();
        QCOMPARE(ledger[0].account, std::string("main"));
        QCOMPARE(ledger[1].account, std::string("second"));

        SimulatedFault down;
        down.account = "second";
        booth.provider->addFault("sim", down);
        QCOMPARE(booth.client.exchange("GET", "/sim/0/health", {}).status, 200);
        QCOMPARE(booth.client.exchange("GET", "/sim/1/health", {}).status, 503);
        QCOMPARE(booth.post("/sim/1/infer", request, {}).status, 503);
        QCOMPARE(booth.provider->verdict().calls, std::int64_t{3});
    }
};

QTEST_GUILESS_MAIN(ProtocolsTest)
#include "protocols_test.moc"
