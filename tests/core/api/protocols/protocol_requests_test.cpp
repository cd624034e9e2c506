// What each protocol sends, byte for byte.
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;

namespace {

const Json kPhoto{{"artifact", std::string(64, 'a')}, {"media_type", "image/png"}, {"size", 12}};
const Json kMask{{"artifact", std::string(64, 'b')}, {"media_type", "image/png"}, {"size", 4}};
const Json kSchema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                   {"type", "object"},
                   {"properties", {{"name", {{"type", "string"}}}}},
                   {"required", {"name"}}};

struct Sent {
    HttpRequest http;
    std::string body;
    bool paid = false;
};

Sent sentBy(TalkWorld& world, RouteKind kind, Json request, std::vector<Complaint> complaints = {})
{
    world.files[std::string(64, 'a')] = kPng;
    world.files[std::string(64, 'b')] = "mask";
    AttemptPlan plan = world.plan(kind, std::move(request));
    plan.complaints = std::move(complaints);
    auto talk = world.protocol().begin(std::move(plan));
    if (!talk) return {{}, "refused: " + talk.error().message, false};
    auto first = (*talk)->first();
    if (!first) return {{}, "refused: " + first.error().message, false};
    Sent sent;
    sent.paid = first->paid;
    sent.body = bytesOf(first->http.body.get());
    if (first->http.body && first->http.body->size() != static_cast<std::int64_t>(sent.body.size()))
        sent.body += " (another size was announced)";
    sent.http = std::move(first->http);
    return sent;
}

Sent sent(ProtocolKind kind, RouteKind route, Json request, Json options = Json::object(),
          std::vector<Complaint> complaints = {})
{
    TalkWorld world(kind, std::move(options));
    return sentBy(world, route, std::move(request), std::move(complaints));
}

} // namespace

class ProtocolRequestsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keysTravelInTheirHeaderAlone_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("header");
        QTest::addColumn<QString>("prefix");
        QTest::newRow("openai") << int(ProtocolKind::OpenAi) << "Authorization"
                                << "Bearer ";
        QTest::newRow("gemini") << int(ProtocolKind::Gemini) << "x-goog-api-key"
                                << "";
        QTest::newRow("anthropic") << int(ProtocolKind::Anthropic) << "x-api-key"
                                   << "";
        QTest::newRow("remote-job") << int(ProtocolKind::RemoteJob) << "Authorization"
                                    << "Bearer ";
        QTest::newRow("model-service") << int(ProtocolKind::ModelService) << "Authorization"
                                       << "Bearer ";
    }
    void keysTravelInTheirHeaderAlone()
    {
        QFETCH(int, kind);
        QFETCH(QString, header);
        QFETCH(QString, prefix);
        const Sent one = sent(static_cast<ProtocolKind>(kind), RouteKind::Text, {{"prompt", "hello"}});
        QCOMPARE(QString::fromStdString(one.http.keyHeader.name), header);
        QCOMPARE(QString::fromStdString(one.http.keyHeader.prefix), prefix);
        QVERIFY(one.http.keyHeader.key != nullptr);
        QVERIFY(one.paid);
        std::string all = one.http.url + one.body;
        for (const auto& [name, value] : one.http.headers) all += name + value;
        QVERIFY(all.find("canary") == std::string::npos);
        QVERIFY(!one.http.untrusted && !one.http.plainAllowed);
        const auto probe = protocolOf(static_cast<ProtocolKind>(kind))
                               .probe(TalkWorld(static_cast<ProtocolKind>(kind)).settings.providers[0], 0);
        QVERIFY(probe && !probe->paid);
        QCOMPARE(probe->http.method, std::string("GET"));
    }

    void anotherKeyHeaderHoldsTheBareKey()
    {
        const Sent one =
            sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "hello"}}, {{"key_header", "api-key"}});
        QCOMPARE(one.http.keyHeader.name, std::string("api-key"));
        QCOMPARE(one.http.keyHeader.prefix, std::string());
    }

    void openAiTexts()
    {
        const Sent plain = sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "hello"}});
        QCOMPARE(plain.http.url, std::string("https://api.example.com/v1/chat/completions"));
        QCOMPARE(headerIn(plain.http, "Content-Type"), std::string("application/json"));
        QCOMPARE(
            plain.body,
            std::string(
                "{\"max_tokens\":100,\"messages\":[{\"content\":\"hello\",\"role\":\"user\"}],\"model\":\"m-1\"}"));
        const Sent full =
            sent(ProtocolKind::OpenAi, RouteKind::Text,
                 {{"prompt", "what is it?"},
                  {"system", "be brief"},
                  {"image", kPhoto},
                  {"schema", kSchema},
                  {"temperature", 0.5},
                  {"seed", 7}},
                 {{"max_tokens_field", "max_completion_tokens"}, {"pass", {"seed"}}, {"extra", {{"store", false}}}},
                 {{"{}", "name: is missing"}});
        QCOMPARE(
            full.body,
            std::string("{\"max_completion_tokens\":100,\"messages\":[{\"content\":\"be brief\",\"role\":\"system\"},"
                        "{\"content\":[{\"text\":\"what is "
                        "it?\",\"type\":\"text\"},{\"image_url\":{\"url\":\"data:image/png;base64,") +
                kPngBase64 +
                "\"},\"type\":\"image_url\"}],\"role\":\"user\"},{\"content\":\"{}\",\"role\":\"assistant\"},{"
                "\"content\":"
                "\"This answer cannot be used:\\nname: is missing\\nGive the whole answer again, with this corrected "
                "and everything else as asked before.\","
                "\"role\":\"user\"}],\"model\":\"m-1\",\"response_format\":{\"json_schema\":{\"name\":\"answer\","
                "\"schema\":"
                "{\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"],\"type\":\"object\"}},"
                "\"type\":\"json_schema\"},"
                "\"seed\":7,\"store\":false,\"temperature\":0.5}");
    }

    void openAiSchemasInOtherForms()
    {
        const Sent object = sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "p"}, {"schema", kSchema}},
                                 {{"structured", "json_object"}});
        QVERIFY(object.body.find("\"response_format\":{\"type\":\"json_object\"}") != std::string::npos);
        QVERIFY(object.body.find("JSON Schema") != std::string::npos);
        const Sent words = sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "p"}, {"schema", kSchema}},
                                {{"structured", "prompt"}});
        QVERIFY(words.body.find("response_format") == std::string::npos);
        QVERIFY(words.body.find("JSON Schema") != std::string::npos);
    }

    void openAiPictures()
    {
        const Sent made =
            sent(ProtocolKind::OpenAi, RouteKind::Image, {{"prompt", "a chair"}, {"size", "1024x768"}, {"n", 2}},
                 {{"extra", {{"quality", "high"}}}});
        QCOMPARE(made.http.url, std::string("https://api.example.com/v1/images/generations"));
        QCOMPARE(made.body,
                 std::string("{\"model\":\"m-1\",\"n\":2,\"prompt\":\"a "
                             "chair\",\"quality\":\"high\",\"response_format\":\"b64_json\",\"size\":\"1024x768\"}"));
        QVERIFY(made.http.answerCap >= mebibytes(64));
        const Sent edit = sent(ProtocolKind::OpenAi, RouteKind::Image,
                               {{"prompt", "a chair"}, {"system", "bright"}, {"images", {kPhoto}}, {"mask", kMask}},
                               {{"image_format", "none"}, {"extra", {{"quality", "high"}}}});
        QCOMPARE(edit.http.url, std::string("https://api.example.com/v1/images/edits"));
        const std::string type = headerIn(edit.http, "Content-Type");
        const std::string line = "--" + type.substr(type.find("boundary=") + 9);
        const auto part = [&](const std::string& name, const std::string& value) {
            return line + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
        };
        QCOMPARE(edit.body, part("model", "m-1") + part("prompt", "bright\n\na chair") + part("n", "1") +
                                part("quality", "high") + line +
                                "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image0.png\"\r\n"
                                "Content-Type: image/png\r\n\r\n" +
                                kPng + "\r\n" + line +
                                "\r\nContent-Disposition: form-data; name=\"mask\"; filename=\"mask.png\"\r\n"
                                "Content-Type: image/png\r\n\r\nmask\r\n" +
                                line + "--\r\n");
    }

    void openAiEmbeddings()
    {
        QCOMPARE(sent(ProtocolKind::OpenAi, RouteKind::Embedding, {{"text", "chair"}}).body,
                 std::string("{\"input\":\"chair\",\"model\":\"m-1\"}"));
        const Sent list = sent(ProtocolKind::OpenAi, RouteKind::Embedding, {{"text", {"chair", "desk"}}});
        QCOMPARE(list.http.url, std::string("https://api.example.com/v1/embeddings"));
        QCOMPARE(list.body, std::string("{\"input\":[\"chair\",\"desk\"],\"model\":\"m-1\"}"));
    }

    void geminiTexts()
    {
        const Sent one = sent(ProtocolKind::Gemini, RouteKind::Text,
                              {{"prompt", "what?"}, {"system", "be brief"}, {"image", kPhoto}, {"schema", kSchema}},
                              {{"safety", "BLOCK_NONE"}}, {{"no", "not JSON"}});
        QCOMPARE(one.http.url, std::string("https://api.example.com/v1/models/m-1:generateContent"));
        QCOMPARE(
            one.body,
            std::string("{\"contents\":[{\"parts\":[{\"text\":\"what?\"},{\"inlineData\":{\"data\":\"") + kPngBase64 +
                "\",\"mimeType\":\"image/"
                "png\"}}],\"role\":\"user\"},{\"parts\":[{\"text\":\"no\"}],\"role\":\"model\"},{\"parts\":[{\"text\":"
                "\"This answer cannot be used:\\nnot JSON\\nGive the whole answer again, with this corrected and "
                "everything else as asked before.\"}],"
                "\"role\":\"user\"}],\"generationConfig\":{\"maxOutputTokens\":100,\"responseJsonSchema\":"
                "{\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"],\"type\":\"object\"},"
                "\"responseMimeType\":\"application/json\"},"
                "\"safetySettings\":[{\"category\":\"HARM_CATEGORY_HARASSMENT\",\"threshold\":\"BLOCK_NONE\"},"
                "{\"category\":\"HARM_CATEGORY_HATE_SPEECH\",\"threshold\":\"BLOCK_NONE\"},"
                "{\"category\":\"HARM_CATEGORY_SEXUALLY_EXPLICIT\",\"threshold\":\"BLOCK_NONE\"},"
                "{\"category\":\"HARM_CATEGORY_DANGEROUS_CONTENT\",\"threshold\":\"BLOCK_NONE\"}],"
                "\"systemInstruction\":{\"parts\":[{\"text\":\"be brief\"}]}}");
    }

    void geminiPicturesAndEmbeddings()
    {
        const Sent picture =
            sent(ProtocolKind::Gemini, RouteKind::Image, {{"prompt", "a chair"}, {"size", "1920x1080"}});
        QCOMPARE(
            picture.body,
            std::string("{\"contents\":[{\"parts\":[{\"text\":\"a chair\"}],\"role\":\"user\"}],\"generationConfig\":"
                        "{\"imageConfig\":{\"aspectRatio\":\"16:9\"},\"maxOutputTokens\":100,\"responseModalities\":["
                        "\"TEXT\",\"IMAGE\"]}}"));
        const Sent one = sent(ProtocolKind::Gemini, RouteKind::Embedding, {{"text", "chair"}});
        QCOMPARE(one.http.url, std::string("https://api.example.com/v1/models/m-1:embedContent"));
        QCOMPARE(one.body, std::string("{\"content\":{\"parts\":[{\"text\":\"chair\"}]},\"model\":\"models/m-1\"}"));
        const Sent list = sent(ProtocolKind::Gemini, RouteKind::Embedding, {{"text", {"chair"}}});
        QCOMPARE(list.http.url, std::string("https://api.example.com/v1/models/m-1:batchEmbedContents"));
        QCOMPARE(
            list.body,
            std::string("{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"chair\"}]},\"model\":\"models/m-1\"}]}"));
    }

    void anthropicTexts()
    {
        const Sent one = sent(ProtocolKind::Anthropic, RouteKind::Text,
                              {{"prompt", "what?"}, {"system", "be brief"}, {"image", kPhoto}, {"schema", kSchema}});
        QCOMPARE(one.http.url, std::string("https://api.example.com/v1/messages"));
        QCOMPARE(headerIn(one.http, "anthropic-version"), std::string("2023-06-01"));
        QCOMPARE(one.body, std::string("{\"max_tokens\":100,\"messages\":[{\"content\":[{\"source\":{\"data\":\"") +
                               kPngBase64 +
                               "\",\"media_type\":\"image/"
                               "png\",\"type\":\"base64\"},\"type\":\"image\"},{\"text\":\"what?\",\"type\":\"text\"}],"
                               "\"role\":\"user\"}],"
                               "\"model\":\"m-1\",\"system\":\"be "
                               "brief\",\"tool_choice\":{\"name\":\"answer\",\"type\":\"tool\"},\"tools\":[{"
                               "\"description\":\"Gives the answer.\","
                               "\"input_schema\":{\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":["
                               "\"name\"],\"type\":\"object\"},\"name\":\"answer\"}]}");
        const Sent list =
            sent(ProtocolKind::Anthropic, RouteKind::Text, {{"prompt", "p"}, {"schema", {{"type", "array"}}}});
        QVERIFY(list.body.find("tools") == std::string::npos);
        QVERIFY(list.body.find("JSON Schema") != std::string::npos);
        const Sent format = sent(ProtocolKind::Anthropic, RouteKind::Text,
                                 {{"prompt", "p"}, {"schema", {{"type", "array"}}}}, {{"structured", "json_schema"}});
        QVERIFY(format.body.find(
                    "\"output_config\":{\"format\":{\"schema\":{\"type\":\"array\"},\"type\":\"json_schema\"}}") !=
                std::string::npos);
    }

    void picturesByAddressGoToThoseWhoFetchThem()
    {
        const Json request{{"prompt", "p"}, {"image", "https://shop.example.com/a.jpg"}};
        QVERIFY(sent(ProtocolKind::OpenAi, RouteKind::Text, request)
                    .body.find("\"image_url\":{\"url\":\"https://shop.example.com/a.jpg\"}") != std::string::npos);
        QVERIFY(sent(ProtocolKind::Anthropic, RouteKind::Text, request)
                    .body.find("\"source\":{\"type\":\"url\",\"url\":\"https://shop.example.com/a.jpg\"}") !=
                std::string::npos);
        QVERIFY(sent(ProtocolKind::Gemini, RouteKind::Text, request).body.starts_with("refused: "));
        QVERIFY(sent(ProtocolKind::OpenAi, RouteKind::Image, request).body.starts_with("refused: "));
    }

    void remoteJobs()
    {
        const Sent one =
            sent(ProtocolKind::RemoteJob, RouteKind::Image, {{"prompt", "a chair"}, {"image", kPhoto}},
                 {{"reference", "client_ref"}, {"webhook", "callback"}, {"webhook_url", "https://me.example.com/x"}});
        QCOMPARE(one.http.url, std::string("https://api.example.com/v1/jobs"));
        QCOMPARE(one.body, std::string("{\"callback\":\"https://me.example.com/"
                                       "x\",\"client_ref\":\"at-1\",\"input\":{\"image\":\"data:image/png;base64,") +
                               kPngBase64 + "\",\"prompt\":\"a chair\"},\"model\":\"m-1\"}");
        const Sent own = sent(ProtocolKind::RemoteJob, RouteKind::Image, {{"prompt", "a chair"}, {"image", kPhoto}},
                              {{"submit", "/tasks"},
                               {"body",
                                {{"model", "$model"},
                                 {"input", {{"text", "$prompt"}, {"base", "$image"}, {"negative", "$negative"}}},
                                 {"tags", {"$reference", "$missing", "$$5"}},
                                 {"steps", 20}}}});
        QCOMPARE(own.http.url, std::string("https://api.example.com/v1/tasks"));
        QCOMPARE(own.body, std::string("{\"input\":{\"base\":\"data:image/png;base64,") + kPngBase64 +
                               "\",\"text\":\"a chair\"},\"model\":\"m-1\",\"steps\":20,\"tags\":[\"at-1\",\"$5\"]}");
    }

    void modelServices()
    {
        const Json request{{"photo", kPhoto}, {"threshold", 0.5}, {"options", {{"masks", {kMask}}}}};
        const Sent json = sent(ProtocolKind::ModelService, RouteKind::Model, request);
        QCOMPARE(json.http.url, std::string("https://api.example.com/v1/infer"));
        QCOMPARE(json.body, std::string("{\"inputs\":{\"options\":{\"masks\":[{\"base64\":\"bWFzaw==\",\"media_type\":"
                                        "\"image/png\"}]},\"photo\":{\"base64\":\"") +
                                kPngBase64 + "\",\"media_type\":\"image/png\"},\"threshold\":0.5},\"model\":\"m-1\"}");
        const Sent form =
            sent(ProtocolKind::ModelService, RouteKind::Model, {{"inputs", request}}, {{"form", "multipart"}});
        QVERIFY(headerIn(form.http, "Content-Type").starts_with("multipart/form-data; boundary="));
        QVERIFY(
            form.body.find(
                "name=\"request\"\r\nContent-Type: application/json\r\n\r\n"
                "{\"inputs\":{\"options\":{\"masks\":[{\"media_type\":\"image/png\",\"part\":\"file0\"}]},"
                "\"photo\":{\"media_type\":\"image/png\",\"part\":\"file1\"},\"threshold\":0.5},\"model\":\"m-1\"}") !=
            std::string::npos);
        QVERIFY(form.body.find("name=\"file1\"; filename=\"file1.png\"\r\nContent-Type: image/png\r\n\r\n" + kPng) !=
                std::string::npos);
    }

    void referencesAndIdempotencyKeysGoWhereTheServiceTakesThem()
    {
        const Sent none = sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "p"}});
        QCOMPARE(headerIn(none.http, "Idempotency-Key"), std::string());
        const Sent both =
            sent(ProtocolKind::OpenAi, RouteKind::Text, {{"prompt", "p"}},
                 {{"idempotency_header", "Idempotency-Key"}, {"reference_header", "X-Client-Request-Id"}});
        QCOMPARE(headerIn(both.http, "Idempotency-Key"), std::string("idem-1"));
        QCOMPARE(headerIn(both.http, "X-Client-Request-Id"), std::string("at-1"));
        QCOMPARE(both.body, none.body);
    }

    void oneInstanceIsCalledAtItsOwnAddress()
    {
        TalkWorld world(ProtocolKind::ModelService);
        world.settings.providers[0].accounts[0].baseUrl = "http://127.0.0.1:8000";
        const Sent one = sentBy(world, RouteKind::Model, {{"x", 1}});
        QCOMPARE(one.http.url, std::string("http://127.0.0.1:8000/infer"));
        QVERIFY(one.http.plainAllowed);
    }

    void whatCannotBeSentIsRefusedBeforeAnythingLeaves_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("route");
        QTest::addColumn<QString>("request");
        const auto add = [](ProtocolKind kind, RouteKind route, const char* request) {
            QTest::newRow((std::to_string(int(kind)) + std::to_string(int(route)) + request).c_str())
                << int(kind) << int(route) << QString::fromUtf8(request);
        };
        add(ProtocolKind::OpenAi, RouteKind::Text, "{}");
        add(ProtocolKind::OpenAi, RouteKind::Text, "{\"prompt\":\"\"}");
        add(ProtocolKind::OpenAi, RouteKind::Text, "[]");
        add(ProtocolKind::OpenAi, RouteKind::Text, "{\"prompt\":\"p\",\"schema\":\"s\"}");
        add(ProtocolKind::OpenAi, RouteKind::Text, "{\"prompt\":\"p\",\"temperature\":9}");
        add(ProtocolKind::OpenAi, RouteKind::Text, "{\"prompt\":\"p\",\"image\":\"http://10.0.0.1/x\"}");
        add(ProtocolKind::OpenAi, RouteKind::Text, "{\"prompt\":\"p\",\"image\":{\"artifact\":1}}");
        add(ProtocolKind::OpenAi, RouteKind::Image, "{\"prompt\":\"p\",\"size\":\"big\"}");
        add(ProtocolKind::OpenAi, RouteKind::Image, "{\"prompt\":\"p\",\"n\":0}");
        add(ProtocolKind::OpenAi, RouteKind::Image, "{\"prompt\":\"p\",\"n\":\"many\"}");
        add(ProtocolKind::OpenAi, RouteKind::Image, "{\"prompt\":\"p\",\"mask\":\"m\"}");
        add(ProtocolKind::OpenAi, RouteKind::Embedding, "{}");
        add(ProtocolKind::OpenAi, RouteKind::Embedding, "{\"text\":[]}");
        add(ProtocolKind::OpenAi, RouteKind::Embedding, "{\"text\":[\"a\",\"\"]}");
        add(ProtocolKind::OpenAi, RouteKind::Model, "{\"prompt\":\"p\"}");
        add(ProtocolKind::Gemini, RouteKind::Image, "{\"prompt\":\"p\",\"n\":2}");
        add(ProtocolKind::Gemini, RouteKind::Model, "{\"prompt\":\"p\"}");
        add(ProtocolKind::Anthropic, RouteKind::Image, "{\"prompt\":\"p\"}");
        add(ProtocolKind::Anthropic, RouteKind::Embedding, "{\"text\":\"p\"}");
        add(ProtocolKind::RemoteJob, RouteKind::Image, "{}");
        add(ProtocolKind::ModelService, RouteKind::Model, "{}");
        add(ProtocolKind::ModelService, RouteKind::Model, "5");
        add(ProtocolKind::Offline, RouteKind::Text, "{\"prompt\":\"p\"}");
    }
    void whatCannotBeSentIsRefusedBeforeAnythingLeaves()
    {
        QFETCH(int, kind);
        QFETCH(int, route);
        QFETCH(QString, request);
        const TalkWorld world(static_cast<ProtocolKind>(kind));
        const auto begun =
            world.protocol().begin(world.plan(static_cast<RouteKind>(route), Json::parse(request.toStdString())));
        QVERIFY(!begun);
        QCOMPARE(begun.error().reason, Reason::UsageInvalid);
    }
};

QTEST_GUILESS_MAIN(ProtocolRequestsTest)
#include "protocol_requests_test.moc"
