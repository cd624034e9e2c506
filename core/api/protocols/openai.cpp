#include "core/api/protocols/wire_protocols.h"

#include "core/api/protocols/parts/picture_fetches.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace {

Json pictureAddress(const NeutralPicture& picture, std::vector<RequestFile>& files)
{
    if (!picture.file) return picture.url;
    files.push_back(*picture.file);
    return fileMark(files.size() - 1, true);
}

// Usage in any of the names that compatible services use.
void readUsage(const Json& body, ProtocolAnswer& answer)
{
    const Json* usage = at(body, {"usage"});
    if (usage == nullptr) return;
    auto input = countAt(*usage, {"prompt_tokens"});
    auto output = countAt(*usage, {"completion_tokens"});
    if (!input) input = countAt(*usage, {"input_tokens"});
    if (!output) output = countAt(*usage, {"output_tokens"});
    auto cached = countAt(*usage, {"prompt_tokens_details", "cached_tokens"});
    if (!cached) cached = countAt(*usage, {"prompt_cache_hit_tokens"});
    if (!cached) cached = countAt(*usage, {"input_tokens_details", "cached_tokens"});
    answer.usage.inputTokens = input.value_or(0);
    answer.usage.outputTokens = output.value_or(0);
    answer.usage.cachedInputTokens = std::min(cached.value_or(0), answer.usage.inputTokens);
    answer.usageKnown = input.has_value();
}

// The content as one text: a text, or a list of parts.
std::string contentOf(const Json& message)
{
    const Json* content = at(message, {"content"});
    if (content == nullptr) return {};
    if (content->is_string()) return content->get<std::string>();
    std::string text;
    if (content->is_array())
        for (const Json& part : *content)
            if (textAt(part, {"type"}) == "text") text += textAt(part, {"text"});
    return text;
}

class OpenAiConversation final : public WireConversation {
public:
    using WireConversation::WireConversation;

    Result<Exchange> first() override
    {
        const auto request = readNeutral(wire().plan());
        if (!request) return tl::unexpected(request.error());
        switch (wire().plan().kind) {
        case RouteKind::Text:
            return chat(*request);
        case RouteKind::Image:
            return request->pictures.empty() && !request->mask ? generation(*request) : edit(*request);
        case RouteKind::Embedding:
            return embedding(*request);
        case RouteKind::Model:
            break;
        }
        return fail(Reason::UsageInvalid, "the openai protocol knows no routes of kind model",
                    "use a provider of protocol model-service");
    }

private:
    Result<Exchange> chat(const NeutralRequest& request) const;
    Json messages(const NeutralRequest& request, const std::string& structured, std::vector<RequestFile>& files) const;
    Result<Exchange> generation(const NeutralRequest& request) const;
    Result<Exchange> edit(const NeutralRequest& request) const;
    Result<Exchange> embedding(const NeutralRequest& request) const;
    NextMove read(const Json& body, const ExchangeAnswer& answer) override;
    NextMove readChat(const Json& body, ProtocolAnswer made) const;
    NextMove readPictures(const Json& body, SpooledAnswer& spooled, ProtocolAnswer made);
    NextMove readEmbedding(const Json& body, ProtocolAnswer made) const;
};

Json OpenAiConversation::messages(const NeutralRequest& request, const std::string& structured,
                                  std::vector<RequestFile>& files) const
{
    std::string system = request.system;
    if (request.schema != nullptr && structured != "json_schema")
        system += (system.empty() ? "" : "\n\n") + schemaWords(*request.schema);
    Json list = Json::array();
    if (!system.empty()) list.push_back({{"role", "system"}, {"content", system}});
    Json content = request.prompt;
    if (!request.pictures.empty()) {
        content = Json::array({{{"type", "text"}, {"text", request.prompt}}});
        for (const NeutralPicture& picture : request.pictures)
            content.push_back({{"type", "image_url"}, {"image_url", {{"url", pictureAddress(picture, files)}}}});
    }
    list.push_back({{"role", "user"}, {"content", std::move(content)}});
    for (const Complaint& complaint : wire().plan().complaints) {
        list.push_back({{"role", "assistant"}, {"content", complaint.answer}});
        list.push_back({{"role", "user"}, {"content", complaintWords(complaint)}});
    }
    return list;
}

Result<Exchange> OpenAiConversation::chat(const NeutralRequest& request) const
{
    const WireOptions options = wire().options();
    const std::string structured = options.text("structured", "json_schema");
    std::vector<RequestFile> files;
    Json body{{"model", wire().model().remoteName}, {"messages", messages(request, structured, files)}};
    body[options.text("max_tokens_field", "max_tokens")] = wire().plan().maxOutputTokens;
    if (request.temperature) body["temperature"] = *request.temperature;
    if (request.schema != nullptr && structured == "json_schema")
        body["response_format"] = {{"type", "json_schema"},
                                   {"json_schema", {{"name", "answer"}, {"schema", plainSchema(*request.schema)}}}};
    else if (request.schema != nullptr && structured == "json_object")
        body["response_format"] = {{"type", "json_object"}};
    return wire().post(options.text("chat_path", "/chat/completions"), {}, std::move(body), files);
}

Result<Exchange> OpenAiConversation::generation(const NeutralRequest& request) const
{
    const WireOptions options = wire().options();
    const std::string prompt = request.system.empty() ? request.prompt : request.system + "\n\n" + request.prompt;
    Json body{{"model", wire().model().remoteName}, {"prompt", prompt}, {"n", request.count}};
    if (request.width > 0) body["size"] = request.size();
    const std::string format = options.text("image_format", "b64_json");
    if (format != "none") body["response_format"] = format;
    return wire().post(options.text("images_path", "/images/generations"), {}, std::move(body), {});
}

Result<Exchange> OpenAiConversation::edit(const NeutralRequest& request) const
{
    const WireOptions options = wire().options();
    MultipartForm form;
    form.add("model", wire().model().remoteName);
    form.add("prompt", request.system.empty() ? request.prompt : request.system + "\n\n" + request.prompt);
    form.add("n", std::to_string(request.count));
    if (request.width > 0) form.add("size", request.size());
    const std::string format = options.text("image_format", "b64_json");
    if (format != "none") form.add("response_format", format);
    if (const Json* extra = options.find("extra"); extra != nullptr && extra->is_object())
        for (const auto& [name, value] : extra->items())
            form.add(name, value.is_string() ? value.get<std::string>() : dumpJson(value));
    const std::string field = options.text("image_field", request.pictures.size() > 1 ? "image[]" : "image");
    int number = 0;
    for (const NeutralPicture& picture : request.pictures) {
        if (!picture.file)
            return fail(Reason::UsageInvalid, "an edit needs the picture itself, not its address",
                        "give the step a picture of the item");
        form.add(field, "image" + std::to_string(number++) + "." + extensionOf(picture.file->mediaType), *picture.file);
    }
    if (request.mask) form.add("mask", "mask." + extensionOf(request.mask->mediaType), *request.mask);
    return wire().post(options.text("edits_path", "/images/edits"), {}, form);
}

Result<Exchange> OpenAiConversation::embedding(const NeutralRequest& request) const
{
    Json body{{"model", wire().model().remoteName}, {"input", request.texts}};
    if (!request.severalTexts) body["input"] = request.texts.front();
    return wire().post(wire().options().text("embeddings_path", "/embeddings"), {}, std::move(body), {});
}

NextMove OpenAiConversation::read(const Json& body, const ExchangeAnswer& answer)
{
    ProtocolAnswer made;
    made.model = textAt(body, {"model"});
    made.requestId = headerOf(answer.end, "x-request-id");
    if (made.requestId.empty()) made.requestId = textAt(body, {"id"});
    readUsage(body, made);
    if (wire().plan().kind == RouteKind::Image) return readPictures(body, answer.spooled, std::move(made));
    if (wire().plan().kind == RouteKind::Embedding) return readEmbedding(body, std::move(made));
    return readChat(body, std::move(made));
}

NextMove OpenAiConversation::readChat(const Json& body, ProtocolAnswer made) const
{
    const Json* choice = at(body, {"choices", "0"});
    if (choice == nullptr || !choice->is_object()) return lie("the answer has no choice");
    const Json* message = at(*choice, {"message"});
    const std::string finish = textAt(*choice, {"finish_reason"});
    if (message == nullptr || !message->is_object()) return lie("the answer has no message");
    if (finish == "content_filter") return refused("the provider's filter stopped the answer");
    if (const std::string refusal = textAt(*message, {"refusal"}); !refusal.empty()) return refused(refusal);
    const std::string text = contentOf(*message);
    made.body = std::make_shared<Json>(Json{{"text", text}});
    made.cutOff = finish == "length";
    if (made.cutOff) return made;
    if (finish.empty()) return lie("the answer does not say why it ended, so it may be cut off");
    if (finish != "stop" && finish != "eos" && finish != "end_turn")
        return lie("the answer ended in a way that is not known: " + cutToWidth(finish, 60));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return lie("the answer has no text");
    return made;
}

NextMove OpenAiConversation::readPictures(const Json& body, SpooledAnswer& spooled, ProtocolAnswer made)
{
    const Json* data = at(body, {"data"});
    if (data == nullptr || !data->is_array()) return lie("the answer has no pictures");
    for (const Json& one : *data) {
        const Json* picture = at(one, {"b64_json"});
        if (picture == nullptr) picture = at(one, {"url"});
        if (picture == nullptr) return lie("a picture of the answer has neither bytes nor an address");
        const std::string format = textAt(body, {"output_format"});
        if (auto failure = pictures().add(takePicture(*picture, spooled, format.empty() ? "" : "image/" + format)))
            return std::move(*failure);
    }
    return finishPictures(std::move(made));
}

NextMove OpenAiConversation::readEmbedding(const Json& body, ProtocolAnswer made) const
{
    const Json* data = at(body, {"data"});
    if (data == nullptr || !data->is_array() || data->empty()) return lie("the answer has no embedding");
    std::vector<const Json*> places(data->size(), nullptr);
    std::size_t number = 0;
    for (const Json& one : *data) {
        const std::size_t index =
            static_cast<std::size_t>(countAt(one, {"index"}).value_or(static_cast<std::int64_t>(number)));
        const Json* numbers = at(one, {"embedding"});
        if (index >= places.size() || places[index] != nullptr || numbers == nullptr)
            return lie("the answer's embeddings are not in order");
        places[index] = numbers;
        ++number;
    }
    Json list = Json::array();
    for (const Json* numbers : places) list.push_back(*numbers);
    return finishEmbedding(std::move(list), std::move(made));
}

class OpenAiProtocol final : public WireProtocol {
public:
    OpenAiProtocol() : WireProtocol(ProtocolKind::OpenAi) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const override
    {
        return started(std::make_unique<OpenAiConversation>(ProtocolKind::OpenAi, std::move(plan)));
    }
    Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const override
    {
        return probeOf(provider, account, WireOptions(provider, nullptr).text("probe", "/models"), {});
    }
};

} // namespace

const Protocol& openAiProtocol()
{
    static const OpenAiProtocol protocol;
    return protocol;
}

} // namespace aiflow
