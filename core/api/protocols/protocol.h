// A wire protocol: how a call is put into HTTP requests, and how the answers are read. One file for each.
#pragma once

#include "core/api/decision/dispatcher.h"
#include "core/api/settings/api_settings.h"
#include "core/api/transport/answer_spool.h"
#include "core/api/transport/http_transport.h"
#include "core/base/json_fwd.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace aiflow {

// A picture or document of the request, by its place among the artifacts.
struct RequestFile {
    std::string hash; // 64 hexadecimal digits
    std::string mediaType;
    std::int64_t size = 0;
};
// Opens an artifact's bytes for reading once. Blocks.
using OpenFile = std::function<Result<std::unique_ptr<BodySource>>(const RequestFile&)>;

// An earlier answer of the same call that did not do, shown to the model with what is wrong with it.
struct Complaint {
    std::string answer;
    std::string mistake; // one sentence a finding
};

// One attempt to make, in the protocol-neutral form.
struct AttemptPlan {
    const ApiSettings& settings;
    std::size_t model = 0;
    std::size_t account = 0; // among the provider's
    RouteKind kind = RouteKind::Text;
    // "prompt", "system", "schema", "size", "n", "temperature", "image" or "images" ({"artifact","media_type","size"}),
    // "mask", "text" (embeddings), "inputs" (model services) and whatever `options` of the model names.
    std::shared_ptr<const Json> request;
    std::string attemptId; // the client's reference where the protocol has a field for one
    std::string idempotencyKey;
    std::vector<Complaint> complaints;
    std::int64_t maxOutputTokens = 0;
    OpenFile openFile;
};

// One HTTP request of an attempt.
struct Exchange {
    HttpRequest http;                   // its sink is the lane's matter
    std::chrono::milliseconds after{0}; // wait before it (polling)
    bool paid = false;                  // it may cost money: the attempt's windows start with it
    bool picture = false;               // the answer is a file, not JSON
};
// The answer, read.
struct ProtocolAnswer {
    // Text routes: {"text": ..} (an object that a schema asked for stands there as text: the lane checks it).
    // Image routes: {"images": count}. Embeddings: {"embedding": [..]} or {"embeddings": [[..], ..]}.
    // Model services: the service's object.
    std::shared_ptr<Json> body;
    std::vector<SpooledFile> files;
    Usage usage;
    bool usageKnown = false;
    std::string requestId;
    std::string model;   // that really answered, as the provider names it
    bool cutOff = false; // the output limit ended it; `body` holds what came
};
struct KeepRemoteId { // the journal must know it before `next` is sent
    std::string id;
    Exchange next;
};
using NextMove = std::variant<Exchange, KeepRemoteId, ProtocolAnswer, Failure>;

// What came back for one exchange.
struct ExchangeAnswer {
    const HttpEnd& end;
    SpooledAnswer& spooled; // files may be moved out of it
};

// One attempt under way. Threads: one. Bodies of requests are made when they are asked for, never kept.
class Conversation {
public:
    virtual ~Conversation() = default;
    virtual Result<Exchange> first() = 0;
    // Only for exchanges that ended Complete; other endings are classified by classifyEnding().
    virtual NextMove next(const ExchangeAnswer& answer) = 0;
    // After an exchange that did not end Complete: a poll or a fetch of a remote job may simply be made again. Nothing:
    // the attempt ended so.
    virtual std::optional<Exchange> again(const HttpEnd& end) = 0;
    // A remote job was called back: the next poll is worth making now.
    virtual void calledBack() {}
};

// Threads: every method, from any.
class Protocol {
public:
    virtual ~Protocol() = default;
    virtual CapabilityClass capability(const ProviderSettings& provider) const = 0;
    // Errors: UsageInvalid for a request that this protocol cannot make (the message says what is missing).
    virtual Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const = 0;
    // Goes on with a remote job by its journaled id. Nothing: this protocol has none.
    virtual std::unique_ptr<Conversation> resume(AttemptPlan plan, std::string remoteId) const = 0;
    // Class B: asks for the job of `plan.attemptId`, whose submit's answer was lost. It goes on as a remote job, or
    // ends as NotSent when the provider knows none. Nothing: this protocol cannot ask.
    // NOLINTNEXTLINE(performance-unnecessary-value-param): those that can ask keep it
    virtual std::unique_ptr<Conversation> lookUp(AttemptPlan) const { return nullptr; }
    // The cheapest request that tells whether a key works: `providers test`.
    virtual Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const = 0;
};
// The built-in protocols; they live for ever.
const Protocol& protocolOf(ProtocolKind kind);

// What an exchange's bad ending means. `paid`: whether its request could have been executed.
Failure classifyEnding(const HttpEnd& end, bool paid);
// What an answer's status and body mean when it is no success: all five forms of Retry-After (seconds, decimal seconds,
// HTTP date against the answer's own Date, retry-after-ms, x-ratelimit-reset-*), quota codes, refused content, ...
std::optional<Failure> classifyAnswer(ProtocolKind protocol, const HttpEnd& end, std::string_view body);
// Limits that the headers tell (OpenAI's x-ratelimit-*, Anthropic's anthropic-ratelimit-*).
std::vector<AttemptEnd::Learnt> learntLimits(const HttpEnd& end, WallTime now);

// Tokens of a text, estimated from above: bytes of Latin text / 3, other characters one each, times 1.1.
std::int64_t estimateTokens(std::string_view text);
// Of a whole request: prompt, system, schema, complaints and pictures.
std::int64_t estimateInputTokens(const Json& request, const std::vector<Complaint>& complaints);

} // namespace aiflow
