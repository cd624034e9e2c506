#include "core/base/json.h"
#include "core/rehearsal/wire/wire.h"

#include <chrono>
#include <ctime>

namespace aiflow {

namespace {

std::string stringAt(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The text of a content, a string or blocks; counts its pictures. Nothing: it is neither.
std::optional<std::string> textOf(const Json& content, std::int64_t& pictures)
{
    if (content.is_string()) return content.get<std::string>();
    if (!content.is_array()) return std::nullopt;
    std::string text;
    for (const Json& block : content) {
        if (!block.is_object()) return std::nullopt;
        const std::string type = stringAt(block, "type");
        if (type == "text")
            text += stringAt(block, "text");
        else if (type == "image" && block.contains("source"))
            ++pictures;
        else if (type == "tool_use" || type == "tool_result")
            text += dumpJson(block.value(type == "tool_use" ? "input" : "content", Json()));
        else
            return std::nullopt;
    }
    return text;
}

// "2026-11-22T14:00:05Z", so many nanoseconds from now, rounded up.
std::string timeIn(std::int64_t ns)
{
    const auto now = std::chrono::system_clock::now() + std::chrono::nanoseconds(ns) + std::chrono::milliseconds(999);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

class AnthropicWire final : public Wire {
public:
    std::string basePath() const override { return "/v1"; }
    std::string_view keyOf(const WireRequest& request) const override { return request.header("x-api-key"); }
    std::variant<Ask, Reply> read(const WireRequest& request) const override;
    Reply answer(const Ask& ask, const Product& product) const override;
    Reply trouble(Trouble trouble, const std::string& message) const override;
    Reply models(const std::vector<std::string>& names) const override;
    Places places(const Ask& ask) const override;
    std::vector<std::pair<std::string, std::string>>
    limitHeaders(LimitUnit unit, std::int64_t limit, std::int64_t remaining, std::int64_t resetNs) const override;

private:
    std::variant<Ask, Reply> readMessages(const Json& body) const;
};

std::variant<Ask, Reply> AnthropicWire::read(const WireRequest& request) const
{
    if (request.header("anthropic-version").empty())
        return trouble(Trouble::BadRequest, "anthropic-version: header is required");
    if (endsWith(request.path, "/models") && request.method == "GET") {
        Ask ask;
        ask.kind = AskKind::Models;
        return ask;
    }
    if (!endsWith(request.path, "/messages") || request.method != "POST")
        return trouble(Trouble::NotFound, "Not found: " + request.method + ' ' + request.path);
    const auto body = parseJson(request.body);
    if (!body || !body->is_object()) return trouble(Trouble::BadRequest, "The request body is not valid JSON");
    auto read = readMessages(*body);
    if (Ask* ask = std::get_if<Ask>(&read)) ask->reference = request.header("x-client-request-id");
    return read;
}

std::variant<Ask, Reply> AnthropicWire::readMessages(const Json& body) const
{
    Ask ask;
    ask.model = stringAt(body, "model");
    const auto room = body.find("max_tokens");
    if (room == body.end() || !room->is_number_integer() || room->get<std::int64_t>() < 1)
        return trouble(Trouble::BadRequest, "max_tokens: Field required");
    ask.maxOutputTokens = room->get<std::int64_t>();
    std::string all;
    std::string last;
    std::int64_t pictures = 0;
    if (const auto system = body.find("system"); system != body.end()) all += textOf(*system, pictures).value_or("");
    const auto messages = body.find("messages");
    if (messages == body.end() || !messages->is_array() || messages->empty())
        return trouble(Trouble::BadRequest, "messages: at least one message is required");
    for (const Json& message : *messages) {
        const auto text = message.is_object() ? textOf(message.value("content", Json()), pictures) : std::nullopt;
        if (!text) return trouble(Trouble::BadRequest, "messages: content must be a text or a list of known blocks");
        all += *text;
        if (stringAt(message, "role") == "user") last = *text;
    }
    const Json choice = body.value("tool_choice", Json::object());
    const Json tools = body.value("tools", Json::array());
    for (const Json& tool : tools) {
        if (!tool.is_object() || !tool.contains("input_schema") || stringAt(tool, "name").empty())
            return trouble(Trouble::BadRequest, "tools: name and input_schema are required");
        const std::string wanted = choice.is_object() ? stringAt(choice, "type") : std::string();
        const bool chosen = wanted == "any" || (wanted == "tool" && stringAt(choice, "name") == stringAt(tool, "name"));
        if (!chosen || !ask.tool.empty()) continue;
        ask.tool = stringAt(tool, "name");
        ask.schema = dumpJson(tool["input_schema"]);
        all += ask.schema;
    }
    setPrompt(ask, last, all, pictures);
    return ask;
}

Reply AnthropicWire::answer(const Ask& ask, const Product& product) const
{
    Json content = Json::array();
    std::string reason = product.cutOff ? "max_tokens" : "end_turn";
    const Json input = ask.tool.empty() ? Json() : Json::parse(product.text, nullptr, false);
    if (product.refused) {
        reason = "refusal";
    } else if (!ask.tool.empty() && !input.is_discarded()) {
        content.push_back({{"type", "tool_use"}, {"id", "toolu_" + product.id}, {"name", ask.tool}, {"input", input}});
        if (!product.cutOff) reason = "tool_use";
    } else {
        content.push_back({{"type", "text"}, {"text", product.text}});
    }
    return jsonReply({{"id", product.id},
                      {"type", "message"},
                      {"role", "assistant"},
                      {"model", product.model},
                      {"content", std::move(content)},
                      {"stop_reason", reason},
                      {"stop_sequence", nullptr},
                      {"usage",
                       {{"input_tokens", product.usage.inputTokens},
                        {"cache_creation_input_tokens", 0},
                        {"cache_read_input_tokens", 0},
                        {"output_tokens", product.usage.outputTokens}}}});
}

Reply AnthropicWire::trouble(Trouble trouble, const std::string& message) const
{
    std::string type = "invalid_request_error";
    int status = statusOf(trouble);
    if (trouble == Trouble::KeyRefused) type = "authentication_error";
    if (trouble == Trouble::NotFound) type = "not_found_error";
    if (trouble == Trouble::Throttled) type = "rate_limit_error";
    if (trouble == Trouble::Quota) {
        const Json error = {{"type", type},
                            {"message", "Your credit balance is too low to access the Anthropic API. " + message}};
        return jsonReply({{"type", "error"}, {"error", error}}, 400);
    }
    if (trouble == Trouble::Failed || trouble == Trouble::GatewayTimeout) type = "api_error";
    if (trouble == Trouble::Overloaded) {
        type = "overloaded_error";
        status = 529;
    }
    return jsonReply({{"type", "error"}, {"error", {{"type", type}, {"message", message}}}}, status);
}

Reply AnthropicWire::models(const std::vector<std::string>& names) const
{
    Json data = Json::array();
    for (const std::string& name : names) data.push_back({{"type", "model"}, {"id", name}, {"display_name", name}});
    return jsonReply({{"data", std::move(data)}, {"has_more", false}});
}

Places AnthropicWire::places(const Ask& ask) const
{
    return {ask.tool.empty() ? "/content/0/text" : "/content/0/input", "/usage", "/stop_reason", "/content", "/model"};
}

std::vector<std::pair<std::string, std::string>>
AnthropicWire::limitHeaders(LimitUnit unit, std::int64_t limit, std::int64_t remaining, std::int64_t resetNs) const
{
    std::string what;
    if (unit == LimitUnit::Requests) what = "requests";
    if (unit == LimitUnit::TotalTokens) what = "tokens";
    if (unit == LimitUnit::InputTokens) what = "input-tokens";
    if (unit == LimitUnit::OutputTokens) what = "output-tokens";
    if (what.empty()) return {};
    const std::string name = "anthropic-ratelimit-" + what;
    return {{name + "-limit", std::to_string(limit)},
            {name + "-remaining", std::to_string(std::max<std::int64_t>(remaining, 0))},
            {name + "-reset", timeIn(resetNs)}};
}

} // namespace

const Wire& anthropicWire()
{
    static const AnthropicWire kWire;
    return kWire;
}

} // namespace aiflow
