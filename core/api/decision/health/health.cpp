#include "core/api/decision/health/health.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace aiflow {
namespace {

constexpr std::chrono::hours kLongestTold{24 * 366}; // what time can hold, not what we would wait
constexpr std::string_view kPause = "pause";

// A key that was refused is tried again after 5 minutes at life speed, then ever more rarely, hourly at last.
BreakerSettings benching(const BreakerSettings& settings)
{
    BreakerSettings bench = settings;
    bench.failures = 1;
    bench.minimumCalls = std::numeric_limits<int>::max();
    bench.firstPause = settings.longestPause * 5;
    bench.longestPause = settings.longestPause * 60;
    bench.probes = 1;
    return bench;
}

bool isAnswer(FailureClass failure)
{
    using enum FailureClass;
    return failure == ContentRefused || failure == BadRequest || failure == TooLarge || failure == CutOff ||
           failure == Misfit || failure == JobFailed;
}

std::string detailOfFailure(const Failure& failure)
{
    const std::string what = failure.message.empty() ? std::string(nameOf(failure.failure)) : failure.message;
    const std::string status = std::to_string(failure.status);
    return failure.status == 0 || what.starts_with("HTTP " + status) ? what : status + ' ' + what;
}

} // namespace

Health::Health(const ApiSettings& settings, const PoolMap& pools, Random& random)
    : m_settings(&settings), m_pools(&pools), m_random(&random), m_policy(settings.retry, settings.unknown),
      m_benching(benching(settings.breaker)), m_targetsOf(pools.keys()), m_providers(settings.providers.size())
{
    for (std::size_t model = 0; model < settings.models.size(); ++model) m_endpoints.emplace_back(settings.breaker);
    for (std::size_t key = 0; key < pools.keys(); ++key) m_keys.emplace_back(m_benching);
    for (std::size_t i = 0; i < pools.targets().size(); ++i) {
        const Target& target = pools.targets()[i];
        m_targets.emplace_back(settings.breaker);
        m_targetsOf[target.key].push_back(i);
    }
    std::size_t key = 0;
    for (std::size_t provider = 0; provider < settings.providers.size(); ++provider)
        for (std::size_t i = 0; i < settings.providers[provider].accounts.size(); ++i)
            m_providers[provider].keys.push_back(key++);
}

Gate Health::gate(std::size_t target, BootTime now) const
{
    const TargetHealth& model = m_targets[target];
    const KeyHealth& key = m_keys[m_pools->targets()[target].key];
    Gate gate;
    if (!key.bench.closed()) {
        gate = {key.bench.mayPass(now), true, key.reason};
        if (gate.at > now) return gate;
    }
    const Breaker& endpoint = m_endpoints[m_pools->targets()[target].model].breaker;
    for (const Breaker* breaker : {&endpoint, &model.breaker}) {
        if (breaker->closed()) continue;
        gate = {breaker->mayPass(now), true, model.reason};
        if (gate.at > now) return gate;
    }
    const BootTime pause = std::max(key.pause.until, model.pause.until);
    if (pause > now) return {pause, pause - now > m_settings->breaker.longestPause, Reason::ProviderRateLimited};
    return gate;
}

bool Health::sent(std::size_t target, std::uint64_t attempt, BootTime deadline, BootTime now)
{
    TargetHealth& model = m_targets[target];
    model.used = true;
    const bool probesModel = model.breaker.pass(attempt, deadline, now);
    const bool probesEndpoint = endpointOf(target).breaker.pass(attempt, deadline, now);
    const bool probesKey = m_keys[m_pools->targets()[target].key].bench.pass(attempt, deadline, now);
    return probesModel || probesEndpoint || probesKey;
}

bool Health::ended(const Ending& ending, BootTime now)
{
    TargetHealth& model = m_targets[ending.target];
    KeyHealth& key = m_keys[m_pools->targets()[ending.target].key];
    if (!ending.counts) {
        model.breaker.neither(ending.attempt);
        endpointOf(ending.target).breaker.neither(ending.attempt);
        key.bench.neither(ending.attempt);
        return false;
    }
    if (!ending.failure || isAnswer(ending.failure->failure)) {
        answered(ending, now);
        return false;
    }
    if (ending.failure->failure == FailureClass::Throttled) return throttled(ending, now);
    failed(ending, now);
    return false;
}

bool Health::endpointAnswered(const Ending& ending, BootTime now)
{
    EndpointHealth& endpoint = endpointOf(ending.target);
    endpoint.inRow = 0;
    endpoint.keys.clear();
    if (!endpoint.breaker.succeeded(ending.attempt, now) || !endpoint.breaker.closed()) return false;
    for (const std::size_t other : m_pools->of(m_pools->targets()[ending.target].model))
        m_targets[other].breaker.wake(now);
    return true;
}

bool Health::endpointFailed(const Ending& ending, BootTime now)
{
    EndpointHealth& endpoint = endpointOf(ending.target);
    if (!endpoint.breaker.closed()) return endpoint.breaker.failed(ending.attempt, now);
    ++endpoint.inRow;
    endpoint.keys.insert(m_pools->targets()[ending.target].key);
    if (endpoint.inRow < m_settings->breaker.failures || endpoint.keys.size() < 2) return false;
    endpoint.breaker.trip(now);
    for (const std::size_t other : m_pools->of(m_pools->targets()[ending.target].model)) {
        m_targets[other].reason = m_targets[ending.target].reason;
        m_targets[other].detail = m_targets[ending.target].detail;
    }
    return true;
}

void Health::answered(const Ending& ending, BootTime now)
{
    TargetHealth& model = m_targets[ending.target];
    KeyHealth& key = m_keys[m_pools->targets()[ending.target].key];
    model.answered = now;
    m_changed |= model.breaker.succeeded(ending.attempt, now);
    m_changed |= endpointAnswered(ending, now);
    m_changed |= key.bench.succeeded(ending.attempt, now);
    if (ending.sentAt >= model.pause.until) model.pause.inRow = 0;
    if (ending.sentAt >= key.pause.until) key.pause.inRow = 0;
}

void Health::failed(const Ending& ending, BootTime now)
{
    TargetHealth& model = m_targets[ending.target];
    KeyHealth& key = m_keys[m_pools->targets()[ending.target].key];
    const Failure& failure = *ending.failure;
    const bool keyOut = failure.failure == FailureClass::QuotaExhausted || failure.failure == FailureClass::KeyRefused;
    const bool ofModel = !keyOut || failure.modelOnly;
    (ofModel ? model.reason : key.reason) = reasonOf(failure.failure);
    (ofModel ? model.detail : key.detail) = detailOfFailure(failure);
    if (!keyOut) {
        m_changed |= model.breaker.failed(ending.attempt, now);
        m_changed |= endpointFailed(ending, now);
        key.bench.neither(ending.attempt);
        return;
    }
    endpointOf(ending.target).breaker.neither(ending.attempt);
    if (failure.modelOnly) {
        if (model.breaker.closed())
            model.breaker.trip(now);
        else
            model.breaker.failed(ending.attempt, now);
        key.bench.neither(ending.attempt);
        m_changed = true;
    } else {
        model.breaker.neither(ending.attempt);
        m_changed |= key.bench.failed(ending.attempt, now);
    }
}

bool Health::throttled(const Ending& ending, BootTime now)
{
    TargetHealth& model = m_targets[ending.target];
    KeyHealth& key = m_keys[m_pools->targets()[ending.target].key];
    const Failure& failure = *ending.failure;
    // Somebody is there: that ends a probe well.
    m_changed |= model.breaker.succeeded(ending.attempt, now);
    m_changed |= endpointAnswered(ending, now);
    key.bench.neither(ending.attempt);

    Pause& pause = failure.modelOnly ? model.pause : key.pause;
    (failure.modelOnly ? model.detail : key.detail) = detailOfFailure(failure);
    const bool newIncident = ending.sentAt >= pause.began;
    if (newIncident) {
        ++pause.inRow;
        pause.began = now;
    }
    const bool told = failure.retryAfter && failure.retryAfter->count() > 0;
    std::chrono::nanoseconds wait = m_policy.ceilingOf(pause.inRow) / 2 + m_policy.backoff(pause.inRow, *m_random) / 2;
    if (told) wait = std::min<std::chrono::milliseconds>(*failure.retryAfter, kLongestTold);
    pause.until = std::max(pause.until, now + wait);
    const Target& target = m_pools->targets()[ending.target];
    m_notices.push_back({m_pools->scopeOf(target.key),
                         failure.modelOnly ? m_settings->models[target.model].name : std::string(), std::string(kPause),
                         0, pause.until});
    m_changed = true;
    return newIncident && (!told || pause.inRow > 1);
}

void Health::learn(const LimitNotice& notice, BootTime now)
{
    if (notice.kind != kPause || notice.until <= now) return;
    for (std::size_t i = 0; i < m_targets.size(); ++i) {
        const Target& target = m_pools->targets()[i];
        if (m_pools->scopeOf(target.key) != notice.scope) continue;
        if (!notice.model.empty() && m_settings->models[target.model].name != notice.model) continue;
        Pause& pause = notice.model.empty() ? m_keys[target.key].pause : m_targets[i].pause;
        pause.until = std::max(pause.until, notice.until);
        m_changed = true;
    }
}

void Health::takeNotices(std::vector<LimitNotice>& notices)
{
    notices.insert(notices.end(), m_notices.begin(), m_notices.end());
    m_notices.clear();
}

const std::string& Health::detailOf(std::size_t target) const
{
    const KeyHealth& key = m_keys[m_pools->targets()[target].key];
    return key.bench.closed() && !m_targets[target].detail.empty() ? m_targets[target].detail : key.detail;
}

} // namespace aiflow
