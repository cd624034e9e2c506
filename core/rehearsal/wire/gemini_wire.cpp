#include "core/base/json.h"
#include "core/rehearsal/wire/wire.h"

#include <algorithm>

namespace aiflow {

namespace {

std::string stringAt(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The field by its own name or as protocol buffers write it ("responseSchema", "response_schema").
Json fieldOf(const Json& object, const char* name, const char* snake)
{
    if (!object.is_object()) return nullptr;
    return object.contains(name) ? object[name] : object.value(snake, Json());
}

// Google's schemas write types in upper case; a reader of JSON Schema wants them in lower case.
Json lowerTypes(Json schema)
{
    if (schema.is_array())
        for (Json& one : schema) one = lowerTypes(std::move(one));
    if (!schema.is_object()) return schema;
    for (auto& [key, value] : schema.items()) {
        if (key == "type" && value.is_string()) {
            auto word = value.get<std::string>();
            for (char& c : word)
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            value = word;
        } else if (key != "enum" && key != "required") {
            value = lowerTypes(std::move(value));
        }
    }
    return schema;
}

struct Content {
    std::string text;
    std::int64_t pictures = 0;
};

bool addParts(const Json& content, Content& into)
{
    const Json parts = content.is_object() ? content.value("parts", Json()) : Json();
    if (!parts.is_array() || parts.empty()) return false;
    for (const Json& part : parts) {
        if (!part.is_object()) return false;
        if (part.contains("text"))
            into.text += stringAt(part, "text");
        else if (part.contains("inlineData") || part.contains("inline_data") || part.contains("fileData") ||
                 part.contains("file_data"))
            ++into.pictures;
        else
            return false;
    }
    return true;
}

class GeminiWire final : public Wire {
public:
    std::string basePath() const override { return "/v1beta"; }
    std::string_view keyOf(const WireRequest& request) const override { return request.header("x-goog-api-key"); }
    std::variant<Ask, Reply> read(const WireRequest& request) const override;
    Reply answer(const Ask& ask, const Product& product) const override;
    Reply trouble(Trouble trouble, const std::string& message) const override;
    Reply models(const std::vector<std::string>& names) const override;
    Places places(const Ask& ask) const override;

private:
    std::variant<Ask, Reply> readContent(Ask ask, const Json& body) const;
    std::variant<Ask, Reply> readEmbedding(Ask ask, const Json& body) const;
};

std::variant<Ask, Reply> GeminiWire::read(const WireRequest& request) const
{
    Ask ask;
    if (endsWith(request.path, "/models") && request.method == "GET") {
        ask.kind = AskKind::Models;
        return ask;
    }
    const std::size_t from = request.path.find("/models/");
    const std::size_t colon = request.path.rfind(':');
    if (request.method != "POST" || from == std::string::npos || colon == std::string::npos || colon < from)
        return trouble(Trouble::NotFound, "Requested entity was not found: " + request.path);
    ask.model = request.path.substr(from + 8, colon - from - 8);
    const std::string verb = request.path.substr(colon + 1);
    const auto body = parseJson(request.body);
    if (!body || !body->is_object()) return trouble(Trouble::BadRequest, "Invalid JSON payload received.");
    std::variant<Ask, Reply> read;
    if (verb == "generateContent")
        read = readContent(std::move(ask), *body);
    else if (verb == "embedContent" || verb == "batchEmbedContents")
        read = readEmbedding(std::move(ask), *body);
    else
        return trouble(Trouble::NotFound, "there is no method " + verb);
    if (Ask* good = std::get_if<Ask>(&read)) good->reference = request.header("x-client-request-id");
    return read;
}

std::variant<Ask, Reply> GeminiWire::readContent(Ask ask, const Json& body) const
{
    Content all;
    Content last;
    if (const Json system = fieldOf(body, "systemInstruction", "system_instruction"); system.is_object())
        if (!addParts(system, all)) return trouble(Trouble::BadRequest, "system_instruction: parts are missing");
    const Json contents = body.value("contents", Json());
    if (!contents.is_array() || contents.empty()) return trouble(Trouble::BadRequest, "contents is not specified");
    for (const Json& content : contents) {
        Content one;
        if (!addParts(content, one)) return trouble(Trouble::BadRequest, "contents.parts must not be empty");
        all.text += one.text;
        all.pictures += one.pictures;
        if (stringAt(content, "role") != "model") last = one;
    }
    const Json config = fieldOf(body, "generationConfig", "generation_config");
    Json schema = fieldOf(config, "responseJsonSchema", "response_json_schema");
    if (!schema.is_object()) schema = lowerTypes(fieldOf(config, "responseSchema", "response_schema"));
    if (schema.is_object()) {
        if (fieldOf(config, "responseMimeType", "response_mime_type") != Json("application/json"))
            return trouble(Trouble::BadRequest, "response_schema needs response_mime_type application/json");
        ask.schema = dumpJson(schema);
        all.text += ask.schema;
    }
    const Json room = fieldOf(config, "maxOutputTokens", "max_output_tokens");
    if (room.is_number_integer()) ask.maxOutputTokens = std::max<std::int64_t>(1, room.get<std::int64_t>());
    const Json modalities = fieldOf(config, "responseModalities", "response_modalities");
    if (modalities.is_array())
        for (const Json& word : modalities)
            if (word == "IMAGE" || word == "Image") ask.kind = AskKind::Picture;
    const Json count = fieldOf(config, "candidateCount", "candidate_count");
    if (ask.kind == AskKind::Picture && count.is_number_integer())
        ask.count = std::clamp<std::int64_t>(count.get<std::int64_t>(), 1, 8);
    setPrompt(ask, last.text, all.text, all.pictures);
    return ask;
}

std::variant<Ask, Reply> GeminiWire::readEmbedding(Ask ask, const Json& body) const
{
    ask.kind = AskKind::Embedding;
    Content all;
    const Json requests = body.value("requests", Json());
    ask.asList = requests.is_array();
    if (ask.asList) {
        ask.count = static_cast<std::int64_t>(requests.size());
        for (const Json& one : requests)
            if (!one.is_object() || !addParts(one.value("content", Json()), all))
                return trouble(Trouble::BadRequest, "requests: content is missing");
    } else if (!addParts(body.value("content", Json()), all)) {
        return trouble(Trouble::BadRequest, "content is missing");
    }
    setPrompt(ask, all.text, all.text, 0);
    return ask;
}

Json usageOf(const Usage& usage)
{
    return {{"promptTokenCount", usage.inputTokens},
            {"candidatesTokenCount", usage.outputTokens},
            {"totalTokenCount", usage.inputTokens + usage.outputTokens}};
}

Reply GeminiWire::answer(const Ask& ask, const Product& product) const
{
    if (ask.kind == AskKind::Embedding) {
        Json vectors = Json::array();
        for (std::int64_t i = 0; i < ask.count; ++i) vectors.push_back({{"values", embeddingOf(ask, i)}});
        return jsonReply(ask.asList ? Json{{"embeddings", std::move(vectors)}} : Json{{"embedding", vectors[0]}});
    }
    Json body = {
        {"modelVersion", product.model}, {"responseId", product.id}, {"usageMetadata", usageOf(product.usage)}};
    if (product.refused) {
        body["promptFeedback"] = {{"blockReason", "SAFETY"}};
        return jsonReply(body);
    }
    Json parts = Json::array();
    if (ask.kind == AskKind::Picture)
        for (std::size_t i = 0; i < product.pictures.size(); ++i)
            parts.push_back({{"inlineData", {{"mimeType", "image/png"}, {"data", pictureMark(i)}}}});
    else
        parts.push_back({{"text", product.text}});
    Json candidate = {{"content", {{"role", "model"}, {"parts", std::move(parts)}}},
                      {"finishReason", product.cutOff ? "MAX_TOKENS" : "STOP"},
                      {"index", 0}};
    body["candidates"] = Json::array({std::move(candidate)});
    return jsonReplyWithPictures(body, product.pictures);
}

Reply GeminiWire::trouble(Trouble trouble, const std::string& message) const
{
    int status = statusOf(trouble);
    std::string word = "INVALID_ARGUMENT";
    if (trouble == Trouble::KeyRefused) {
        // Google answers 400 to a key that it does not know.
        status = 400;
        const Json reason = {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"}, {"reason", "API_KEY_INVALID"}};
        return jsonReply(
            {{"error", {{"code", status}, {"message", message}, {"status", word}, {"details", Json::array({reason})}}}},
            status);
    }
    if (trouble == Trouble::NotFound) word = "NOT_FOUND";
    if (trouble == Trouble::Throttled || trouble == Trouble::Quota) word = "RESOURCE_EXHAUSTED";
    if (trouble == Trouble::Failed) word = "INTERNAL";
    if (trouble == Trouble::Overloaded) word = "UNAVAILABLE";
    if (trouble == Trouble::GatewayTimeout) word = "DEADLINE_EXCEEDED";
    return jsonReply({{"error", {{"code", status}, {"message", message}, {"status", word}}}}, status);
}

Reply GeminiWire::models(const std::vector<std::string>& names) const
{
    Json list = Json::array();
    for (const std::string& name : names) list.push_back({{"name", "models/" + name}, {"displayName", name}});
    return jsonReply({{"models", std::move(list)}});
}

Places GeminiWire::places(const Ask& ask) const
{
    if (ask.kind == AskKind::Embedding) return {"/embedding/values", {}, {}, "/embedding/values", {}};
    if (ask.kind == AskKind::Picture)
        return {"/candidates/0/content/parts/0/inlineData/data", "/usageMetadata", "/candidates/0/finishReason",
                "/candidates/0/content/parts", "/modelVersion"};
    return {"/candidates/0/content/parts/0/text", "/usageMetadata", "/candidates/0/finishReason", "/candidates",
            "/modelVersion"};
}

} // namespace

const Wire& geminiWire()
{
    static const GeminiWire kWire;
    return kWire;
}

} // namespace aiflow
