// How good answers of each protocol are read: texts, pictures in all places, embeddings, usage, and refusals.
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;

namespace {

ProtocolAnswer answerOf(const NextMove& move)
{
    return std::holds_alternative<ProtocolAnswer>(move) ? std::get<ProtocolAnswer>(move) : ProtocolAnswer{};
}

std::string bodyOf(const NextMove& move)
{
    const ProtocolAnswer answer = answerOf(move);
    return answer.body ? dumpJson(*answer.body) : shown(move);
}

const Json kChat{
    {"id", "chat-1"},
    {"model", "m-1-2026"},
    {"choices",
     {{{"index", 0}, {"message", {{"role", "assistant"}, {"content", "a chair"}}}, {"finish_reason", "stop"}}}},
    {"usage", {{"prompt_tokens", 12}, {"completion_tokens", 3}, {"prompt_tokens_details", {{"cached_tokens", 8}}}}}};

Json chatWith(const char* pointer, const Json& value)
{
    Json body = kChat;
    body[Json::json_pointer(pointer)] = value;
    return body;
}

NextMove chat(const Json& body)
{
    const TalkWorld world(ProtocolKind::OpenAi);
    return answered(*world.begin(RouteKind::Text, {{"prompt", "p"}}), dumpJson(body));
}

const Json kGemini{
    {"responseId", "r-1"},
    {"modelVersion", "m-1-001"},
    {"candidates",
     {{{"content",
        {{"role", "model"}, {"parts", {{{"text", "hm"}, {"thought", true}}, {{"text", "a "}}, {{"text", "chair"}}}}}},
       {"finishReason", "STOP"}}}},
    {"usageMetadata",
     {{"promptTokenCount", 12},
      {"candidatesTokenCount", 3},
      {"thoughtsTokenCount", 4},
      {"cachedContentTokenCount", 2}}}};

const Json kMessage{
    {"id", "msg-1"},
    {"type", "message"},
    {"model", "m-1"},
    {"content", {{{"type", "thinking"}, {"thinking", "hm"}}, {{"type", "text"}, {"text", "a chair"}}}},
    {"stop_reason", "end_turn"},
    {"usage",
     {{"input_tokens", 10}, {"cache_read_input_tokens", 5}, {"cache_creation_input_tokens", 1}, {"output_tokens", 3}}}};

NextMove message(const Json& body, Json request = {{"prompt", "p"}})
{
    const TalkWorld world(ProtocolKind::Anthropic);
    return answered(*world.begin(RouteKind::Text, std::move(request)), dumpJson(body));
}

Json with(Json body, const char* pointer, const Json& value)
{
    body[Json::json_pointer(pointer)] = value;
    return body;
}

} // namespace

class ProtocolAnswersTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void openAiTexts()
    {
        const ProtocolAnswer answer = answerOf(chat(kChat));
        QVERIFY(answer.body);
        QCOMPARE((*answer.body)["text"].get<std::string>(), std::string("a chair"));
        QCOMPARE(answer.model, std::string("m-1-2026"));
        QCOMPARE(answer.requestId, std::string("chat-1"));
        QVERIFY(answer.usageKnown && !answer.cutOff);
        QCOMPARE(answer.usage.inputTokens, 12);
        QCOMPARE(answer.usage.cachedInputTokens, 8);
        QCOMPARE(answer.usage.outputTokens, 3);
    }

    void theRequestIdOfTheHeadersWins()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Text, {{"prompt", "p"}});
        QCOMPARE(answerOf(answered(*talk, dumpJson(kChat), 200, {{"x-request-id", "req-9"}})).requestId,
                 std::string("req-9"));
    }

    void contentMayBeAListOfParts()
    {
        const Json parts = Json::array({{{"type", "text"}, {"text", "a "}}, {{"type", "text"}, {"text", "chair"}}});
        QCOMPARE((*answerOf(chat(chatWith("/choices/0/message/content", parts))).body)["text"].get<std::string>(),
                 std::string("a chair"));
    }

    void aByteOrderMarkAndSpacesAreBorne()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Text, {{"prompt", "p"}});
        QCOMPARE(shown(answered(*talk, "\xEF\xBB\xBF \r\n" + dumpJson(kChat) + "\n\n")), std::string("answer"));
    }

    void answersThatTheLimitCutAreSaidToBeCut()
    {
        for (const Json& content : {Json("a ch"), Json(nullptr)}) {
            Json body = chatWith("/choices/0/message/content", content);
            body["choices"][0]["finish_reason"] = "length";
            const ProtocolAnswer answer = answerOf(chat(body));
            QVERIFY(answer.cutOff && answer.body);
        }
        const TalkWorld gemini(ProtocolKind::Gemini);
        QVERIFY(answerOf(answered(*gemini.begin(RouteKind::Text, {{"prompt", "p"}}),
                                  dumpJson(with(kGemini, "/candidates/0/finishReason", "MAX_TOKENS"))))
                    .cutOff);
        QVERIFY(answerOf(message(with(kMessage, "/stop_reason", "max_tokens"))).cutOff);
    }

    void refusalsAreRefusals()
    {
        QVERIFY(shown(chat(chatWith("/choices/0/finish_reason", "content_filter"))).starts_with("ContentRefused"));
        QVERIFY(shown(chat(chatWith("/choices/0/message/refusal", "I can't help with that")))
                    .starts_with("ContentRefused"));
        QVERIFY(shown(message(with(kMessage, "/stop_reason", "refusal"))).starts_with("ContentRefused"));
        const TalkWorld gemini(ProtocolKind::Gemini);
        const auto ask = [&](const Json& body) {
            return shown(answered(*gemini.begin(RouteKind::Text, {{"prompt", "p"}}), dumpJson(body)));
        };
        for (const char* word : {"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY"})
            QVERIFY2(ask(with(kGemini, "/candidates/0/finishReason", word)).starts_with("ContentRefused"), word);
        QVERIFY(ask({{"promptFeedback", {{"blockReason", "SAFETY"}}}}).starts_with("ContentRefused"));
    }

    void geminiTexts()
    {
        const TalkWorld world(ProtocolKind::Gemini);
        const ProtocolAnswer answer =
            answerOf(answered(*world.begin(RouteKind::Text, {{"prompt", "p"}}), dumpJson(kGemini)));
        QVERIFY(answer.body);
        QCOMPARE((*answer.body)["text"].get<std::string>(), std::string("a chair"));
        QCOMPARE(answer.usage.inputTokens, 12);
        QCOMPARE(answer.usage.cachedInputTokens, 2);
        QCOMPARE(answer.usage.outputTokens, 7); // what it thought is paid too
        QCOMPARE(answer.requestId, std::string("r-1"));
    }

    void anthropicTextsAndTools()
    {
        const ProtocolAnswer answer = answerOf(message(kMessage));
        QVERIFY(answer.body);
        QCOMPARE((*answer.body)["text"].get<std::string>(), std::string("a chair"));
        QCOMPARE(answer.usage.inputTokens, 16);
        QCOMPARE(answer.usage.cachedInputTokens, 5);
        Json tool =
            with(kMessage, "/content/1", {{"type", "tool_use"}, {"name", "answer"}, {"input", {{"name", "chair"}}}});
        tool["stop_reason"] = "tool_use";
        const Json schema{{"type", "object"}};
        QCOMPARE((*answerOf(message(tool, {{"prompt", "p"}, {"schema", schema}})).body)["text"].get<std::string>(),
                 dumpJson(Json{{"name", "chair"}}));
    }

    void smallPicturesStayInMemory()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        for (const std::string& coded : {kPngBase64, "data:image/png;base64," + kPngBase64}) {
            const auto talk = world.begin(RouteKind::Image, {{"prompt", "p"}});
            const ProtocolAnswer answer =
                answerOf(answered(*talk, dumpJson({{"data", {{{"b64_json", coded}}}},
                                                   {"usage", {{"input_tokens", 9}, {"output_tokens", 1000}}}})));
            QCOMPARE(answer.files.size(), std::size_t(1));
            const SpooledFile& file = answer.files[0];
            QVERIFY(file.path.empty());
            QCOMPARE(file.mediaType, std::string("image/png"));
            QCOMPARE(file.size, static_cast<std::int64_t>(kPng.size()));
            QVERIFY(file.hash == sha256(kPng));
            QCOMPARE(std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()), kPng);
            QCOMPARE(answer.usage.images, 1);
            QCOMPARE(answer.usage.outputTokens, 1000);
            QCOMPARE((*answer.body)["images"].get<int>(), 1);
        }
    }

    void spooledPicturesAreTakenInTheirOrder()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Image, {{"prompt", "p"}, {"n", 2}});
        const ProtocolAnswer answer = answerOf(
            answered(*talk, dumpJson({{"data", {{{"b64_json", "aiflow-file:1"}}, {{"b64_json", "aiflow-file:0"}}}}}),
                     200, {}, {spooledPicture("/spool/a.0.bin"), spooledPicture("/spool/a.1.bin")}));
        QCOMPARE(answer.files.size(), std::size_t(2));
        QCOMPARE(answer.files[0].path.string(), std::string("/spool/a.1.bin"));
        QCOMPARE(answer.files[1].path.string(), std::string("/spool/a.0.bin"));
    }

    void picturesByAddressAreFetchedWithoutTheKey()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Image, {{"prompt", "p"}, {"n", 2}});
        NextMove move = answered(
            *talk, dumpJson({{"data", {{{"url", "http://cdn.example.com/1.png"}}, {{"b64_json", kPngBase64}}}}}));
        QCOMPARE(shown(move), std::string("exchange"));
        const Exchange& fetch = std::get<Exchange>(move);
        QVERIFY(fetch.picture && !fetch.paid);
        QVERIFY(fetch.http.untrusted && fetch.http.plainAllowed);
        QVERIFY(fetch.http.keyHeader.key == nullptr && fetch.http.headers.empty() && fetch.http.proxy.empty());
        QCOMPARE(fetch.http.trustedHosts, std::vector<std::string>{"cdn.example.com"});
        QCOMPARE(fetch.http.method, std::string("GET"));
        // A moment's trouble loses nothing.
        move = answered(*talk, "", 503);
        QCOMPARE(shown(move), std::string("exchange"));
        QVERIFY(std::get<Exchange>(move).after.count() > 0);
        HttpEnd broken;
        broken.ending = HttpEnding::Broken;
        QVERIFY(talk->again(broken));
        const ProtocolAnswer answer =
            answerOf(answered(*talk, "", 200, {{"content-type", "image/png"}}, {spooledPicture("/spool/b.0.bin")}));
        QCOMPARE(answer.files.size(), std::size_t(2));
        QCOMPARE(answer.files[0].path.string(), std::string("/spool/b.0.bin"));
        QVERIFY(answer.files[1].path.empty());
    }

    void addressesThatDoNotAnswerAreLiesInTheEnd()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto ask = [&](int status, const std::string& body, const std::string& type) {
            const auto talk = world.begin(RouteKind::Image, {{"prompt", "p"}});
            NextMove move = answered(*talk, dumpJson({{"data", {{{"url", "https://cdn.example.com/1.png"}}}}}));
            for (int i = 0; i < 10 && std::holds_alternative<Exchange>(move); ++i)
                move = answered(*talk, body, status, {{"content-type", type}});
            return shown(move);
        };
        QVERIFY(ask(404, "", "text/html").starts_with("LyingSuccess"));
        QVERIFY(ask(403, "expired", "text/xml").starts_with("LyingSuccess"));
        QVERIFY(ask(500, "", "text/html").starts_with("LyingSuccess"));
        QVERIFY(ask(200, "", "image/png").starts_with("LyingSuccess"));
        QVERIFY(ask(200, "gone", "text/plain").starts_with("LyingSuccess"));
        QCOMPARE(ask(200, kPng, "application/octet-stream"), std::string("answer"));
    }

    void geminiPictures()
    {
        const TalkWorld world(ProtocolKind::Gemini);
        const auto ask = [&](const Json& parts, std::vector<SpooledFile> files = {}) {
            Json body = with(kGemini, "/candidates/0/content/parts", parts);
            return answered(*world.begin(RouteKind::Image, {{"prompt", "p"}}), dumpJson(body), 200, {},
                            std::move(files));
        };
        const ProtocolAnswer answer =
            answerOf(ask({{{"text", "here"}}, {{"inlineData", {{"mimeType", "image/png"}, {"data", kPngBase64}}}}}));
        QCOMPARE(answer.files.size(), std::size_t(1));
        QCOMPARE(answerOf(ask({{{"inline_data", {{"mime_type", "image/png"}, {"data", "aiflow-file:0"}}}}},
                              {spooledPicture("/spool/x")}))
                     .files.size(),
                 std::size_t(1));
        QVERIFY(shown(ask({{{"text", "I cannot draw"}}})).starts_with("LyingSuccess"));
    }

    void embeddingsComeInTheOrderOfTheirTexts()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const Json data{{{"index", 1}, {"embedding", {3, 4}}}, {{"index", 0}, {"embedding", {1, 2}}}};
        QCOMPARE(
            bodyOf(answered(*world.begin(RouteKind::Embedding, {{"text", {"a", "b"}}}), dumpJson({{"data", data}}))),
            dumpJson({{"embeddings", {{1, 2}, {3, 4}}}}));
        QCOMPARE(bodyOf(answered(*world.begin(RouteKind::Embedding, {{"text", "a"}}),
                                 dumpJson({{"data", {{{"embedding", {1, 2.5}}}}}}))),
                 dumpJson({{"embedding", {1, 2.5}}}));
        const TalkWorld gemini(ProtocolKind::Gemini);
        QCOMPARE(bodyOf(answered(*gemini.begin(RouteKind::Embedding, {{"text", "a"}}),
                                 dumpJson({{"embedding", {{"values", {1, 2}}}}}))),
                 dumpJson({{"embedding", {1, 2}}}));
        QCOMPARE(bodyOf(answered(*gemini.begin(RouteKind::Embedding, {{"text", {"a", "b"}}}),
                                 dumpJson({{"embeddings", {{{"values", {1}}}, {{"values", {2}}}}}}))),
                 dumpJson({{"embeddings", {{1}, {2}}}}));
    }

    void modelServicesAnswerWithObjectsAndPictures()
    {
        const TalkWorld world(ProtocolKind::ModelService);
        const auto ask = [&](const Json& body, std::vector<SpooledFile> files = {}) {
            return answered(*world.begin(RouteKind::Model, {{"x", 1}}), dumpJson(body), 200, {}, std::move(files));
        };
        const NextMove made = ask({{"outputs",
                                    {{"score", 0.5},
                                     {"mask", {{"base64", kPngBase64}, {"media_type", "image/png"}}},
                                     {"all", {"aiflow-file:0"}}}}},
                                  {spooledPicture("/spool/m")});
        QCOMPARE(bodyOf(made), dumpJson({{"score", 0.5}, {"mask", {{"file", 1}}}, {"all", {{{"file", 0}}}}}));
        QCOMPARE(answerOf(made).files.size(), std::size_t(2));
        QCOMPARE(bodyOf(ask({{"score", 1}})), dumpJson({{"score", 1}}));
        QCOMPARE(bodyOf(ask({{"outputs", {1, 2}}})), dumpJson({{"result", {1, 2}}}));
        QVERIFY(shown(ask({{"outputs", Json::object()}})).starts_with("LyingSuccess"));
    }

    void aModelServiceMayAnswerWithThePictureItself()
    {
        const TalkWorld world(ProtocolKind::ModelService);
        const auto ask = [&](const std::string& body, const std::string& type, std::vector<SpooledFile> files = {}) {
            return answered(*world.begin(RouteKind::Image, {{"prompt", "p"}}), body, 200, {{"content-type", type}},
                            std::move(files));
        };
        QCOMPARE(answerOf(ask("", "image/png", {spooledPicture("/spool/p")})).files.size(), std::size_t(1));
        QCOMPARE(answerOf(ask(kPng, "image/png")).files.size(), std::size_t(1));
        QVERIFY(shown(ask("<html><body>busy</body></html>", "text/html")).starts_with("LyingSuccess"));
    }

    void anAnswerOfAnEarlierProcessIsReadWithoutAsking()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto begun = world.protocol().begin(world.plan(RouteKind::Text, {{"prompt", "p"}}));
        QVERIFY(begun);
        QCOMPARE(shown(answered(**begun, dumpJson(kChat))), std::string("answer"));
    }

    void noAttemptIsMadeAgainByItself()
    {
        const TalkWorld world(ProtocolKind::OpenAi);
        const auto talk = world.begin(RouteKind::Text, {{"prompt", "p"}});
        for (const HttpEnding ending : {HttpEnding::NotSent, HttpEnding::Broken, HttpEnding::TimedOut,
                                        HttpEnding::TooLarge, HttpEnding::Cancelled}) {
            HttpEnd end;
            end.ending = ending;
            QVERIFY(!talk->again(end));
        }
    }
};

QTEST_GUILESS_MAIN(ProtocolAnswersTest)
#include "protocol_answers_test.moc"
