#include "core/api/protocols/wire_protocols.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace aiflow {

namespace {

const KeyForm kKey{"x-goog-api-key", ""};

struct Ratio {
    const char* name;
    double value;
};
constexpr std::array kRatios{Ratio{"1:1", 1.0},        Ratio{"2:3", 2.0 / 3.0},   Ratio{"3:2", 1.5},
                             Ratio{"3:4", 0.75},       Ratio{"4:3", 4.0 / 3.0},   Ratio{"4:5", 0.8},
                             Ratio{"5:4", 1.25},       Ratio{"9:16", 9.0 / 16.0}, Ratio{"16:9", 16.0 / 9.0},
                             Ratio{"21:9", 21.0 / 9.0}};

// The service knows shapes, not sizes: the nearest one.
std::string ratioOf(const NeutralRequest& request)
{
    const double wanted = static_cast<double>(request.width) / request.height;
    const auto nearest = std::ranges::min_element(
        kRatios, {}, [&](const Ratio& ratio) { return std::abs(std::log(ratio.value / wanted)); });
    return nearest->name;
}

bool isRefusal(const std::string& finish)
{
    constexpr std::array<std::string_view, 11> kWords{"SAFETY",
                                                      "RECITATION",
                                                      "BLOCKLIST",
                                                      "PROHIBITED_CONTENT",
                                                      "SPII",
                                                      "LANGUAGE",
                                                      "IMAGE_SAFETY",
                                                      "IMAGE_PROHIBITED_CONTENT",
                                                      "IMAGE_RECITATION",
                                                      "MODEL_ARMOR",
                                                      "JAILBREAK"};
    return std::ranges::find(kWords, finish) != kWords.end();
}

void readUsage(const Json& body, ProtocolAnswer& answer)
{
    const auto input = countAt(body, {"usageMetadata", "promptTokenCount"});
    answer.usage.inputTokens = input.value_or(0);
    answer.usage.cachedInputTokens =
        std::min(countAt(body, {"usageMetadata", "cachedContentTokenCount"}).value_or(0), answer.usage.inputTokens);
    answer.usage.outputTokens = countAt(body, {"usageMetadata", "candidatesTokenCount"}).value_or(0) +
                                countAt(body, {"usageMetadata", "thoughtsTokenCount"}).value_or(0);
    answer.usageKnown = input.has_value();
}

class GeminiConversation final : public WireConversation {
public:
    using WireConversation::WireConversation;
    Result<Exchange> first() override;

private:
    Json contents(const NeutralRequest& request, std::vector<RequestFile>& files) const;
    Json generation(const NeutralRequest& request) const;
    Result<Exchange> generate(const NeutralRequest& request) const;
    Result<Exchange> embed(const NeutralRequest& request) const;
    std::string modelPath() const;
    NextMove read(const Json& body, const ExchangeAnswer& answer) override;
    NextMove readCandidate(const Json& candidate, SpooledAnswer& spooled, ProtocolAnswer made);
    NextMove readEmbedding(const Json& body, ProtocolAnswer made) const;
};

std::string GeminiConversation::modelPath() const
{
    const std::string& name = wire().model().remoteName;
    if (name.starts_with("models/") || name.starts_with("tunedModels/")) return "/" + name;
    return "/models/" + urlSegment(name);
}

Result<Exchange> GeminiConversation::first()
{
    const auto request = readNeutral(wire().plan());
    if (!request) return tl::unexpected(request.error());
    if (wire().plan().kind == RouteKind::Model)
        return fail(Reason::UsageInvalid, "the gemini protocol knows no routes of kind model",
                    "use a provider of protocol model-service");
    if (wire().plan().kind == RouteKind::Embedding) return embed(*request);
    const bool byAddress =
        std::ranges::any_of(request->pictures, [](const NeutralPicture& picture) { return !picture.file; });
    if (byAddress)
        return fail(Reason::UsageInvalid, "gemini takes pictures themselves, not their addresses",
                    "give the step a picture of the item");
    if (wire().plan().kind == RouteKind::Image && (request->count != 1 || request->mask))
        return fail(Reason::UsageInvalid, "gemini makes one picture a call, and knows no masks",
                    "use for_each for several pictures");
    return generate(*request);
}

Json GeminiConversation::contents(const NeutralRequest& request, std::vector<RequestFile>& files) const
{
    Json parts = Json::array({{{"text", request.prompt}}});
    for (const NeutralPicture& picture : request.pictures) {
        files.push_back(*picture.file);
        parts.push_back(
            {{"inlineData", {{"mimeType", picture.file->mediaType}, {"data", fileMark(files.size() - 1, false)}}}});
    }
    Json list = Json::array({{{"role", "user"}, {"parts", std::move(parts)}}});
    for (const Complaint& complaint : wire().plan().complaints) {
        list.push_back({{"role", "model"}, {"parts", Json::array({{{"text", complaint.answer}}})}});
        list.push_back({{"role", "user"}, {"parts", Json::array({{{"text", complaintWords(complaint)}}})}});
    }
    return list;
}

Json GeminiConversation::generation(const NeutralRequest& request) const
{
    Json config{{"maxOutputTokens", wire().plan().maxOutputTokens}};
    if (request.temperature) config["temperature"] = *request.temperature;
    if (wire().plan().kind == RouteKind::Image) {
        const auto modalities = wire().options().texts("modalities");
        config["responseModalities"] = modalities.empty() ? std::vector<std::string>{"TEXT", "IMAGE"} : modalities;
        if (request.width > 0) config["imageConfig"] = {{"aspectRatio", ratioOf(request)}};
    } else if (request.schema != nullptr && wire().options().text("structured", "schema") == "schema") {
        config["responseMimeType"] = "application/json";
        config["responseJsonSchema"] = plainSchema(*request.schema);
    }
    return config;
}

Result<Exchange> GeminiConversation::generate(const NeutralRequest& request) const
{
    std::vector<RequestFile> files;
    Json body{{"contents", contents(request, files)}, {"generationConfig", generation(request)}};
    std::string system = request.system;
    if (request.schema != nullptr && wire().options().text("structured", "schema") == "prompt")
        system += (system.empty() ? "" : "\n\n") + schemaWords(*request.schema);
    if (!system.empty()) body["systemInstruction"] = {{"parts", Json::array({{{"text", system}}})}};
    if (const std::string threshold = wire().options().text("safety"); !threshold.empty())
        for (const char* category : {"HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH",
                                     "HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT"})
            body["safetySettings"].push_back({{"category", category}, {"threshold", threshold}});
    return wire().post(modelPath() + ":generateContent", kKey, std::move(body), files);
}

Result<Exchange> GeminiConversation::embed(const NeutralRequest& request) const
{
    const auto one = [&](const std::string& text) {
        return Json{{"model", modelPath().substr(1)}, {"content", {{"parts", Json::array({{{"text", text}}})}}}};
    };
    if (!request.severalTexts) return wire().post(modelPath() + ":embedContent", kKey, one(request.texts.front()), {});
    Json body{{"requests", Json::array()}};
    for (const std::string& text : request.texts) body["requests"].push_back(one(text));
    return wire().post(modelPath() + ":batchEmbedContents", kKey, std::move(body), {});
}

NextMove GeminiConversation::read(const Json& body, const ExchangeAnswer& answer)
{
    ProtocolAnswer made;
    made.model = textAt(body, {"modelVersion"});
    made.requestId = textAt(body, {"responseId"});
    readUsage(body, made);
    if (wire().plan().kind == RouteKind::Embedding) return readEmbedding(body, std::move(made));
    if (const std::string reason = textAt(body, {"promptFeedback", "blockReason"}); !reason.empty())
        return refused("the provider refuses the request: " + reason);
    const Json* candidate = at(body, {"candidates", "0"});
    if (candidate == nullptr || !candidate->is_object()) return lie("the answer has no candidate");
    return readCandidate(*candidate, answer.spooled, std::move(made));
}

NextMove GeminiConversation::readCandidate(const Json& candidate, SpooledAnswer& spooled, ProtocolAnswer made)
{
    const std::string finish = textAt(candidate, {"finishReason"});
    if (isRefusal(finish)) {
        const std::string words = textAt(candidate, {"finishMessage"});
        return refused("the provider stopped the answer: " + finish + (words.empty() ? "" : ": " + words));
    }
    if (finish.empty()) return lie("the answer does not say why it ended, so it may be cut off");
    made.cutOff = finish == "MAX_TOKENS";
    if (finish != "STOP" && !made.cutOff)
        return lie("the answer ended in a way that gives no result: " + cutToWidth(finish, 60));
    const bool wantsPictures = wire().plan().kind == RouteKind::Image;
    std::string text;
    const Json* parts = at(candidate, {"content", "parts"});
    for (const Json& part : parts != nullptr && parts->is_array() ? *parts : Json::array()) {
        const Json* thought = at(part, {"thought"});
        if (thought != nullptr && *thought == true) continue;
        text += textAt(part, {"text"});
        const Json* data = at(part, {"inlineData"});
        if (data == nullptr) data = at(part, {"inline_data"});
        if (data == nullptr || !wantsPictures) continue;
        std::string type = textAt(*data, {"mimeType"});
        if (type.empty()) type = textAt(*data, {"mime_type"});
        const Json* bytes = at(*data, {"data"});
        if (bytes == nullptr) return lie("a picture of the answer is empty");
        if (auto failure = pictures().add(takePicture(*bytes, spooled, type))) return std::move(*failure);
    }
    made.body = std::make_shared<Json>(Json{{"text", text}});
    if (made.cutOff) return made;
    if (wantsPictures) return finishPictures(std::move(made));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return lie("the answer has no text");
    return made;
}

NextMove GeminiConversation::readEmbedding(const Json& body, ProtocolAnswer made) const
{
    Json list = Json::array();
    if (const Json* one = at(body, {"embedding", "values"})) list.push_back(*one);
    if (const Json* several = at(body, {"embeddings"}); several != nullptr && several->is_array())
        for (const Json& one : *several) list.push_back(at(one, {"values"}) != nullptr ? *at(one, {"values"}) : Json());
    if (list.empty()) return lie("the answer has no embedding");
    return finishEmbedding(std::move(list), std::move(made));
}

class GeminiProtocol final : public WireProtocol {
public:
    GeminiProtocol() : WireProtocol(ProtocolKind::Gemini) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const override
    {
        return started(std::make_unique<GeminiConversation>(ProtocolKind::Gemini, std::move(plan)));
    }
    Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const override
    {
        return probeOf(provider, account, WireOptions(provider, nullptr).text("probe", "/models?pageSize=1"), kKey);
    }
};

} // namespace

const Protocol& geminiProtocol()
{
    static const GeminiProtocol protocol;
    return protocol;
}

} // namespace aiflow
