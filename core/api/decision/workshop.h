// The parts that a decision is made of, side by side.
#pragma once

#include "core/api/decision/health/health.h"
#include "core/api/decision/health/ramp.h"
#include "core/api/decision/health/retry_budget.h"
#include "core/api/decision/limits/fair_share.h"
#include "core/api/decision/limits/learnt_limits.h"
#include "core/api/decision/limits/limiter.h"
#include "core/api/decision/limits/spending.h"
#include "core/api/decision/route_book.h"

#include <algorithm>
#include <vector>

namespace aiflow {

// How long models take to answer, as of late: a mean in which the latest answer has an eighth.
class Latencies {
public:
    Latencies(std::size_t targets, std::size_t models) : m_targets(targets), m_models(models) {}
    void answered(std::size_t target, std::size_t model, std::chrono::nanoseconds latency)
    {
        mix(m_targets[target], latency.count());
        mix(m_models[model], latency.count());
    }
    // 0: not known yet.
    std::int64_t target(std::size_t index) const { return m_targets[index]; }
    std::int64_t model(std::size_t index) const { return m_models[index]; }

private:
    static void mix(std::int64_t& mean, std::int64_t latest) { mean = mean == 0 ? latest : mean + (latest - mean) / 8; }
    std::vector<std::int64_t> m_targets, m_models;
};

// A retry must be within the budgets of its account and of its provider as a whole.
class RetryBudgets {
public:
    RetryBudgets(const ApiSettings& settings, const PoolMap& pools)
        : m_keys(pools.keys(), RetryBudget(settings.retry)),
          m_providers(settings.providers.size(), RetryBudget(settings.retry))
    {
    }
    BootTime mayRetry(const Target& target, BootTime now)
    {
        return std::max(m_keys[target.key].mayRetry(now), m_providers[target.provider].mayRetry(now));
    }
    void sent(const Target& target, bool retry, BootTime now)
    {
        for (RetryBudget* budget : {&m_keys[target.key], &m_providers[target.provider]})
            retry ? budget->retried(now) : budget->first(now);
    }

private:
    std::vector<RetryBudget> m_keys, m_providers;
};

struct Workshop {
    explicit Workshop(const DispatcherParts& parts)
        : settings(parts.settings), random(parts.random), routes(settings), limiter(settings), learnt(limiter.pools()),
          health(settings, limiter.pools(), random), spending(settings.budgets),
          policy(settings.retry, settings.unknown), budgets(settings, limiter.pools()),
          latencies(limiter.pools().targets().size(), settings.models.size()), open(limiter.pools().keys(), 0),
          ramps(limiter.pools().keys())
    {
    }
    // Whether nobody told how much an account bears. Our own servers queue what is too much.
    bool unlimited(const Target& it) const
    {
        return settings.providers[it.provider].protocol != ProtocolKind::ModelService &&
               std::ranges::none_of(it.pools, [](const LimitPool* pool) { return pool->limitsRequests(); });
    }
    const Target& target(std::size_t index) const { return limiter.pools().targets()[index]; }
    // "openai/gpt-image on openai/main".
    std::string placeOf(std::size_t index) const
    {
        const Target& it = target(index);
        return settings.providers[it.provider].name + '/' + settings.models[it.model].name + " on " +
               limiter.pools().accountOf(it).name;
    }

    const ApiSettings& settings;
    Random& random;
    RouteBook routes;
    Limiter limiter;
    LearntLimits learnt;
    Health health;
    Spending spending;
    RetryRules policy;
    FairShare fair;
    RetryBudgets budgets;
    Latencies latencies;
    std::vector<std::int64_t> open; // calls, by account of all
    std::vector<Ramp> ramps;        // likewise
};

} // namespace aiflow
