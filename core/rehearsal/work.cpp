#include "core/api/offline_answers.h"
#include "core/base/json.h"
#include "core/rehearsal/lies.h"
#include "core/rehearsal/picture.h"
#include "core/rehearsal/station.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace aiflow {

namespace {

std::int64_t rounded(std::int64_t tokens, Nanos perMillion)
{
    constexpr std::int64_t kMillion = 1'000'000;
    return (tokens * perMillion.count() + kMillion - 1) / kMillion;
}

// The first half, in whole characters.
std::string half(std::string text)
{
    std::size_t end = text.size() / 2;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text;
}

// Of the wrong kind, whatever the schema says.
std::string misfitFor(const std::string& schema)
{
    const auto parsed = parseJson(schema);
    const bool object = !parsed || !parsed->is_object() || parsed->value("type", Json("object")) == "object";
    return object ? R"(["this", "does", "not", "fit"])" : R"({"this": "does not fit"})";
}

} // namespace

std::string hexOf(std::uint64_t value)
{
    std::array<char, 17> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return {digits.data(), end.ptr};
}

Usage usageOf(const Ask& ask, const SimulatedModel& model)
{
    Usage usage;
    if (ask.kind == AskKind::Predict) return usage;
    usage.inputTokens = ask.inputTokens;
    if (ask.kind == AskKind::Text)
        usage.outputTokens = std::min(model.outputTokens, ask.maxOutputTokens.value_or(model.outputTokens));
    if (ask.kind == AskKind::Picture) usage.images = ask.count;
    return usage;
}

Nanos billOf(const Price& price, const Usage& usage)
{
    const Nanos cached = price.cachedInputPerMillion.count() > 0 ? price.cachedInputPerMillion : price.inputPerMillion;
    return Nanos(rounded(usage.inputTokens - usage.cachedInputTokens, price.inputPerMillion) +
                 rounded(usage.cachedInputTokens, cached) + rounded(usage.outputTokens, price.outputPerMillion) +
                 usage.images * price.perImage.count() + price.perCall.count());
}

std::string textFor(const Ask& ask)
{
    if (ask.schema.empty()) return "Rehearsed answer " + hexOf(ask.seed).substr(0, 4) + " to: " + ask.words;
    const auto schema = parseJson(ask.schema);
    return schema ? dumpJson(offlineValue(*schema, ask.words, ask.seed)) : "{}";
}

std::string spoiltText(const Ask& ask, std::string text, FaultKind kind)
{
    switch (kind) {
    case FaultKind::Misfit:
        return ask.schema.empty() ? std::string() : misfitFor(ask.schema);
    case FaultKind::Fenced:
        return "Sure! Here is what you asked for:\n```json\n" + text + "\n```\nLet me know if it needs a change.";
    case FaultKind::CutOff:
        return half(std::move(text));
    default:
        return text;
    }
}

std::string ServiceDesk::pictureAddress(const ServedCall& call, std::uint64_t seed, std::size_t index)
{
    const std::string token = hexOf(m_random()) + '-' + std::to_string(index);
    const SimulatedModel& model = call.station->service.models[*call.model];
    m_files[token] = {call.ask.size->first, call.ask.size->second, seed, model.pictureBytes};
    return origin() + "/files/" + token + ".png";
}

// A file is there once; afterwards its address has expired.
Reply ServiceDesk::fetchFile(const std::string& name)
{
    const std::size_t from = name.starts_with('/') ? 1 : 0;
    const std::string token = name.substr(from, name.rfind('.') - from);
    const auto found = m_files.find(token);
    if (found == m_files.end()) {
        Reply gone;
        gone.status = 403;
        gone.type = "application/xml";
        gone.body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        return gone;
    }
    Reply reply;
    reply.type = "image/png";
    const PictureFile& file = found->second;
    reply.body = pngPicture(file.width, file.height, file.seed, file.bytes);
    m_files.erase(found);
    return reply;
}

Product ServiceDesk::work(const ServedCall& call)
{
    const SimulatedModel& model = call.station->service.models[*call.model];
    const Ask& ask = call.ask;
    const auto meets = [&](FaultKind kind) { return call.fault && call.fault->kind == kind; };
    Product product;
    product.id = "rehearsal-" + hexOf(ask.seed ^ m_world.seed);
    product.model = model.name;
    product.usage = call.entry.usage;
    product.refused = meets(FaultKind::ContentRefused);
    product.misfit = meets(FaultKind::Misfit);
    if (ask.kind == AskKind::Text || ask.kind == AskKind::Predict) {
        product.cutOff =
            meets(FaultKind::CutOff) ||
            (ask.kind == AskKind::Text && ask.maxOutputTokens.value_or(model.outputTokens) < model.outputTokens);
        product.text = textFor(ask);
        if (product.cutOff) product.text = spoiltText(ask, std::move(product.text), FaultKind::CutOff);
        if (call.fault && !meets(FaultKind::CutOff))
            product.text = spoiltText(ask, std::move(product.text), call.fault->kind);
    }
    if (ask.kind == AskKind::Picture) {
        const int shrink = meets(FaultKind::Misfit) ? 2 : 1;
        for (std::int64_t i = 0; i < ask.count; ++i) {
            const std::uint64_t seed = ask.seed + static_cast<std::uint64_t>(i);
            product.pictures.push_back(ask.byUrl
                                           ? pictureAddress(call, seed, static_cast<std::size_t>(i))
                                           : base64(pngPicture(ask.size->first / shrink, ask.size->second / shrink,
                                                               seed, model.pictureBytes)));
        }
    }
    return product;
}

Reply ServiceDesk::produce(const ServedCall& call)
{
    const Wire& wire = call.station->wire;
    const Product product = work(call);
    if (product.refused && call.ask.kind != AskKind::Text)
        return wire.trouble(Trouble::Refused, "Your request was rejected by the safety system.");
    Reply reply = wire.answer(call.ask, product);
    if (!call.fault) return reply;
    switch (call.fault->kind) {
    case FaultKind::ServerError:
        return wire.trouble(Trouble::Failed, "The server had an error while processing your request");
    case FaultKind::Hang:
        reply.delivery = Delivery::Nothing;
        return reply;
    case FaultKind::ResetBeforeByte:
        reply.delivery = Delivery::ResetBeforeByte;
        return reply;
    case FaultKind::ResetAfterHeaders:
        reply.delivery = Delivery::ResetAfterHeaders;
        return reply;
    case FaultKind::ResetMidBody:
        reply.delivery = Delivery::ResetMidBody;
        return reply;
    case FaultKind::ResetAfterBody:
        reply.delivery = Delivery::ResetAfterBody;
        return reply;
    case FaultKind::Lie:
        return lieOf(call.fault->variant, std::move(reply), call.ask, wire.places(call.ask), origin());
    default:
        return reply;
    }
}

void ServiceDesk::tellLimits(const ServedCall& call, Reply& reply, std::int64_t nowNs) const
{
    const Station& station = *call.station;
    if (!station.service.tellsLimits || !call.account || !call.model) return;
    // Of several windows of one unit, the fullest: that is what a service shows.
    struct Shown {
        std::int64_t limit = 0, remaining = 0, resetNs = 0;
    };
    std::map<LimitUnit, Shown> fullest;
    for (LimitGate* gate : station.judge.gatesOf(*call.account, *call.model)) {
        for (const LimitGate::Window& window : gate->windows()) {
            const std::int64_t remaining = window.limit.count - window.admitted.used(nowNs);
            const std::int64_t reset = window.admitted.fitsAt(nowNs, window.limit.count) - nowNs;
            const auto [place, isNew] =
                fullest.try_emplace(window.limit.unit, Shown{window.limit.count, remaining, reset});
            if (!isNew && remaining < place->second.remaining) place->second = {window.limit.count, remaining, reset};
        }
    }
    for (const auto& [unit, shown] : fullest)
        for (auto& header : station.wire.limitHeaders(unit, shown.limit, shown.remaining, shown.resetNs))
            reply.headers.push_back(std::move(header));
}

} // namespace aiflow
