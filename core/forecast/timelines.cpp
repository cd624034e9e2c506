#include "core/forecast/timelines.h"

#include <algorithm>

namespace aiflow {

std::size_t PlaceTimeline::levelAt(Nanoseconds time) const
{
    const auto after = std::ranges::upper_bound(m_levels, time, {}, &Level::from);
    return static_cast<std::size_t>(after - m_levels.begin()) - 1;
}

Nanoseconds PlaceTimeline::earliest(Nanoseconds from, Nanoseconds duration) const
{
    Nanoseconds start = from;
    for (std::size_t i = levelAt(from); i < m_levels.size(); ++i) {
        if (m_levels[i].from >= start + duration && m_levels[i].from > start) break;
        if (m_levels[i].taken >= m_places && i + 1 < m_levels.size()) start = m_levels[i + 1].from;
    }
    return start;
}

std::size_t PlaceTimeline::splitAt(Nanoseconds time)
{
    const std::size_t level = levelAt(time);
    if (m_levels[level].from == time) return level;
    m_levels.insert(m_levels.begin() + static_cast<std::ptrdiff_t>(level) + 1, {time, m_levels[level].taken});
    return level + 1;
}

void PlaceTimeline::take(Nanoseconds start, Nanoseconds duration)
{
    if (duration <= 0) return;
    const std::size_t first = splitAt(start);
    const std::size_t last = splitAt(start + duration);
    for (std::size_t i = first; i < last; ++i) ++m_levels[i].taken;
}

// Nothing: it may start then. Otherwise the first moment that is worth another try.
std::optional<Nanoseconds> WindowTimeline::retryAt(Nanoseconds start, std::int64_t amount) const
{
    const auto time = &std::pair<Nanoseconds, std::int64_t>::first;
    const auto begin = std::ranges::upper_bound(m_log, start - m_window, {}, time);
    auto end = begin;
    std::int64_t sum = amount;
    std::optional<Nanoseconds> retry;
    // Every span that begins with an earlier start, and then the one that begins with this.
    for (auto first = begin; first != m_log.end() && first->first <= start; ++first) {
        for (; end != m_log.end() && end->first < first->first + m_window; ++end) sum += end->second;
        if (sum > m_count) retry = first->first + m_window;
        sum -= first->second;
    }
    if (retry) return retry;
    const auto later = std::ranges::upper_bound(begin, m_log.end(), start, {}, time);
    for (end = std::max(end, later); end != m_log.end() && end->first < start + m_window; ++end) sum += end->second;
    if (sum > m_count && later != m_log.end()) return later->first;
    return std::nullopt;
}

Nanoseconds WindowTimeline::earliest(Nanoseconds from, const CallUse& use) const
{
    if (use[m_unit] <= 0) return from;
    Nanoseconds start = from;
    while (const auto retry = retryAt(start, use[m_unit])) start = *retry;
    return start;
}

void WindowTimeline::take(Nanoseconds start, const CallUse& use)
{
    if (use[m_unit] <= 0) return;
    const auto after = std::ranges::upper_bound(m_log, start, {}, &std::pair<Nanoseconds, std::int64_t>::first);
    m_log.insert(after, {start, use[m_unit]});
}

LimitTimeline::LimitTimeline(const LimitSet& limits)
{
    for (const WindowLimit& limit : limits.windows) m_windows.emplace_back(limit);
    if (limits.concurrency) m_places.emplace(*limits.concurrency);
}

Nanoseconds LimitTimeline::earliest(Nanoseconds from, Nanoseconds duration, const CallUse& use) const
{
    Nanoseconds start = from;
    for (Nanoseconds before = from - 1; before != start;) {
        before = start;
        for (const WindowTimeline& window : m_windows) start = window.earliest(start, use);
        if (m_places) start = m_places->earliest(start, duration);
    }
    return start;
}

void LimitTimeline::take(Nanoseconds start, Nanoseconds duration, const CallUse& use)
{
    for (WindowTimeline& window : m_windows) window.take(start, use);
    if (m_places) m_places->take(start, duration);
}

} // namespace aiflow
