// AI services on loopback that behave like the real ones, limits and failures included, and keep a ledger of what they
// saw: for rehearsals and for the tests.
#pragma once

#include "core/api/settings/api_settings.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// How long an answer takes: `median` when sigma is 0, else lognormal with that median; times `speed` of the world.
struct SimulatedLatency {
    std::chrono::milliseconds median{0};
    double sigma = 0;
};

enum class FaultKind : std::uint8_t {
    ThrottleSeconds,   // 429, Retry-After: whole seconds
    ThrottleDecimal,   // 429, Retry-After: decimal seconds
    ThrottleDate,      // 429, Retry-After: an HTTP date
    ThrottleMillis,    // 429, retry-after-ms
    ThrottleReset,     // 429, x-ratelimit-reset-requests: "1s", "6m0s"
    ThrottleBare,      // 429 without a hint
    ThrottleGarbage,   // 429 with nonsense, zero, negative or enormous hints
    ServerError,       // 500 after the work was done (charged)
    Unavailable,       // 503 before any work
    QuotaEmpty,        // insufficient_quota / balance
    KeyRevoked,        // 401 that echoes the key
    ContentRefused,    // the protocol's own way to refuse
    Hang,              // executes, charges, never answers
    ResetBeforeByte,   // executes, charges, closes without a byte
    ResetAfterHeaders, // ... after the headers
    ResetMidBody,      // ... within the body
    ResetAfterBody,    // whole body, then RST
    Misfit,            // well-formed, does not fit the schema
    Fenced,            // the right answer in a code fence with chatter around it
    CutOff,            // ends at the output limit
    Lie,               // one of the lying answers, by `variant`
};
// How many `variant`s FaultKind::Lie has (45 kinds: error inside a 200, HTML, empty, truncated JSON, NaN, depth
// 100,000, BOM, invalid UTF-8, gzip bomb, endless drip, wrong type, unknown status word, wrong image count, expired
// URL, ...).
inline constexpr int kLieVariants = 45;
std::string lieName(int variant);

struct SimulatedFault {
    FaultKind kind = FaultKind::Unavailable;
    // Lie: which. Throttle...: milliseconds that are told, 0 for a second; Garbage: which nonsense. Hang of a remote
    // job: 0 the submit is never answered, 1 the job never ends.
    int variant = 0;
    double probability = 1;                 // of calls that meet the rest of the rule
    std::optional<std::int64_t> firstCalls; // only the first so many calls that it meets
    std::string account;                    // empty: any
    std::string model;                      // empty: any
    std::string contains;                   // only calls whose body contains this text; empty: any
    std::chrono::milliseconds from{0};      // of simulated life since start()
    std::optional<std::chrono::milliseconds> until;
};

struct SimulatedAccount {
    std::string name; // in the ledger
    std::string key;  // what its calls must carry
    LimitSet limits;
    std::string organisation; // limits below
};
struct SimulatedModel {
    std::string name; // as requests name it
    SimulatedLatency latency;
    Price price;
    std::int64_t outputTokens = 200;
    LimitSet limits; // on each account
    int pictureWidth = 512, pictureHeight = 512;
    std::int64_t pictureBytes = 0; // padded to this size; 0: as it comes
    bool picturesByUrl = false;    // the answer names a URL of this server that works once
    bool makesPictures = false;    // a remote job makes pictures even when its request names neither size nor number
};
struct SimulatedService {
    std::string name; // the provider's
    ProtocolKind protocol = ProtocolKind::OpenAi;
    std::vector<SimulatedAccount> accounts;
    std::vector<SimulatedModel> models;
    std::map<std::string, LimitSet> organisations;
    LimitSet limits; // over all accounts
    std::vector<SimulatedFault> faults;
    CapabilityClass capability = CapabilityClass::D; // A: idempotency keys replay; B/C: remote jobs
    bool tellsLimits = false;                        // x-ratelimit-* or anthropic-ratelimit-* headers
};
struct SimulatedWorld {
    std::vector<SimulatedService> services;
    double speed = 1; // latencies and limits' windows are divided by it
    std::uint64_t seed = 1;
    int port = 0;                     // 0: any free
    std::filesystem::path ledgerFile; // every entry is appended as a JSON line as it happens; empty: memory alone
    bool keepEntries = true;          // false: counters and verdicts alone (benches)
};

struct LedgerEntry {
    std::int64_t arrivedNs = 0; // the server's own monotonic clock, when the request was complete
    std::int64_t endedNs = 0;
    std::string service, account, model, path;
    std::string bodyHash;       // of the request
    std::string idempotencyKey; // empty: none
    std::string itemReference;  // the client's reference, where the protocol has one
    int status = 0;
    bool refused = false;  // over a limit
    bool executed = false; // the work was done
    bool charged = false;
    bool paid = false; // a call that can cost (not a poll, a fetch, a probe)
    Usage usage;
    Nanos cost;
    std::string ending;             // "answered", "client closed", "reset by fault", ...
    std::optional<FaultKind> fault; // that the script had for it
};

struct Verdict {
    std::int64_t calls = 0;      // paid ones that arrived
    std::int64_t violations = 0; // arrivals that made any window of any limit too full
    std::int64_t refusals = 0;   // answered 429 for a limit (not by a scripted fault)
    std::int64_t executed = 0;
    // Executions beyond the first at one service of the same idempotency key; of calls without one, of the same item
    // reference; of calls with neither, of the same body.
    std::int64_t paidTwice = 0;
    std::int64_t sameBody = 0; // ... of the same body, whatever it carries: what counts where every item's body differs
    std::int64_t replays = 0;  // answered again by an idempotency key, without work
    std::int64_t early = 0;    // arrivals of an account's model before the time that a 429 told it had passed
    std::int64_t highestConcurrency = 0;
    std::map<std::string, std::int64_t> concurrencyOf; // by account: highest
    std::map<std::string, Nanos> cost;                 // by currency
};

// Limits are judged exactly: a sliding log of arrivals, every position of every window.
// Threads: every method, from any thread. One thread of its own.
class SimulatedProvider {
public:
    static Result<std::unique_ptr<SimulatedProvider>> start(SimulatedWorld world);
    virtual ~SimulatedProvider() = default;

    virtual int port() const = 0;
    // "http://127.0.0.1:PORT/NAME" and what the protocol appends, as `base_url` wants it. Instances of a model service:
    // one for each account, at this and "/NUMBER" from 0 on.
    virtual std::string baseUrl(const std::string& service) const = 0;
    virtual std::vector<LedgerEntry> ledger() const = 0;
    virtual Verdict verdict() const = 0;
    virtual void addFault(const std::string& service, SimulatedFault fault) = 0;
    virtual void clearFaults() = 0;
    virtual std::int64_t open() const = 0;
};

// Simulated services for the user's own settings: their accounts, limits and models, with latencies by kind where no
// option "latency_ms" tells. The second is the same settings made to call them: addresses and keys replaced, scopes
// that no real account shares, and no option that names other paths or fields. Both take settings at life speed:
// scaled() comes last.
SimulatedWorld worldOf(const ApiSettings& settings, double speed, std::uint64_t seed);
ApiSettings redirected(ApiSettings settings, const SimulatedWorld& world, const SimulatedProvider& provider);

} // namespace aiflow
