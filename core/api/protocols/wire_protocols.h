// The frame of the protocols in this folder: one conversation of a paid call, then perhaps fetches of its pictures.
#pragma once

#include "core/api/protocols/parts/picture_fetches.h"

namespace aiflow {

// A conversation whose first answer is the result. The adapter reads it; what all have in common is done here.
class WireConversation : public Conversation {
public:
    WireConversation(ProtocolKind protocol, AttemptPlan plan)
        : m_protocol(protocol), m_wire(std::move(plan)), m_pictures(m_wire)
    {
    }
    NextMove next(const ExchangeAnswer& answer) override;
    std::optional<Exchange> again(const HttpEnd& end) override;

protected:
    // A success by its status, and a JSON object.
    virtual NextMove read(const Json& body, const ExchangeAnswer& answer) = 0;
    // Before anything else is looked at: an answer that is no JSON may be a result too. Nothing: go on.
    virtual std::optional<NextMove> readFile(const ExchangeAnswer&) { return std::nullopt; }

    const WirePlan& wire() const noexcept { return m_wire; }
    ProtocolKind protocol() const noexcept { return m_protocol; }
    PictureFetches& pictures() noexcept { return m_pictures; }
    // Counts the pictures against what was asked for; then the answer, or the first fetch.
    NextMove finishPictures(ProtocolAnswer answer);
    // `list`: one array of numbers for each text that was asked about, in order.
    NextMove finishEmbedding(Json list, ProtocolAnswer answer) const;
    // A result without a form of its own, as the route's kind wants it; `files` of the options may point elsewhere in
    // `body`.
    NextMove readResult(const Json& result, const Json& body, SpooledAnswer& spooled, ProtocolAnswer answer);
    static Failure refused(std::string message);

private:
    const ProtocolKind m_protocol;
    const WirePlan m_wire;
    PictureFetches m_pictures;
};

class WireProtocol : public Protocol {
public:
    explicit WireProtocol(ProtocolKind kind) : m_kind(kind) {}
    CapabilityClass capability(const ProviderSettings& provider) const override { return provider.capability; }
    std::unique_ptr<Conversation> resume(AttemptPlan, std::string) const override { return nullptr; }

protected:
    // The conversation, if its request can be made at all.
    static Result<std::unique_ptr<Conversation>> started(std::unique_ptr<Conversation> conversation);

private:
    const ProtocolKind m_kind;
};

const Protocol& openAiProtocol();
const Protocol& geminiProtocol();
const Protocol& anthropicProtocol();
const Protocol& remoteJobProtocol();
const Protocol& modelServiceProtocol();

} // namespace aiflow
