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

std::optional<std::int64_t> numberAt(const Json& object, const char* key)
{
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}

// One field of a multipart form: its name, and its content unless it is a file.
struct FormPart {
    std::string name;
    std::string_view content;
    bool isFile = false;
};

std::string quotedAfter(std::string_view text, std::string_view key)
{
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + key.size());
    return std::string(rest.substr(0, rest.find('"')));
}

std::vector<FormPart> formParts(std::string_view type, std::string_view body)
{
    std::vector<FormPart> parts;
    const std::size_t at = type.find("boundary=");
    if (at == std::string_view::npos) return parts;
    std::string boundary(type.substr(at + 9));
    boundary = boundary.substr(0, boundary.find(';'));
    std::erase(boundary, '"');
    const std::string line = "--" + boundary;
    std::size_t from = body.find(line);
    while (from != std::string_view::npos) {
        from += line.size();
        const std::size_t next = body.find("\r\n" + line, from);
        const std::size_t head = body.find("\r\n\r\n", from);
        if (next == std::string_view::npos || head == std::string_view::npos || head + 4 > next + 2) break;
        const std::string_view heading = body.substr(from, head - from);
        FormPart part;
        part.name = quotedAfter(heading, " name=\"");
        part.isFile = heading.find("filename=") != std::string_view::npos;
        part.content = head + 4 > next ? std::string_view() : body.substr(head + 4, next - head - 4);
        parts.push_back(std::move(part));
        from = next + 2;
    }
    return parts;
}

class OpenAiWire final : public Wire {
public:
    std::string basePath() const override { return "/v1"; }
    std::string_view keyOf(const WireRequest& request) const override
    {
        return request.header("authorization").starts_with("Bearer ") ? bearerOf(request) : std::string_view();
    }
    std::variant<Ask, Reply> read(const WireRequest& request) const override;
    Reply answer(const Ask& ask, const Product& product) const override;
    Reply trouble(Trouble trouble, const std::string& message) const override;
    Reply models(const std::vector<std::string>& names) const override;
    Places places(const Ask& ask) const override;
    std::vector<std::pair<std::string, std::string>>
    limitHeaders(LimitUnit unit, std::int64_t limit, std::int64_t remaining, std::int64_t resetNs) const override;

private:
    std::variant<Ask, Reply> readChat(const Json& body) const;
    std::variant<Ask, Reply> readPicture(const Json& body) const;
    std::variant<Ask, Reply> readEdit(const WireRequest& request) const;
    std::variant<Ask, Reply> readEmbedding(const Json& body) const;
    static std::optional<std::string> addMessages(const Json& messages, std::string& last, std::string& all,
                                                  std::int64_t& pictures);
};

std::variant<Ask, Reply> OpenAiWire::read(const WireRequest& request) const
{
    const std::string& path = request.path;
    if (endsWith(path, "/models")) {
        if (request.method != "GET") return trouble(Trouble::BadRequest, "models are read with GET");
        Ask ask;
        ask.kind = AskKind::Models;
        return ask;
    }
    const bool chat = endsWith(path, "/chat/completions");
    const bool edit = endsWith(path, "/images/edits");
    const bool picture = endsWith(path, "/images/generations");
    if (!chat && !edit && !picture && !endsWith(path, "/embeddings"))
        return trouble(Trouble::NotFound, "Invalid URL (" + request.method + ' ' + path + ')');
    if (request.method != "POST") return trouble(Trouble::BadRequest, "Not allowed to " + request.method + " here");
    std::variant<Ask, Reply> read;
    if (edit) {
        read = readEdit(request);
    } else {
        const auto body = parseJson(request.body);
        if (!body || !body->is_object())
            return trouble(Trouble::BadRequest, "We could not parse the JSON body of your request.");
        read = chat ? readChat(*body) : picture ? readPicture(*body) : readEmbedding(*body);
    }
    if (Ask* ask = std::get_if<Ask>(&read)) ask->reference = request.header("x-client-request-id");
    return read;
}

// The last user's text, all text, and how many pictures. Something wrong: what.
std::optional<std::string> OpenAiWire::addMessages(const Json& messages, std::string& last, std::string& all,
                                                   std::int64_t& pictures)
{
    for (const Json& message : messages) {
        if (!message.is_object() || stringAt(message, "role").empty()) return "a message needs a role";
        std::string text;
        const auto content = message.find("content");
        if (content == message.end()) return "a message needs content";
        if (content->is_string()) {
            text = content->get<std::string>();
        } else if (content->is_array()) {
            for (const Json& part : *content) {
                const std::string type = part.is_object() ? stringAt(part, "type") : std::string();
                if (type == "text")
                    text += stringAt(part, "text");
                else if (type == "image_url" && part.contains("image_url") && part["image_url"].is_object() &&
                         !stringAt(part["image_url"], "url").empty())
                    ++pictures;
                else
                    return "a part of a message must be text or an image_url";
            }
        } else if (!content->is_null()) {
            return "content must be a text or a list of parts";
        }
        all += text;
        if (stringAt(message, "role") == "user") last = text;
    }
    return std::nullopt;
}

std::variant<Ask, Reply> OpenAiWire::readChat(const Json& body) const
{
    Ask ask;
    ask.model = stringAt(body, "model");
    const auto messages = body.find("messages");
    if (messages == body.end() || !messages->is_array() || messages->empty())
        return trouble(Trouble::BadRequest, "messages must be a list that is not empty");
    std::string last;
    std::string all;
    std::int64_t pictures = 0;
    if (const auto wrong = addMessages(*messages, last, all, pictures)) return trouble(Trouble::BadRequest, *wrong);
    if (const auto format = body.find("response_format"); format != body.end() && format->is_object()) {
        const std::string type = stringAt(*format, "type");
        const Json wrapped = format->value("json_schema", Json::object());
        if (type == "json_schema") {
            if (!wrapped.is_object() || !wrapped.contains("schema") || stringAt(wrapped, "name").empty())
                return trouble(Trouble::BadRequest, "response_format.json_schema needs name and schema");
            ask.schema = dumpJson(wrapped["schema"]);
            all += ask.schema;
        } else if (type == "json_object") {
            ask.schema = R"({"type":"object","properties":{"text":{"type":"string"}}})";
        } else if (type != "text") {
            return trouble(Trouble::BadRequest, "response_format.type must be text, json_object or json_schema");
        }
    }
    ask.maxOutputTokens = numberAt(body, "max_completion_tokens");
    if (!ask.maxOutputTokens) ask.maxOutputTokens = numberAt(body, "max_tokens");
    if (ask.maxOutputTokens && *ask.maxOutputTokens < 1)
        return trouble(Trouble::BadRequest, "max_tokens must be at least 1");
    setPrompt(ask, last, all, pictures);
    return ask;
}

std::variant<Ask, Reply> OpenAiWire::readPicture(const Json& body) const
{
    Ask ask;
    ask.kind = AskKind::Picture;
    ask.model = stringAt(body, "model");
    const std::string prompt = stringAt(body, "prompt");
    if (prompt.empty()) return trouble(Trouble::BadRequest, "prompt is missing");
    ask.count = std::clamp<std::int64_t>(numberAt(body, "n").value_or(1), 1, 10);
    ask.size = readSize(stringAt(body, "size"));
    ask.byUrl = stringAt(body, "response_format") == "url";
    setPrompt(ask, prompt, prompt, 0);
    return ask;
}

std::variant<Ask, Reply> OpenAiWire::readEdit(const WireRequest& request) const
{
    Ask ask;
    ask.kind = AskKind::Picture;
    std::string prompt;
    std::int64_t pictures = 0;
    for (const FormPart& part : formParts(request.header("content-type"), request.body)) {
        const std::string value(part.isFile ? std::string_view() : part.content);
        if (part.isFile && part.name.starts_with("image")) ++pictures;
        if (part.name == "model") ask.model = value;
        if (part.name == "prompt") prompt = value;
        if (part.name == "size") ask.size = readSize(value);
        if (part.name == "n") ask.count = std::clamp<std::int64_t>(std::atoll(value.c_str()), 1, 10);
        if (part.name == "response_format") ask.byUrl = value == "url";
    }
    if (pictures == 0) return trouble(Trouble::BadRequest, "image is missing: send a multipart form with a file");
    if (prompt.empty()) return trouble(Trouble::BadRequest, "prompt is missing");
    setPrompt(ask, prompt, prompt, pictures);
    return ask;
}

std::variant<Ask, Reply> OpenAiWire::readEmbedding(const Json& body) const
{
    Ask ask;
    ask.kind = AskKind::Embedding;
    ask.model = stringAt(body, "model");
    const auto input = body.find("input");
    std::string all;
    if (input != body.end() && input->is_string()) {
        all = input->get<std::string>();
    } else if (input != body.end() && input->is_array() && !input->empty()) {
        for (const Json& text : *input) all += text.is_string() ? text.get<std::string>() : dumpJson(text);
        ask.count = static_cast<std::int64_t>(input->size());
    } else {
        return trouble(Trouble::BadRequest, "input must be a text or a list of texts");
    }
    ask.dimensions = std::clamp<std::int64_t>(numberAt(body, "dimensions").value_or(16), 1, 4096);
    setPrompt(ask, all, all, 0);
    return ask;
}

Json usageOf(const Usage& usage)
{
    return {{"prompt_tokens", usage.inputTokens},
            {"completion_tokens", usage.outputTokens},
            {"total_tokens", usage.inputTokens + usage.outputTokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cachedInputTokens}}}};
}

Json embeddingsOf(const Ask& ask)
{
    Json list = Json::array();
    for (std::int64_t i = 0; i < ask.count; ++i)
        list.push_back({{"object", "embedding"}, {"index", i}, {"embedding", embeddingOf(ask, i)}});
    return list;
}

Reply OpenAiWire::answer(const Ask& ask, const Product& product) const
{
    if (ask.kind == AskKind::Embedding)
        return jsonReply(
            {{"object", "list"},
             {"model", product.model},
             {"data", embeddingsOf(ask)},
             {"usage", {{"prompt_tokens", product.usage.inputTokens}, {"total_tokens", product.usage.inputTokens}}}});
    if (ask.kind == AskKind::Picture) {
        Json data = Json::array();
        for (std::size_t i = 0; i < product.pictures.size(); ++i)
            data.push_back({{ask.byUrl ? "url" : "b64_json", pictureMark(i)}});
        return jsonReplyWithPictures({{"created", 1'770'000'000},
                                      {"data", std::move(data)},
                                      {"usage",
                                       {{"input_tokens", product.usage.inputTokens},
                                        {"output_tokens", product.usage.outputTokens},
                                        {"total_tokens", product.usage.inputTokens + product.usage.outputTokens}}}},
                                     product.pictures);
    }
    Json message = {{"role", "assistant"}, {"content", product.text}, {"refusal", nullptr}};
    if (product.refused) {
        message["content"] = nullptr;
        message["refusal"] = "I'm sorry, I can't help with that.";
    }
    Json choice = {
        {"index", 0}, {"message", std::move(message)}, {"finish_reason", product.cutOff ? "length" : "stop"}};
    return jsonReply({{"id", product.id},
                      {"object", "chat.completion"},
                      {"created", 1'770'000'000},
                      {"model", product.model},
                      {"choices", Json::array({std::move(choice)})},
                      {"usage", usageOf(product.usage)}});
}

Reply OpenAiWire::trouble(Trouble trouble, const std::string& message) const
{
    std::string type = "invalid_request_error";
    Json code;
    if (trouble == Trouble::KeyRefused) code = "invalid_api_key";
    if (trouble == Trouble::NotFound) code = "model_not_found";
    if (trouble == Trouble::Refused) code = "content_policy_violation";
    if (trouble == Trouble::Throttled) {
        type = "requests";
        code = "rate_limit_exceeded";
    } else if (trouble == Trouble::Quota) {
        type = "insufficient_quota";
        code = "insufficient_quota";
    } else if (statusOf(trouble) >= 500) {
        type = "server_error";
    }
    return jsonReply({{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}},
                     statusOf(trouble));
}

Reply OpenAiWire::models(const std::vector<std::string>& names) const
{
    Json data = Json::array();
    for (const std::string& name : names)
        data.push_back({{"id", name}, {"object", "model"}, {"owned_by", "rehearsal"}});
    return jsonReply({{"object", "list"}, {"data", std::move(data)}});
}

Places OpenAiWire::places(const Ask& ask) const
{
    if (ask.kind == AskKind::Picture)
        return {ask.byUrl ? "/data/0/url" : "/data/0/b64_json", "/usage", {}, "/data", {}};
    if (ask.kind == AskKind::Embedding) return {"/data/0/embedding", "/usage", {}, "/data", "/model"};
    return {"/choices/0/message/content", "/usage", "/choices/0/finish_reason", "/choices", "/model"};
}

std::vector<std::pair<std::string, std::string>>
OpenAiWire::limitHeaders(LimitUnit unit, std::int64_t limit, std::int64_t remaining, std::int64_t resetNs) const
{
    const bool requests = unit == LimitUnit::Requests;
    if (!requests && unit != LimitUnit::TotalTokens) return {};
    const std::string what = requests ? "requests" : "tokens";
    return {{"x-ratelimit-limit-" + what, std::to_string(limit)},
            {"x-ratelimit-remaining-" + what, std::to_string(std::max<std::int64_t>(remaining, 0))},
            {"x-ratelimit-reset-" + what, resetText(resetNs)}};
}

} // namespace

const Wire& openAiWire()
{
    static const OpenAiWire kWire;
    return kWire;
}

} // namespace aiflow
