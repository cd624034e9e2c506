#include "core/api/decision/health/health.h"

#include <algorithm>
#include <utility>

namespace aiflow {

// A refused key comes back by somebody's hand, which may be never.
bool Health::comesBackBefore(const Out& one, const Out& other)
{
    const auto rank = [](const Out& out) {
        return std::pair(out.reason == Reason::ProviderAuth, out.until.value_or(BootTime::min()));
    };
    return rank(one) < rank(other);
}

std::optional<Health::Out> Health::outOf(std::size_t key, BootTime now) const
{
    const KeyHealth& it = m_keys[key];
    const auto until = [now](BootTime time) {
        return time > now && time != BootTime::max() ? std::optional(time) : std::nullopt;
    };
    if (!it.bench.closed()) return Out{it.reason, &it.detail, until(it.bench.mayPass(now))};
    // Short pauses are everyday life and not worth a word.
    if (it.pause.until > now && it.pause.until - now > m_settings->breaker.firstPause)
        return Out{Reason::ProviderRateLimited, &it.detail, it.pause.until};
    if (it.told && it.pause.until > now) return Out{Reason::ProviderRateLimited, &it.detail, it.pause.until};
    std::optional<std::size_t> open;
    for (const std::size_t target : m_targetsOf[key]) {
        if (isOpen(target))
            open = target;
        else if (m_targets[target].used)
            return std::nullopt;
    }
    if (!open) return std::nullopt;
    const Breaker& endpoint = m_endpoints[m_pools->targets()[*open].model].breaker;
    return Out{m_targets[*open].reason, &m_targets[*open].detail,
               until(std::max(endpoint.mayPass(now), m_targets[*open].breaker.mayPass(now)))};
}

bool Health::isOpen(std::size_t target) const
{
    return !m_targets[target].breaker.closed() || !m_endpoints[m_pools->targets()[target].model].breaker.closed();
}

std::string Health::accountName(std::size_t provider, std::size_t key) const
{
    const auto& keys = m_providers[provider].keys;
    const auto place = std::ranges::find(keys, key);
    return m_settings->providers[provider].accounts[static_cast<std::size_t>(place - keys.begin())].name;
}

PauseNotice Health::noticeOf(std::size_t provider, std::size_t key, const Out& out) const
{
    return {
        m_settings->providers[provider].name, accountName(provider, key), true, out.reason, *out.detail, out.until, 0};
}

void Health::tell(std::vector<PauseNotice>& notices, BootTime now)
{
    const bool anyTold = std::ranges::any_of(m_keys, [](const KeyHealth& key) { return key.told; });
    if (!m_changed && !anyTold) return;
    m_changed = false;
    for (std::size_t provider = 0; provider < m_providers.size(); ++provider) tellProvider(provider, notices, now);
}

void Health::tellProvider(std::size_t provider, std::vector<PauseNotice>& notices, BootTime now)
{
    ProviderHealth& it = m_providers[provider];
    if (it.keys.empty()) return;
    std::vector<PauseNotice> changes;
    std::size_t outs = 0;
    std::optional<Out> first; // to come back: what the whole provider waits for
    for (const std::size_t key : it.keys) {
        const std::optional<Out> out = outOf(key, now);
        outs += out ? 1 : 0;
        if (out && (!first || comesBackBefore(*out, *first))) first = out;
        if (out.has_value() == m_keys[key].told) continue;
        m_keys[key].told = out.has_value();
        PauseNotice change = out ? noticeOf(provider, key, *out) : PauseNotice{};
        change.provider = m_settings->providers[provider].name;
        change.account = accountName(provider, key);
        change.paused = out.has_value();
        changes.push_back(std::move(change));
    }
    const bool all = outs == it.keys.size();
    if (all && !it.told) {
        PauseNotice whole = noticeOf(provider, it.keys.front(), *first);
        if (it.keys.size() > 1) whole.account.clear();
        notices.push_back(std::move(whole));
    } else if (!all && it.told) {
        PauseNotice whole;
        whole.provider = m_settings->providers[provider].name;
        if (it.keys.size() == 1) whole.account = accountName(provider, it.keys.front());
        whole.paused = false;
        notices.push_back(std::move(whole));
        for (const std::size_t key : it.keys)
            if (const std::optional<Out> out = outOf(key, now)) notices.push_back(noticeOf(provider, key, *out));
    } else if (!all) {
        notices.insert(notices.end(), changes.begin(), changes.end());
    }
    it.told = all;
}

std::string_view Health::stateOf(std::size_t key, BootTime now, std::optional<BootTime>& until) const
{
    const KeyHealth& it = m_keys[key];
    const std::optional<Out> out = outOf(key, now);
    if (out) until = out->until;
    if (!it.bench.closed()) return out && out->until ? "benched" : "probing";
    if (out) return out->until ? "paused" : "probing";
    if (it.pause.until > now) {
        until = it.pause.until;
        return "paused";
    }
    return "ok";
}

} // namespace aiflow
