#include "core/api/decision/limits/limiter.h"

#include <algorithm>

namespace aiflow {
namespace {

// A reservation that is not renewed so long belongs to a process that is gone.
constexpr std::chrono::seconds kReservedLease{20};
constexpr std::chrono::seconds kRenewal{60}; // of a place whose call outlives its time limit
constexpr std::chrono::seconds kFresh{10};   // a grant of another process that tells of its present hunger

Amounts amountsOf(const LimitUse& use, PoolMap& pools)
{
    return {use.requests, use.inputTokens, use.outputTokens, use.images, use.nanos, pools.currency(use.currency)};
}

} // namespace

// Ten times the first wait of a retry: 5 s at life speed.
Limiter::Limiter(const ApiSettings& settings) : m_pools(settings), m_grace(settings.retry.base * 10) {}

Room Limiter::roomFor(std::size_t target, const Amounts& amounts, BootTime now)
{
    Room room;
    for (LimitPool* pool : m_pools.targets()[target].pools) room.also(pool->roomFor(amounts, now));
    return room;
}

void Limiter::changed(std::uint64_t id, Held& held)
{
    if (!held.changed) m_changed.push_back(id);
    held.changed = true;
}

void Limiter::reserve(std::uint64_t id, std::size_t target, const Amounts& amounts, std::chrono::nanoseconds timeout,
                      BootTime now)
{
    Held& held = m_held[id];
    held = {target, amounts, LimitUse::State::Reserved, now, now + kReservedLease, timeout};
    for (LimitPool* pool : m_pools.targets()[target].pools) {
        pool->reserve(amounts);
        pool->take(id, LeaseSet::kUntilFreed);
    }
    m_reservedRenewals.emplace_back(now + kReservedLease / 2, id);
    changed(id, held);
}

void Limiter::onWire(std::uint64_t id, BootTime now)
{
    const auto place = m_held.find(id);
    if (place == m_held.end() || place->second.state != LimitUse::State::Reserved) return;
    Held& held = place->second;
    for (LimitPool* pool : m_pools.targets()[held.target].pools) pool->wire(held.amounts, now);
    held.state = LimitUse::State::Sent;
    held.at = now;
    held.openUntil = now + held.timeout + m_grace;
    m_sentRenewals.emplace(held.openUntil - m_grace, id);
    changed(id, held);
}

void Limiter::settle(std::uint64_t id, const Amounts& real)
{
    const auto place = m_held.find(id);
    if (place == m_held.end() || place->second.state != LimitUse::State::Sent || !place->second.windows) return;
    Held& held = place->second;
    if (held.amounts == real) return;
    for (LimitPool* pool : m_pools.targets()[held.target].pools) pool->change(held.amounts, real, held.at);
    held.amounts = real;
    changed(id, held);
}

void Limiter::finish(std::uint64_t id, BootTime placeUntil, BootTime now)
{
    const auto place = m_held.find(id);
    if (place == m_held.end() || place->second.finished) return;
    Held& held = place->second;
    held.finished = true;
    held.openUntil = placeUntil;
    if (placeUntil <= now) held.state = LimitUse::State::Done;
    for (LimitPool* pool : m_pools.targets()[held.target].pools) {
        if (placeUntil <= now)
            pool->free(id);
        else
            pool->take(id, placeUntil);
    }
    changed(id, held);
}

void Limiter::release(std::uint64_t id)
{
    const auto place = m_held.find(id);
    if (place == m_held.end() || place->second.finished) return;
    Held& held = place->second;
    for (LimitPool* pool : m_pools.targets()[held.target].pools) {
        if (held.state == LimitUse::State::Reserved)
            pool->cancel(held.amounts);
        else if (held.windows)
            pool->change(held.amounts, {.currency = held.amounts.currency}, held.at);
        pool->free(id);
    }
    held.finished = true;
    held.state = LimitUse::State::Released;
    changed(id, held);
}

void Limiter::adopt(std::uint64_t id, std::size_t target, std::chrono::nanoseconds timeout, BootTime now)
{
    Held& held = m_held[id];
    held = {target, {}, LimitUse::State::Sent, now, now + timeout + m_grace, timeout, false};
    for (LimitPool* pool : m_pools.targets()[target].pools) pool->take(id, LeaseSet::kUntilFreed);
    m_sentRenewals.emplace(held.openUntil - m_grace, id);
    changed(id, held);
}

LimitUse Limiter::useOf(std::uint64_t id) const
{
    const Held& held = m_held.at(id);
    const Target& target = m_pools.targets()[held.target];
    const AccountSettings& account = m_pools.accountOf(target);
    LimitUse use;
    use.id = id;
    use.state = held.state;
    use.scope = m_pools.scopeOf(target.key);
    use.organisation = account.organisation;
    use.provider = m_pools.settings().providers[target.provider].name;
    use.model = m_pools.settings().models[target.model].name;
    use.at = held.at;
    use.openUntil = held.openUntil;
    use.requests = held.amounts.requests;
    use.inputTokens = held.amounts.inputTokens;
    use.outputTokens = held.amounts.outputTokens;
    use.images = held.amounts.images;
    use.nanos = held.amounts.nanos;
    use.currency = m_pools.currencyName(held.amounts.currency);
    return use;
}

bool Limiter::learn(const LimitUse& use, BootTime now)
{
    if (m_held.contains(use.id)) return false;
    const bool isNew = m_others.learn(use, amountsOf(use, m_pools), m_pools.poolsOf(use), now);
    return isNew && use.state != LimitUse::State::Released && use.at > now - kFresh;
}

std::vector<LimitUse> Limiter::takeChanges()
{
    std::vector<LimitUse> uses;
    uses.reserve(m_changed.size());
    for (const std::uint64_t id : m_changed) {
        uses.push_back(useOf(id));
        Held& held = m_held.at(id);
        held.changed = false;
        if (held.finished) m_held.erase(id);
    }
    m_changed.clear();
    return uses;
}

void Limiter::renewReserved(BootTime now)
{
    while (!m_reservedRenewals.empty()) {
        const auto [due, id] = m_reservedRenewals.front();
        const auto place = m_held.find(id);
        const bool waits = place != m_held.end() && place->second.state == LimitUse::State::Reserved;
        if (waits && due > now) return;
        m_reservedRenewals.pop_front();
        if (!waits) continue;
        place->second.openUntil = now + kReservedLease;
        m_reservedRenewals.emplace_back(now + kReservedLease / 2, id);
        changed(id, place->second);
    }
}

void Limiter::renewSent(BootTime now)
{
    while (!m_sentRenewals.empty()) {
        const auto [due, id] = m_sentRenewals.top();
        const auto place = m_held.find(id);
        const bool open = place != m_held.end() && !place->second.finished;
        if (open && due > now) return;
        m_sentRenewals.pop();
        if (!open) continue;
        place->second.openUntil = now + kRenewal + m_grace;
        m_sentRenewals.emplace(now + kRenewal, id);
        changed(id, place->second);
    }
}

std::optional<BootTime> Limiter::tick(BootTime now)
{
    renewReserved(now);
    renewSent(now);
    std::optional<BootTime> next = m_others.tick(now);
    const auto also = [&next](BootTime time) { next = next ? std::min(*next, time) : time; };
    if (!m_reservedRenewals.empty()) also(m_reservedRenewals.front().first);
    if (!m_sentRenewals.empty()) also(m_sentRenewals.top().first);
    return next;
}

} // namespace aiflow
