#include "core/rehearsal/world/world_file.h"

#include "core/base/json.h"

#include <array>
#include <utility>

namespace aiflow {

namespace {

template <typename Kind, std::size_t N> using Words = std::array<std::pair<Kind, const char*>, N>;

constexpr Words<FaultKind, 21> kFaults = {{{FaultKind::ThrottleSeconds, "throttle_seconds"},
                                           {FaultKind::ThrottleDecimal, "throttle_decimal"},
                                           {FaultKind::ThrottleDate, "throttle_date"},
                                           {FaultKind::ThrottleMillis, "throttle_millis"},
                                           {FaultKind::ThrottleReset, "throttle_reset"},
                                           {FaultKind::ThrottleBare, "throttle_bare"},
                                           {FaultKind::ThrottleGarbage, "throttle_garbage"},
                                           {FaultKind::ServerError, "server_error"},
                                           {FaultKind::Unavailable, "unavailable"},
                                           {FaultKind::QuotaEmpty, "quota_empty"},
                                           {FaultKind::KeyRevoked, "key_revoked"},
                                           {FaultKind::ContentRefused, "content_refused"},
                                           {FaultKind::Hang, "hang"},
                                           {FaultKind::ResetBeforeByte, "reset_before_byte"},
                                           {FaultKind::ResetAfterHeaders, "reset_after_headers"},
                                           {FaultKind::ResetMidBody, "reset_mid_body"},
                                           {FaultKind::ResetAfterBody, "reset_after_body"},
                                           {FaultKind::Misfit, "misfit"},
                                           {FaultKind::Fenced, "fenced"},
                                           {FaultKind::CutOff, "cut_off"},
                                           {FaultKind::Lie, "lie"}}};
constexpr Words<ProtocolKind, 6> kProtocols = {{{ProtocolKind::OpenAi, "openai"},
                                                {ProtocolKind::Gemini, "gemini"},
                                                {ProtocolKind::Anthropic, "anthropic"},
                                                {ProtocolKind::RemoteJob, "remote-job"},
                                                {ProtocolKind::ModelService, "model-service"},
                                                {ProtocolKind::Offline, "offline"}}};
constexpr Words<CapabilityClass, 4> kClasses = {
    {{CapabilityClass::A, "A"}, {CapabilityClass::B, "B"}, {CapabilityClass::C, "C"}, {CapabilityClass::D, "D"}}};
constexpr Words<LimitUnit, 6> kUnits = {{{LimitUnit::Requests, "requests"},
                                         {LimitUnit::InputTokens, "input_tokens"},
                                         {LimitUnit::OutputTokens, "output_tokens"},
                                         {LimitUnit::TotalTokens, "total_tokens"},
                                         {LimitUnit::Images, "images"},
                                         {LimitUnit::Money, "money"}}};

template <typename Kind, std::size_t N> std::string wordOf(const Words<Kind, N>& words, Kind kind)
{
    for (const auto& [known, word] : words)
        if (known == kind) return word;
    return "?";
}

// Reading: a wrong value throws, and the doors below turn that into an error.
struct Wrong {
    std::string what;
};

template <typename Kind, std::size_t N>
void take(const Json& from, const char* key, const Words<Kind, N>& words, Kind& into)
{
    if (!from.contains(key)) return;
    const auto word = from.at(key).get<std::string>();
    for (const auto& [kind, known] : words) {
        if (word != known) continue;
        into = kind;
        return;
    }
    throw Wrong{std::string(key) + ": unknown word \"" + word + '"'};
}

template <typename Value> void take(const Json& from, const char* key, Value& into)
{
    if (from.contains(key)) into = from.at(key).get<Value>();
}

void takeMs(const Json& from, const char* key, std::chrono::milliseconds& into)
{
    if (from.contains(key)) into = std::chrono::milliseconds(from.at(key).get<std::int64_t>());
}

void takeNanos(const Json& from, const char* key, Nanos& into)
{
    if (from.contains(key)) into = Nanos(from.at(key).get<std::int64_t>());
}

template <typename Value, typename Read> std::vector<Value> listOf(const Json& from, const char* key, Read read)
{
    std::vector<Value> list;
    if (from.contains(key))
        for (const Json& one : from.at(key)) list.push_back(read(one));
    return list;
}

template <typename Value, typename Write> Json jsonList(const std::vector<Value>& values, Write write)
{
    Json list = Json::array();
    for (const Value& value : values) list.push_back(write(value));
    return list;
}

Json limitsJson(const LimitSet& limits)
{
    Json json = {{"currency", limits.currency}, {"windows", jsonList(limits.windows, [](const WindowLimit& limit) {
                                                     return Json{{"unit", wordOf(kUnits, limit.unit)},
                                                                 {"count", limit.count},
                                                                 {"window_ms", limit.window.count()}};
                                                 })}};
    if (limits.concurrency) json["concurrency"] = *limits.concurrency;
    return json;
}

LimitSet readLimits(const Json& json)
{
    LimitSet limits;
    take(json, "currency", limits.currency);
    limits.windows = listOf<WindowLimit>(json, "windows", [](const Json& one) {
        WindowLimit limit;
        take(one, "unit", kUnits, limit.unit);
        take(one, "count", limit.count);
        takeMs(one, "window_ms", limit.window);
        return limit;
    });
    if (json.contains("concurrency")) limits.concurrency = json.at("concurrency").get<std::int64_t>();
    return limits;
}

LimitSet readLimitsAt(const Json& json) { return json.contains("limits") ? readLimits(json.at("limits")) : LimitSet(); }

Json priceJson(const Price& price)
{
    return {{"input_per_million", price.inputPerMillion.count()},
            {"cached_input_per_million", price.cachedInputPerMillion.count()},
            {"output_per_million", price.outputPerMillion.count()},
            {"per_image", price.perImage.count()},
            {"per_call", price.perCall.count()},
            {"currency", price.currency}};
}

Price readPrice(const Json& json)
{
    Price price;
    takeNanos(json, "input_per_million", price.inputPerMillion);
    takeNanos(json, "cached_input_per_million", price.cachedInputPerMillion);
    takeNanos(json, "output_per_million", price.outputPerMillion);
    takeNanos(json, "per_image", price.perImage);
    takeNanos(json, "per_call", price.perCall);
    take(json, "currency", price.currency);
    return price;
}

Json faultJson(const SimulatedFault& fault)
{
    Json json = {{"kind", wordOf(kFaults, fault.kind)},
                 {"variant", fault.variant},
                 {"probability", fault.probability},
                 {"account", fault.account},
                 {"model", fault.model},
                 {"contains", fault.contains},
                 {"from_ms", fault.from.count()}};
    if (fault.firstCalls) json["first_calls"] = *fault.firstCalls;
    if (fault.until) json["until_ms"] = fault.until->count();
    return json;
}

SimulatedFault readFault(const Json& json)
{
    SimulatedFault fault;
    take(json, "kind", kFaults, fault.kind);
    take(json, "variant", fault.variant);
    take(json, "probability", fault.probability);
    take(json, "account", fault.account);
    take(json, "model", fault.model);
    take(json, "contains", fault.contains);
    takeMs(json, "from_ms", fault.from);
    if (json.contains("first_calls")) fault.firstCalls = json.at("first_calls").get<std::int64_t>();
    if (json.contains("until_ms")) fault.until = std::chrono::milliseconds(json.at("until_ms").get<std::int64_t>());
    return fault;
}

Json modelJson(const SimulatedModel& model)
{
    return {{"name", model.name},
            {"latency_ms", model.latency.median.count()},
            {"latency_sigma", model.latency.sigma},
            {"price", priceJson(model.price)},
            {"output_tokens", model.outputTokens},
            {"limits", limitsJson(model.limits)},
            {"picture_width", model.pictureWidth},
            {"picture_height", model.pictureHeight},
            {"picture_bytes", model.pictureBytes},
            {"pictures_by_url", model.picturesByUrl},
            {"makes_pictures", model.makesPictures}};
}

SimulatedModel readModel(const Json& json)
{
    SimulatedModel model;
    take(json, "name", model.name);
    takeMs(json, "latency_ms", model.latency.median);
    take(json, "latency_sigma", model.latency.sigma);
    if (json.contains("price")) model.price = readPrice(json.at("price"));
    take(json, "output_tokens", model.outputTokens);
    model.limits = readLimitsAt(json);
    take(json, "picture_width", model.pictureWidth);
    take(json, "picture_height", model.pictureHeight);
    take(json, "picture_bytes", model.pictureBytes);
    take(json, "pictures_by_url", model.picturesByUrl);
    take(json, "makes_pictures", model.makesPictures);
    return model;
}

SimulatedAccount readAccount(const Json& json)
{
    SimulatedAccount account;
    take(json, "name", account.name);
    take(json, "key", account.key);
    take(json, "organisation", account.organisation);
    account.limits = readLimitsAt(json);
    return account;
}

Json serviceJson(const SimulatedService& service)
{
    Json organisations = Json::object();
    for (const auto& [name, limits] : service.organisations) organisations[name] = limitsJson(limits);
    return {{"name", service.name},
            {"protocol", wordOf(kProtocols, service.protocol)},
            {"capability", wordOf(kClasses, service.capability)},
            {"accounts", jsonList(service.accounts,
                                  [](const SimulatedAccount& account) {
                                      return Json{{"name", account.name},
                                                  {"key", account.key},
                                                  {"organisation", account.organisation},
                                                  {"limits", limitsJson(account.limits)}};
                                  })},
            {"models", jsonList(service.models, modelJson)},
            {"organisations", std::move(organisations)},
            {"limits", limitsJson(service.limits)},
            {"faults", jsonList(service.faults, faultJson)},
            {"tells_limits", service.tellsLimits}};
}

SimulatedService readService(const Json& json)
{
    SimulatedService service;
    take(json, "name", service.name);
    take(json, "protocol", kProtocols, service.protocol);
    take(json, "capability", kClasses, service.capability);
    service.accounts = listOf<SimulatedAccount>(json, "accounts", readAccount);
    service.models = listOf<SimulatedModel>(json, "models", readModel);
    if (json.contains("organisations"))
        for (const auto& [name, limits] : json.at("organisations").items())
            service.organisations[name] = readLimits(limits);
    service.limits = readLimitsAt(json);
    service.faults = listOf<SimulatedFault>(json, "faults", readFault);
    take(json, "tells_limits", service.tellsLimits);
    return service;
}

template <typename Value, typename Read> Result<Value> guarded(const char* what, Read read)
{
    try {
        return read();
    } catch (const Wrong& wrong) {
        return fail(Reason::UsageInvalid, std::string(what) + ": " + wrong.what);
    } catch (const Json::exception& error) {
        return fail(Reason::UsageInvalid, std::string(what) + ": " + error.what());
    }
}

} // namespace

Json worldJson(const SimulatedWorld& world)
{
    return {{"services", jsonList(world.services, serviceJson)},
            {"speed", world.speed},
            {"seed", world.seed},
            {"port", world.port},
            {"ledger_file", world.ledgerFile.string()},
            {"keep_entries", world.keepEntries}};
}

Result<SimulatedWorld> readWorld(const Json& json)
{
    return guarded<SimulatedWorld>("simulated world", [&] {
        SimulatedWorld world;
        world.services = listOf<SimulatedService>(json, "services", readService);
        take(json, "speed", world.speed);
        take(json, "seed", world.seed);
        take(json, "port", world.port);
        if (json.contains("ledger_file")) world.ledgerFile = json.at("ledger_file").get<std::string>();
        take(json, "keep_entries", world.keepEntries);
        return world;
    });
}

Json ledgerLine(const LedgerEntry& entry)
{
    return {{"arrived_ns", entry.arrivedNs},
            {"ended_ns", entry.endedNs},
            {"service", entry.service},
            {"account", entry.account},
            {"model", entry.model},
            {"path", entry.path},
            {"body_hash", entry.bodyHash},
            {"idempotency_key", entry.idempotencyKey},
            {"item_reference", entry.itemReference},
            {"status", entry.status},
            {"refused", entry.refused},
            {"executed", entry.executed},
            {"charged", entry.charged},
            {"paid", entry.paid},
            {"input_tokens", entry.usage.inputTokens},
            {"cached_input_tokens", entry.usage.cachedInputTokens},
            {"output_tokens", entry.usage.outputTokens},
            {"images", entry.usage.images},
            {"cost_nanos", entry.cost.count()},
            {"ending", entry.ending},
            {"fault", entry.fault ? Json(wordOf(kFaults, *entry.fault)) : Json()}};
}

Result<LedgerEntry> readLedgerLine(const Json& json)
{
    return guarded<LedgerEntry>("ledger entry", [&] {
        LedgerEntry entry;
        take(json, "arrived_ns", entry.arrivedNs);
        take(json, "ended_ns", entry.endedNs);
        take(json, "service", entry.service);
        take(json, "account", entry.account);
        take(json, "model", entry.model);
        take(json, "path", entry.path);
        take(json, "body_hash", entry.bodyHash);
        take(json, "idempotency_key", entry.idempotencyKey);
        take(json, "item_reference", entry.itemReference);
        take(json, "status", entry.status);
        take(json, "refused", entry.refused);
        take(json, "executed", entry.executed);
        take(json, "charged", entry.charged);
        take(json, "paid", entry.paid);
        take(json, "input_tokens", entry.usage.inputTokens);
        take(json, "cached_input_tokens", entry.usage.cachedInputTokens);
        take(json, "output_tokens", entry.usage.outputTokens);
        take(json, "images", entry.usage.images);
        takeNanos(json, "cost_nanos", entry.cost);
        take(json, "ending", entry.ending);
        if (json.contains("fault") && json.at("fault").is_string()) take(json, "fault", kFaults, entry.fault.emplace());
        return entry;
    });
}

Json verdictJson(const Verdict& verdict)
{
    Json cost = Json::object();
    for (const auto& [currency, amount] : verdict.cost) cost[currency] = amount.count();
    return {{"calls", verdict.calls},
            {"violations", verdict.violations},
            {"refusals", verdict.refusals},
            {"executed", verdict.executed},
            {"paid_twice", verdict.paidTwice},
            {"same_body", verdict.sameBody},
            {"replays", verdict.replays},
            {"early", verdict.early},
            {"highest_concurrency", verdict.highestConcurrency},
            {"concurrency_of", verdict.concurrencyOf},
            {"cost_nanos", std::move(cost)}};
}

Result<Verdict> readVerdict(const Json& json)
{
    return guarded<Verdict>("verdict", [&] {
        Verdict verdict;
        take(json, "calls", verdict.calls);
        take(json, "violations", verdict.violations);
        take(json, "refusals", verdict.refusals);
        take(json, "executed", verdict.executed);
        take(json, "paid_twice", verdict.paidTwice);
        take(json, "same_body", verdict.sameBody);
        take(json, "replays", verdict.replays);
        take(json, "early", verdict.early);
        take(json, "highest_concurrency", verdict.highestConcurrency);
        take(json, "concurrency_of", verdict.concurrencyOf);
        if (json.contains("cost_nanos"))
            for (const auto& [currency, amount] : json.at("cost_nanos").items())
                verdict.cost[currency] = Nanos(amount.get<std::int64_t>());
        return verdict;
    });
}

} // namespace aiflow
