#include "core/api/protocols/wire_protocols.h"

#include "core/api/protocols/parts/result_reader.h"
#include "core/base/json.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

// The lane answers for it itself; nothing is ever sent.
class NoProtocol final : public WireProtocol {
public:
    NoProtocol() : WireProtocol(ProtocolKind::Offline) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan) const override { return nothing(); }
    Result<Exchange> probe(const ProviderSettings&, std::size_t) const override { return nothing(); }

private:
    static tl::unexpected<Error> nothing()
    {
        return fail(Reason::UsageInvalid, "an offline provider is never called", "its answers are made here");
    }
};

bool isVector(const Json& numbers)
{
    return numbers.is_array() && !numbers.empty() && std::ranges::all_of(numbers, [](const Json& number) {
               return number.is_number() && std::isfinite(number.get<double>());
           });
}

} // namespace

NextMove WireConversation::next(const ExchangeAnswer& answer)
{
    if (m_pictures.under()) return m_pictures.fetched(answer);
    if (auto failure = classifyAnswer(m_protocol, answer.end, answer.spooled.text)) return std::move(*failure);
    if (auto moved = readFile(answer)) return std::move(*moved);
    auto body = parseAnswer(answer.spooled.text);
    if (auto* failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read(std::get<Json>(body), answer);
}

std::optional<Exchange> WireConversation::again(const HttpEnd& end)
{
    if (!m_pictures.under() || end.ending == HttpEnding::Cancelled || end.ending == HttpEnding::TooLarge)
        return std::nullopt;
    return m_pictures.again();
}

NextMove WireConversation::finishPictures(ProtocolAnswer answer)
{
    const auto request = readNeutral(m_wire.plan());
    const std::size_t asked = request ? static_cast<std::size_t>(request->count) : 1;
    if (m_pictures.count() != asked)
        return lie("asked for " + std::to_string(asked) + " pictures, " + std::to_string(m_pictures.count()) + " came");
    answer.usage.images = static_cast<std::int64_t>(asked);
    answer.body = std::make_shared<Json>(Json{{"images", asked}});
    return m_pictures.finish(std::move(answer));
}

NextMove WireConversation::finishEmbedding(Json list, ProtocolAnswer answer) const
{
    const auto request = readNeutral(m_wire.plan());
    const std::size_t asked = request ? request->texts.size() : 1;
    if (list.size() != asked)
        return lie("asked about " + std::to_string(asked) + " texts, " + std::to_string(list.size()) +
                   " embeddings came");
    for (const Json& numbers : list)
        if (!isVector(numbers) || numbers.size() != list.front().size())
            return lie("an embedding of the answer is no list of finite numbers, or of another length");
    const bool several = request && request->severalTexts;
    answer.body = std::make_shared<Json>(several ? Json{{"embeddings", std::move(list)}}
                                                 : Json{{"embedding", std::move(list.front())}});
    return answer;
}

NextMove WireConversation::readResult(const Json& result, const Json& body, SpooledAnswer& spooled,
                                      ProtocolAnswer answer)
{
    const RouteKind kind = m_wire.plan().kind;
    if (kind == RouteKind::Image) {
        const Json* files = &result;
        if (const std::string pointer = m_wire.options().text("files"); !pointer.empty())
            files = atPointer(body, pointer);
        if (files == nullptr) return lie("the answer has no pictures");
        if (auto failure = takePictures(*files, spooled, m_pictures)) return std::move(*failure);
        return finishPictures(std::move(answer));
    }
    if (kind == RouteKind::Embedding) {
        const Json* numbers = result.is_object() ? at(result, {"embedding"}) : &result;
        if (numbers == nullptr) numbers = at(result, {"embeddings"});
        if (numbers == nullptr || !numbers->is_array() || numbers->empty()) return lie("the answer has no embedding");
        return finishEmbedding(numbers->front().is_array() ? *numbers : Json::array({*numbers}), std::move(answer));
    }
    if (kind == RouteKind::Text) {
        const std::string text = textOfResult(result, m_wire.plan().request->contains("schema"));
        if (text.find_first_not_of(" \t\r\n") == std::string::npos) return lie("the answer has no text");
        answer.body = std::make_shared<Json>(Json{{"text", text}});
        return answer;
    }
    Json lifted = result;
    if (auto failure = liftPictures(lifted, spooled, m_pictures)) return std::move(*failure);
    if (lifted.is_structured() && lifted.empty()) return lie("the answer is empty");
    answer.body = std::make_shared<Json>(lifted.is_object() ? std::move(lifted) : Json{{"result", std::move(lifted)}});
    answer.usage.images = static_cast<std::int64_t>(m_pictures.count());
    return m_pictures.finish(std::move(answer));
}

Failure WireConversation::refused(std::string message)
{
    Failure failure;
    failure.failure = FailureClass::ContentRefused;
    failure.message = std::move(message);
    failure.status = 200;
    failure.charged = true;
    return failure;
}

Result<std::unique_ptr<Conversation>> WireProtocol::started(std::unique_ptr<Conversation> conversation)
{
    if (const auto first = conversation->first(); !first) return tl::unexpected(first.error());
    return conversation;
}

const Protocol& protocolOf(ProtocolKind kind)
{
    static const NoProtocol none;
    switch (kind) {
    case ProtocolKind::OpenAi:
        return openAiProtocol();
    case ProtocolKind::Gemini:
        return geminiProtocol();
    case ProtocolKind::Anthropic:
        return anthropicProtocol();
    case ProtocolKind::RemoteJob:
        return remoteJobProtocol();
    case ProtocolKind::ModelService:
        return modelServiceProtocol();
    case ProtocolKind::Offline:
        return none;
    }
    return none;
}

} // namespace aiflow
