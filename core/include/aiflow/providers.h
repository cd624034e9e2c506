// The cli's view of remote services: who is configured, with which keys, limits, models, prices and routes; and whether
// the keys work.
#pragma once

#include "aiflow/engine.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

enum class KeyState : std::uint8_t { NotNeeded, Found, Missing };

struct ProviderAccountLine {
    std::string name;      // "openai/main"
    std::string keySource; // "env:OPENAI_API_KEY"; the key itself is never shown
    KeyState key = KeyState::NotNeeded;
    std::optional<Error> problem; // of a missing key: what is wrong and the way out
    std::string limits;           // "60 requests/min, 8 at once"; empty: none
    std::string organisation;     // whose limit it shares; empty: none
    std::string baseUrl;          // of one instance of a model service; empty: the provider's
};

struct ProviderLine {
    std::string name;
    std::string title;
    std::string protocol; // "openai", "remote-job"
    std::string baseUrl;
    std::string afterCrash; // what becomes of calls that are open at a crash, one sentence
    std::string limits;     // over all its accounts; empty: none
    std::vector<ProviderAccountLine> accounts;
};

struct ApiModelLine {
    std::string name;
    std::string provider;
    std::string remoteName;
    std::string price; // "0.15 USD/M in, 0.60 USD/M out"; "unknown" when the configuration names none
    std::int64_t contextTokens = 0;
    std::int64_t maxOutputTokens = 0;
    std::string limits; // on each account; empty: none
};

struct RouteLine {
    std::string name;
    std::string kind;                // "text", "image", "embedding", "model"
    std::vector<std::string> models; // in order of preference
    std::string rule;                // "in this order", "80 : 20", "5 % of items go to the last first"
};

struct ProviderList {
    std::vector<ProviderLine> providers;
    std::vector<ApiModelLine> models;
    std::vector<RouteLine> routes;
    std::vector<std::string> organisations; // "acme: 500 requests/min"
    bool offline = false;                   // the configuration says that nothing is called
};

// Reads the configuration; calls nobody. Errors: ConfigInvalid.
Result<ProviderList> listProviders(const Surroundings& surroundings);

enum class AccountVerdict : std::uint8_t {
    Good,
    KeyMissing,
    KeyRefused,
    QuotaEmpty,
    RateLimited,
    CannotConnect, // name, address, port
    TlsFailed,
    WrongAddress, // something answers, but not this service
    Outage,
    TimedOut,
};

struct AccountTest {
    std::string account; // "openai/main"
    AccountVerdict verdict = AccountVerdict::Good;
    std::string sentence; // one line: what is so; without the account's name
    std::string hint;     // the way out; empty when good
    std::chrono::milliseconds latency{0};
};

// Makes the cheapest call there is with every account's key, all at once, at most 15 s each. `provider`: only that one.
// `told` gets every verdict as it comes, on the calling thread. Errors: ConfigInvalid; UsageInvalid for an unknown
// name.
Result<std::vector<AccountTest>> testProviders(const Surroundings& surroundings,
                                               const std::optional<std::string>& provider,
                                               const std::function<void(const AccountTest&)>& told = {});

// 0 when every account is good, 4 when a key is missing or refused, else 5.
int exitCodeOf(const std::vector<AccountTest>& tests) noexcept;

} // namespace aiflow
