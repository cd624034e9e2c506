#include "core/api/decision/limits/limit_pool.h"

#include <algorithm>

namespace aiflow {
namespace {

constexpr int kLowestPermille = 300;
constexpr int kRecoveryPermille = 50;

} // namespace

void LimitPool::limit(const LimitSet& limits, int currency)
{
    for (const WindowLimit& limit : limits.windows) {
        const auto same = std::ranges::find_if(m_windows, [&](const Window& window) {
            return window.limit.unit == limit.unit && window.limit.window == limit.window &&
                   (limit.unit != LimitUnit::Money || window.currency == currency);
        });
        if (same != m_windows.end())
            same->limit.count = std::min(same->limit.count, limit.count);
        else
            m_windows.push_back({limit, currency, SlidingLog(limit.window), BootTime::max()});
    }
    if (limits.concurrency) m_places = m_places ? std::min(*m_places, *limits.concurrency) : limits.concurrency;
}

bool LimitPool::limitsRequests() const noexcept
{
    return m_places || std::ranges::any_of(
                           m_windows, [](const Window& window) { return window.limit.unit == LimitUnit::Requests; });
}

std::int64_t LimitPool::countOf(const Window& window, BootTime now) const noexcept
{
    if (m_permille == 1000 || window.limit.unit != LimitUnit::Requests) return window.limit.count;
    return std::max<std::int64_t>(1, window.limit.count * permille(now) / 1000);
}

Room LimitPool::roomFor(const Amounts& amounts, BootTime now)
{
    Room room;
    for (Window& window : m_windows) {
        if (!counts(window, amounts) || window.until <= now) continue;
        const bool learnt = window.until != BootTime::max();
        const std::int64_t count = countOf(window, now);
        // A learnt limit that is too small for the call altogether is not believed: the call tries alone.
        const std::int64_t amount =
            learnt ? std::min(amounts.of(window.limit.unit), count) : amounts.of(window.limit.unit);
        room.also(window.log.roomFor(amount, count, now));
    }
    for (const Block& block : m_blocks)
        if (amounts.of(block.unit) > 0) room.also({block.until, false});
    if (m_places && amounts.requests > 0) {
        if (*m_places <= 0) room.never = true;
        room.also({m_leases.roomBelow(*m_places, now), false});
    }
    return room;
}

void LimitPool::reserve(const Amounts& amounts)
{
    m_reserved.requests += amounts.requests;
    m_reserved.inputTokens += amounts.inputTokens;
    m_reserved.outputTokens += amounts.outputTokens;
    m_reserved.images += amounts.images;
    for (Window& window : m_windows)
        if (counts(window, amounts)) window.log.reserve(amounts.of(window.limit.unit));
}

void LimitPool::cancel(const Amounts& amounts)
{
    m_reserved.requests -= amounts.requests;
    m_reserved.inputTokens -= amounts.inputTokens;
    m_reserved.outputTokens -= amounts.outputTokens;
    m_reserved.images -= amounts.images;
    for (Window& window : m_windows)
        if (counts(window, amounts)) window.log.cancel(amounts.of(window.limit.unit));
}

void LimitPool::wire(const Amounts& amounts, BootTime at)
{
    cancel(amounts);
    change({.currency = amounts.currency}, amounts, at);
}

void LimitPool::change(const Amounts& from, const Amounts& to, BootTime at)
{
    for (Window& window : m_windows)
        if (counts(window, to)) window.log.add(to.of(window.limit.unit) - from.of(window.limit.unit), at);
}

void LimitPool::take(std::uint64_t id, BootTime until)
{
    if (m_places) m_leases.take(id, until);
}

void LimitPool::free(std::uint64_t id)
{
    if (m_places) m_leases.free(id);
}

const WindowLimit* LimitPool::configured(LimitUnit unit) const noexcept
{
    const WindowLimit* widest = nullptr;
    for (const Window& window : m_windows) {
        if (window.limit.unit != unit || window.until != BootTime::max()) continue;
        if (window.limit.window > std::chrono::hours(1)) continue;
        if (!widest || window.limit.window > widest->window) widest = &window.limit;
    }
    return widest;
}

const SlidingLog* LimitPool::logOf(const WindowLimit& limit) const noexcept
{
    const auto place = std::ranges::find_if(m_windows, [&](const Window& window) {
        return window.limit.unit == limit.unit && window.limit.window == limit.window;
    });
    return place == m_windows.end() ? nullptr : &place->log;
}

void LimitPool::learn(const WindowLimit& limit, const LimitPool* wider, BootTime until, BootTime now)
{
    forget(now);
    const auto same = std::ranges::find_if(m_windows, [&](const Window& window) {
        return window.until != BootTime::max() && window.limit.unit == limit.unit &&
               window.limit.window == limit.window;
    });
    if (same != m_windows.end()) {
        same->limit.count = limit.count;
        same->until = until;
        return;
    }
    const SlidingLog* known = logOf(limit);
    if (!known && wider) known = wider->logOf(limit);
    Window added{limit, 0, known ? *known : SlidingLog(limit.window), until};
    added.log.setReserved(m_reserved.of(limit.unit));
    m_windows.push_back(std::move(added));
}

void LimitPool::exhausted(LimitUnit unit, BootTime until)
{
    const auto same = std::ranges::find_if(m_blocks, [&](const Block& block) { return block.unit == unit; });
    if (same == m_blocks.end())
        m_blocks.push_back({unit, until});
    else
        same->until = std::max(same->until, until);
}

void LimitPool::forget(BootTime now)
{
    std::erase_if(m_windows, [&](const Window& window) { return window.until <= now; });
    std::erase_if(m_blocks, [&](const Block& block) { return block.until <= now; });
}

void LimitPool::slowDown(BootTime now, std::chrono::nanoseconds minute)
{
    if (m_permille < 1000 && now - m_slowedAt < minute) return;
    m_permille = std::max(kLowestPermille, permille(now) * 7 / 10);
    m_slowedAt = now;
    m_minute = minute;
}

int LimitPool::permille(BootTime now) const noexcept
{
    if (m_permille == 1000) return 1000;
    const std::int64_t minutes = (now - m_slowedAt) / m_minute;
    const std::int64_t quiet = std::min<std::int64_t>(minutes, 100);
    return static_cast<int>(std::min<std::int64_t>(1000, m_permille + kRecoveryPermille * quiet * (quiet + 1) / 2));
}

std::optional<std::pair<std::int64_t, std::int64_t>> LimitPool::requests(BootTime now)
{
    Window* shortest = nullptr;
    for (Window& window : m_windows)
        if (window.limit.unit == LimitUnit::Requests && (!shortest || window.limit.window < shortest->limit.window))
            shortest = &window;
    if (!shortest) return std::nullopt;
    return std::pair{shortest->log.used(now), countOf(*shortest, now)};
}

} // namespace aiflow
