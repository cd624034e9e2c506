// Whether accounts and their models can be called at all: pauses that a provider asked for, breakers, benched keys.
#pragma once

#include "core/api/decision/dispatcher.h"
#include "core/api/decision/health/breaker.h"
#include "core/api/decision/health/retry_policy.h"
#include "core/api/decision/limits/pool_map.h"

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aiflow {

// When a call may pass, and why not now.
struct Gate {
    BootTime at = BootTime::min();
    bool out = false; // down, benched or used up: not merely its rhythm
    Reason reason = Reason::ProviderRateLimited;
};

class Health {
public:
    Health(const ApiSettings& settings, const PoolMap& pools, Random& random);

    Gate gate(std::size_t target, BootTime now) const;
    // True: the call is a probe.
    bool sent(std::size_t target, std::uint64_t attempt, BootTime deadline, BootTime now);
    struct Ending {
        std::size_t target = 0;
        std::uint64_t attempt = 0;
        BootTime sentAt{};
        const Failure* failure = nullptr; // none: answered
        bool counts = true;               // false: says nothing about the provider
    };
    // True: it was refused for a limit in a way that calls for going slower.
    bool ended(const Ending& ending, BootTime now);

    // Whether the target answered a call since then.
    bool answeredSince(std::size_t target, BootTime time) const { return m_targets[target].answered > time; }
    // What happened there last: "503 Service Unavailable".
    const std::string& detailOf(std::size_t target) const;
    std::string_view stateOf(std::size_t key, BootTime now, std::optional<BootTime>& until) const;

    // Changes since the last call, each told once for all calls of a provider.
    void tell(std::vector<PauseNotice>& notices, BootTime now);
    // Pauses of other processes, and for them.
    void learn(const LimitNotice& notice, BootTime now);
    void takeNotices(std::vector<LimitNotice>& notices);

private:
    struct Pause {
        BootTime until = BootTime::min();
        BootTime began = BootTime::min(); // of the incident: refusals of earlier calls belong to it
        int inRow = 0;
    };
    struct TargetHealth {
        explicit TargetHealth(const BreakerSettings& settings) : breaker(settings) {}
        Breaker breaker;
        Pause pause;
        BootTime answered = BootTime::min();
        Reason reason = Reason::ProviderOutage;
        std::string detail;
        bool used = false;
    };
    // A model at its provider, whatever the account: when calls of several accounts fail in a row, it is not the keys.
    struct EndpointHealth {
        explicit EndpointHealth(const BreakerSettings& settings) : breaker(settings) {}
        Breaker breaker;
        int inRow = 0;
        std::set<std::size_t> keys; // that failed in the row
    };
    struct KeyHealth {
        explicit KeyHealth(const BreakerSettings& benching) : bench(benching) {}
        Breaker bench; // opened by the first refusal of the key; one probe at a time
        Pause pause;
        Reason reason = Reason::ProviderAuth;
        std::string detail;
        bool told = false;
    };
    struct ProviderHealth {
        std::vector<std::size_t> keys;
        bool told = false;
    };
    struct Out { // of a key as a whole
        Reason reason;
        const std::string* detail;
        std::optional<BootTime> until;
    };

    bool throttled(const Ending& ending, BootTime now);
    void failed(const Ending& ending, BootTime now);
    void answered(const Ending& ending, BootTime now);
    bool endpointAnswered(const Ending& ending, BootTime now);
    bool endpointFailed(const Ending& ending, BootTime now);
    EndpointHealth& endpointOf(std::size_t target) { return m_endpoints[m_pools->targets()[target].model]; }
    bool isOpen(std::size_t target) const;
    static bool comesBackBefore(const Out& one, const Out& other);
    std::optional<Out> outOf(std::size_t key, BootTime now) const;
    void tellProvider(std::size_t provider, std::vector<PauseNotice>& notices, BootTime now);
    PauseNotice noticeOf(std::size_t provider, std::size_t key, const Out& out) const;
    std::string accountName(std::size_t provider, std::size_t key) const;

    const ApiSettings* m_settings;
    const PoolMap* m_pools;
    Random* m_random;
    RetryRules m_policy;
    BreakerSettings m_benching;
    std::vector<TargetHealth> m_targets;
    std::vector<EndpointHealth> m_endpoints; // by model
    std::vector<KeyHealth> m_keys;
    std::vector<std::vector<std::size_t>> m_targetsOf; // of a key
    std::vector<ProviderHealth> m_providers;
    bool m_changed = false;
    std::vector<LimitNotice> m_notices;
};

} // namespace aiflow
