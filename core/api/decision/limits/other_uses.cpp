#include "core/api/decision/limits/other_uses.h"

#include <algorithm>

namespace aiflow {
namespace {

// A state that was told again within this time is known for what it is.
constexpr std::chrono::minutes kRemembered{10};

} // namespace

bool OtherUses::learn(const LimitUse& use, const Amounts& amounts, std::vector<LimitPool*> pools, BootTime now)
{
    const auto [place, added] = m_uses.try_emplace(use.id);
    if (!added) undo(use.id, place->second);
    place->second = {std::move(pools), amounts, use.state, use.at, use.openUntil};
    apply(use.id, place->second);
    m_forget.emplace(std::max(now, use.openUntil) + kRemembered, use.id);
    return added;
}

void OtherUses::undo(std::uint64_t id, const Use& use)
{
    if (use.state == LimitUse::State::Released) return;
    const bool reserved = use.state == LimitUse::State::Reserved;
    if (reserved) m_reserved.erase({use.openUntil, id});
    for (LimitPool* pool : use.pools) {
        if (reserved)
            pool->cancel(use.amounts);
        else
            pool->change(use.amounts, {.currency = use.amounts.currency}, use.at);
        pool->free(id);
    }
}

void OtherUses::apply(std::uint64_t id, const Use& use)
{
    if (use.state == LimitUse::State::Released) return;
    const bool reserved = use.state == LimitUse::State::Reserved;
    if (reserved) m_reserved.emplace(use.openUntil, id);
    for (LimitPool* pool : use.pools) {
        if (reserved)
            pool->reserve(use.amounts);
        else
            pool->change({.currency = use.amounts.currency}, use.amounts, use.at);
        if (use.state != LimitUse::State::Done) pool->take(id, use.openUntil);
    }
}

std::optional<BootTime> OtherUses::tick(BootTime now)
{
    while (!m_reserved.empty() && m_reserved.begin()->first <= now) {
        const std::uint64_t id = m_reserved.begin()->second;
        Use& use = m_uses.at(id);
        undo(id, use);
        use.state = LimitUse::State::Sent;
        use.at = use.openUntil;
        apply(id, use);
    }
    forget(now);
    return m_reserved.empty() ? std::nullopt : std::optional(m_reserved.begin()->first);
}

void OtherUses::forget(BootTime now)
{
    while (!m_forget.empty() && m_forget.top().first <= now) {
        const std::uint64_t id = m_forget.top().second;
        m_forget.pop();
        const auto place = m_uses.find(id);
        if (place == m_uses.end() || place->second.state == LimitUse::State::Reserved) continue;
        if (place->second.openUntil + kRemembered <= now) m_uses.erase(place);
    }
}

} // namespace aiflow
