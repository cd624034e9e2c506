#include "core/api/protocols/wire_protocols.h"

#include "core/base/json.h"
#include "core/base/text.h"

namespace aiflow {

namespace {

const KeyForm kKey{"x-api-key", ""};
constexpr const char* kTool = "answer";

// Tokens that came from the prompt cache, or went into it, are told apart from the rest.
void readUsage(const Json& body, ProtocolAnswer& answer)
{
    const auto input = countAt(body, {"usage", "input_tokens"});
    const auto output = countAt(body, {"usage", "output_tokens"});
    const std::int64_t cached = countAt(body, {"usage", "cache_read_input_tokens"}).value_or(0);
    const std::int64_t written = countAt(body, {"usage", "cache_creation_input_tokens"}).value_or(0);
    answer.usage.inputTokens = input.value_or(0) + cached + written;
    answer.usage.cachedInputTokens = cached;
    answer.usage.outputTokens = output.value_or(0);
    answer.usageKnown = input && output;
}

class AnthropicConversation final : public WireConversation {
public:
    using WireConversation::WireConversation;
    Result<Exchange> first() override;

private:
    std::string structured(const NeutralRequest& request) const;
    Json messages(const NeutralRequest& request, std::vector<RequestFile>& files) const;
    NextMove read(const Json& body, const ExchangeAnswer& answer) override;
};

// A tool's input is always an object; any other schema is put into words.
std::string AnthropicConversation::structured(const NeutralRequest& request) const
{
    if (request.schema == nullptr) return "none";
    const std::string wanted = wire().options().text("structured", "tool");
    const bool object = textAt(*request.schema, {"type"}) == "object" || request.schema->contains("properties");
    return wanted == "tool" && !object ? "prompt" : wanted;
}

Json AnthropicConversation::messages(const NeutralRequest& request, std::vector<RequestFile>& files) const
{
    Json content = Json::array();
    for (const NeutralPicture& picture : request.pictures) {
        Json source{{"type", "url"}, {"url", picture.url}};
        if (picture.file) {
            files.push_back(*picture.file);
            source = {{"type", "base64"},
                      {"media_type", picture.file->mediaType},
                      {"data", fileMark(files.size() - 1, false)}};
        }
        content.push_back({{"type", "image"}, {"source", std::move(source)}});
    }
    content.push_back({{"type", "text"}, {"text", request.prompt}});
    Json list = Json::array({{{"role", "user"}, {"content", std::move(content)}}});
    for (const Complaint& complaint : wire().plan().complaints) {
        list.push_back({{"role", "assistant"}, {"content", complaint.answer}});
        list.push_back({{"role", "user"}, {"content", complaintWords(complaint)}});
    }
    return list;
}

Result<Exchange> AnthropicConversation::first()
{
    if (wire().plan().kind != RouteKind::Text)
        return fail(Reason::UsageInvalid, "the anthropic protocol answers with texts alone",
                    "name models of another provider in this route");
    const auto request = readNeutral(wire().plan());
    if (!request) return tl::unexpected(request.error());
    const std::string form = structured(*request);
    std::vector<RequestFile> files;
    Json body{{"model", wire().model().remoteName},
              {"max_tokens", wire().plan().maxOutputTokens},
              {"messages", messages(*request, files)}};
    std::string system = request->system;
    if (form == "prompt") system += (system.empty() ? "" : "\n\n") + schemaWords(*request->schema);
    if (!system.empty()) body["system"] = system;
    if (request->temperature) body["temperature"] = *request->temperature;
    if (form == "tool") {
        body["tools"] = Json::array(
            {{{"name", kTool}, {"description", "Gives the answer."}, {"input_schema", plainSchema(*request->schema)}}});
        body["tool_choice"] = {{"type", "tool"}, {"name", kTool}};
    } else if (form == "json_schema") {
        body["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", plainSchema(*request->schema)}}}};
    }
    Exchange made = wire().post("/messages", kKey, std::move(body), files);
    made.http.headers.emplace_back("anthropic-version", wire().options().text("version", "2023-06-01"));
    return made;
}

NextMove AnthropicConversation::read(const Json& body, const ExchangeAnswer& answer)
{
    ProtocolAnswer made;
    made.model = textAt(body, {"model"});
    made.requestId = headerOf(answer.end, "request-id");
    if (made.requestId.empty()) made.requestId = textAt(body, {"id"});
    readUsage(body, made);
    const Json* content = at(body, {"content"});
    const std::string stop = textAt(body, {"stop_reason"});
    if (stop == "refusal") return refused("the model refuses to answer");
    if (content == nullptr || !content->is_array()) return lie("the answer has no content");
    std::string text;
    std::string given;
    for (const Json& block : *content) {
        const std::string type = textAt(block, {"type"});
        if (type == "text") text += textAt(block, {"text"});
        if (type == "tool_use" && textAt(block, {"name"}) == kTool && at(block, {"input"}) != nullptr)
            given = dumpJson(*at(block, {"input"}));
    }
    if (!given.empty()) text = given;
    made.body = std::make_shared<Json>(Json{{"text", text}});
    made.cutOff = stop == "max_tokens";
    if (made.cutOff) return made;
    if (stop.empty()) return lie("the answer does not say why it ended, so it may be cut off");
    if (stop == "model_context_window_exceeded") {
        Failure failure = lie("the request and its answer do not fit the model's context");
        failure.failure = FailureClass::TooLarge;
        return failure;
    }
    if (stop != "end_turn" && stop != "stop_sequence" && stop != "tool_use")
        return lie("the answer ended in a way that is not known: " + cutToWidth(stop, 60));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return lie("the answer has no text");
    return made;
}

class AnthropicProtocol final : public WireProtocol {
public:
    AnthropicProtocol() : WireProtocol(ProtocolKind::Anthropic) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const override
    {
        return started(std::make_unique<AnthropicConversation>(ProtocolKind::Anthropic, std::move(plan)));
    }
    Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const override
    {
        const WireOptions options(provider, nullptr);
        Exchange made = probeOf(provider, account, options.text("probe", "/models?limit=1"), kKey);
        made.http.headers.emplace_back("anthropic-version", options.text("version", "2023-06-01"));
        return made;
    }
};

} // namespace

const Protocol& anthropicProtocol()
{
    static const AnthropicProtocol protocol;
    return protocol;
}

} // namespace aiflow
