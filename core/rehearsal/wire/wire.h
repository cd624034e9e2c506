// How the simulated services read requests and write answers: one file a protocol, none of it shared with the
// product's.
#pragma once

#include "core/base/json_fwd.h"
#include "core/rehearsal/simulated_provider.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aiflow {

struct WireRequest {
    std::string method;
    std::string path; // what follows the service's name, decoded; without the query
    std::string query;
    std::vector<std::pair<std::string, std::string>> headers; // names in lower case
    std::string body;
    std::int64_t arrivedNs = 0;
    // The value, or empty.
    std::string_view header(std::string_view lowerCaseName) const noexcept;
    std::string parameter(std::string_view name) const; // of the query, decoded
};

enum class AskKind : std::uint8_t { Text, Picture, Embedding, Predict, Models, Health, JobStatus, JobByReference };
// What a request asks for, whatever its protocol. Small: it is kept while the call is open.
struct Ask {
    AskKind kind = AskKind::Text;
    std::string model;
    std::string words; // the prompt's first
    std::uint64_t seed = 0;
    std::string schema; // JSON text; empty: free text
    std::int64_t inputTokens = 0;
    std::optional<std::int64_t> maxOutputTokens;
    std::int64_t count = 1; // of pictures or embeddings
    std::int64_t dimensions = 16;
    std::optional<std::pair<int, int>> size;
    bool byUrl = false;
    bool asList = false;   // embeddings were asked for in a list
    std::string tool;      // the answer is to be given as a call of this tool
    std::string reference; // the client's own
    std::string jobId;
    std::string callback; // URL to be called when a job is done
    bool paid() const noexcept { return kind <= AskKind::Predict; }
};

// How an answer's bytes leave.
enum class Delivery : std::uint8_t {
    Whole,
    Nothing,           // the connection stays open and silent
    ResetBeforeByte,   // RST
    ResetAfterHeaders, // RST
    ResetMidBody,      // RST
    ResetAfterBody,    // RST
    CloseMidBody,      // an orderly close before the announced length
    Drip,              // a byte now and then, for ever
    Flood,             // more and more
};
struct Reply {
    int status = 200;
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Delivery delivery = Delivery::Whole;
};

enum class Trouble : std::uint8_t {
    BadRequest,
    KeyRefused,
    NotFound,
    Conflict,
    Throttled,
    Quota,
    Refused, // the content
    Failed,  // 500
    Overloaded,
    GatewayTimeout,
};
int statusOf(Trouble trouble) noexcept;

// What the work of a call brought.
struct Product {
    std::string id;
    std::string model;
    std::string text;
    bool cutOff = false;
    bool refused = false;
    bool misfit = false;               // what has no text does not fit in its own way
    std::vector<std::string> pictures; // base64 of PNG, or URLs when `byUrl`
    Usage usage;
};

// Where the parts of a right answer stand (JSON pointers), for the lies; empty: there is none.
struct Places {
    std::string text, usage, finish, list, model;
};

// Threads: every method, from any.
class Wire {
public:
    virtual ~Wire() = default;
    // What a configuration's base_url ends with: "/v1".
    virtual std::string basePath() const = 0;
    // The key that the request carries; empty: none.
    virtual std::string_view keyOf(const WireRequest& request) const = 0;
    // A wrong request gives the answer to it.
    virtual std::variant<Ask, Reply> read(const WireRequest& request) const = 0;
    virtual Reply answer(const Ask& ask, const Product& product) const = 0;
    virtual Reply trouble(Trouble trouble, const std::string& message) const = 0;
    virtual Reply models(const std::vector<std::string>& names) const = 0;
    virtual Places places(const Ask& ask) const = 0;
    // Headers that tell one window's limit; nothing: this protocol has none.
    virtual std::vector<std::pair<std::string, std::string>>
    limitHeaders(LimitUnit unit, std::int64_t limit, std::int64_t remaining, std::int64_t resetNs) const;
};
const Wire& wireOf(ProtocolKind kind);

// For the wires.
Reply jsonReply(const Json& body, int status = 200);
// The pictures' text is put in afterwards: it may be large, and JSON's escaping does not touch it.
Reply jsonReplyWithPictures(const Json& body, const std::vector<std::string>& pictures);
std::string pictureMark(std::size_t index);
// Tokens as a service counts them: never more than a careful client reserves.
std::int64_t countTokens(std::string_view text) noexcept;
inline constexpr std::int64_t kTokensOfPicture = 85;
std::optional<std::pair<int, int>> readSize(std::string_view text); // "1024x768"
std::string resetText(std::int64_t ns);                             // "6m0s", "1.5s", "120ms"
bool endsWith(std::string_view text, std::string_view end) noexcept;
std::string_view bearerOf(const WireRequest& request);
Json embeddingOf(const Ask& ask, std::int64_t index); // numbers from -1 to 1
// Fills words, seed and tokens from the whole of what the model reads.
void setPrompt(Ask& ask, std::string_view prompt, std::string_view everything, std::int64_t pictures);

const Wire& openAiWire();
const Wire& geminiWire();
const Wire& anthropicWire();
const Wire& remoteJobWire();
const Wire& modelServiceWire();

} // namespace aiflow
