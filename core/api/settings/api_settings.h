// Who may be called, with which keys, how often and for how much: the checked form of the configuration.
#pragma once

#include "aiflow/result.h"
#include "core/api/settings/money.h"
#include "core/base/json_fwd.h"
#include "core/base/secret.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

enum class ProtocolKind : std::uint8_t { OpenAi, Gemini, Anthropic, RemoteJob, ModelService, Offline };
enum class RouteKind : std::uint8_t { Text, Image, Embedding, Model };
// What survives a lost answer (reliability.md 2.3).
enum class CapabilityClass : std::uint8_t {
    A, // an idempotency key is honoured, the answer is replayed
    B, // a remote job that can be found by our own reference
    C, // a remote job with the server's id alone
    D, // nothing: one POST, one answer
};

enum class LimitUnit : std::uint8_t { Requests, InputTokens, OutputTokens, TotalTokens, Images, Money };
// A count and a window: at most `count` (Money: nanos) in any span of `window`.
struct WindowLimit {
    LimitUnit unit = LimitUnit::Requests;
    std::int64_t count = 0;
    std::chrono::milliseconds window{60'000};
    friend bool operator==(const WindowLimit&, const WindowLimit&) = default;
};
struct LimitSet {
    std::vector<WindowLimit> windows;
    std::optional<std::int64_t> concurrency; // open calls at once
    std::string currency;                    // of the windows that count money
    bool empty() const noexcept { return windows.empty() && !concurrency; }
};

struct AccountSettings {
    std::string name; // "openai/main": what people see
    // The same for every process and workspace that uses this key at this host: host, "#", 16 digits of the key's hash.
    std::string scope;
    std::string keySource;             // "env:NAME" or "file:PATH"; empty: the service wants no key
    std::shared_ptr<const Secret> key; // null: without a key, or not loaded
    LimitSet limits;
    std::string organisation; // empty: none
    std::string baseUrl;      // of one instance of a model service; empty: the provider's
    double weight = 1;
};

struct ProviderSettings {
    std::string name;
    std::string title;
    ProtocolKind protocol = ProtocolKind::OpenAi;
    CapabilityClass capability = CapabilityClass::D;
    std::string baseUrl; // without a slash at its end
    // At least one; a service without keys has "default", a model service one per instance.
    std::vector<AccountSettings> accounts;
    LimitSet limits;                      // over all its accounts together
    std::chrono::milliseconds timeout{0}; // of a whole call; 0: the protocol's default
    std::filesystem::path caFile;         // a private authority, beside the system's
    std::string proxy;                    // explicit; empty: none, whatever the environment says
    std::string httpVersion;              // "", "1.1", "2"
    std::vector<std::string> fetchHosts;  // "host" or "host:port": answers may name files there even if it is private
    std::map<std::string, std::string> headers; // constant, no secrets
    std::shared_ptr<const Json> options;        // what the protocol alone understands; an object
};

struct ApiModel {
    std::string name;     // in routes and records
    std::size_t provider; // index
    std::string remoteName;
    Price price;
    std::int64_t contextTokens = 0;      // 0: unknown
    std::int64_t maxOutputTokens = 4096; // every request names a maximum
    std::chrono::milliseconds timeout{0};
    LimitSet limits; // of this model, on each account
    std::shared_ptr<const Json> options;
};

struct RouteChoice {
    std::size_t model; // index
    double weight = 1; // in a weighted route
};
struct RouteSettings {
    std::string name;
    RouteKind kind = RouteKind::Text;
    std::vector<RouteChoice> choices; // in order of preference
    bool weighted = false;            // spread by weight, the rest as fallback; else the first that can
    double canaryPercent = 0;         // of items go to the last choice first
    bool stickyByItem = true;
    // The canary becomes the first choice when its error rate over `canaryCalls` calls is no worse than the first's
    // plus `canaryTolerance`; it is taken out when it is worse.
    std::int64_t canaryCalls = 50;
    double canaryTolerance = 0.05;
};

struct OrganisationSettings {
    std::string name;
    LimitSet limits;
};

// Money that is never exceeded.
struct BudgetSettings {
    std::optional<Money> perCall, perItem, perJob, perDay, perMonth;
};

// Reliability.md 2.7; every duration shrinks with scaled().
struct RetrySettings {
    std::chrono::milliseconds base{500};
    std::chrono::milliseconds cap{60'000};
    int attempts = 4;          // of a task, those that the provider told us to repeat not counted
    double budgetShare = 0.10; // retries per first attempt in the budget's window
    std::int64_t budgetFloor = 10;
    std::chrono::milliseconds budgetWindow{300'000};
    int reasks = 2; // after an answer that does not fit
};
struct BreakerSettings {
    int failures = 5;          // in a row, or ...
    double failureShare = 0.5; // ... this share of at least `minimumCalls` within `window`
    int minimumCalls = 10;
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds firstPause{10'000}; // doubled while probes fail ...
    std::chrono::milliseconds longestPause{60'000};
    int probes = 3; // at once, when it opens a little
};
enum class UnknownPolicy : std::uint8_t { RetryOnce, Ask, Fail };
struct UnknownSettings {
    UnknownPolicy policy = UnknownPolicy::RetryOnce;
    double ceilingPerCall = 0.05; // in the model's currency; above it: Ask
};

struct ApiSettings {
    std::vector<ProviderSettings> providers;
    std::vector<OrganisationSettings> organisations;
    std::vector<ApiModel> models;
    std::vector<RouteSettings> routes;
    BudgetSettings budgets;
    RetrySettings retry;
    BreakerSettings breaker;
    UnknownSettings unknown;

    const RouteSettings* findRoute(std::string_view name) const noexcept;
    const ProviderSettings& providerOf(std::size_t model) const { return providers[models[model].provider]; }
};

struct SettingsReading {
    bool loadKeys = true;            // false: sources are kept, nothing is read (plan, config show)
    std::optional<std::string> only; // keys of this provider alone
    std::vector<Error>* missing =
        nullptr; // given: keys that cannot be loaded are told here and their accounts left out
};
// Reads "providers", "organisations", "models", "routes", "budgets", "retry" of a merged configuration (any of them may
// be absent). `origins` names file and line of values ("providers.openai.base_url" -> "aiflow.yaml:12").
// Presets: a provider whose name is a shipped one (openai, gemini, anthropic, qwen, deepseek, vllm, ollama) and that
// leaves out protocol or base_url gets them from `presets` (an object of the same shape).
// Errors: ConfigInvalid naming place and way out; ProviderAuth for a key that cannot be loaded.
Result<ApiSettings> readApiSettings(const Json& values, const Json& presets,
                                    const std::map<std::string, std::string>& origins, const SettingsReading& reading);

// The same world at `speed` times life speed: every duration, and every limit's window, divided by it.
ApiSettings scaled(ApiSettings settings, double speed);

} // namespace aiflow
