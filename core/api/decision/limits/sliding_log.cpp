#include "core/api/decision/limits/sliding_log.h"

#include <algorithm>

namespace aiflow {
namespace {

constexpr std::size_t kExactEntries = 1024;
constexpr std::int64_t kGrains = 512; // of a window, once there are that many entries

} // namespace

SlidingLog::SlidingLog(std::chrono::nanoseconds window) : m_window(window), m_span(window + marginOf(window)) {}

std::chrono::nanoseconds SlidingLog::marginOf(std::chrono::nanoseconds window) noexcept
{
    using namespace std::chrono_literals;
    return std::max<std::chrono::nanoseconds>(window / 400 * 3, 20ms);
}

void SlidingLog::prune(BootTime now)
{
    m_now = std::max(m_now, now);
    while (!m_entries.empty() && m_entries.front().last <= m_now - m_span) {
        m_sum -= m_entries.front().amount;
        m_entries.pop_front();
    }
}

std::int64_t SlidingLog::used(BootTime now)
{
    prune(now);
    return m_sum + m_reserved;
}

Room SlidingLog::roomFor(std::int64_t amount, std::int64_t count, BootTime now)
{
    if (amount <= 0) return {};
    if (amount > count) return {Room::kWhenFreed, true};
    prune(now);
    std::int64_t excess = m_reserved + m_sum + amount - count;
    if (excess <= 0) return {};
    if (m_reserved + amount > count) return {Room::kWhenFreed, false};
    for (const Entry& entry : m_entries) {
        excess -= entry.amount;
        if (excess <= 0) return {entry.last + m_span, false};
    }
    return {Room::kWhenFreed, false};
}

void SlidingLog::add(std::int64_t amount, BootTime at)
{
    if (amount == 0) return;
    auto place = m_entries.end();
    if (!m_entries.empty() && at <= m_entries.back().last)
        place = std::lower_bound(m_entries.begin(), m_entries.end(), at,
                                 [](const Entry& entry, BootTime time) { return entry.last < time; });
    if (place != m_entries.end() && place->first <= at) {
        place->amount += amount;
        m_sum += amount;
    } else if (amount > 0 && (m_now == BootTime::min() || at > m_now - m_span)) {
        insert(place, amount, at);
    }
}

void SlidingLog::insert(std::deque<Entry>::iterator before, std::int64_t amount, BootTime at)
{
    m_sum += amount;
    if (m_entries.size() >= kExactEntries && before != m_entries.begin()) {
        Entry& previous = *std::prev(before);
        if (at - previous.first <= m_window / kGrains) {
            previous.last = at;
            previous.amount += amount;
            return;
        }
    }
    m_entries.insert(before, Entry{at, at, amount});
}

} // namespace aiflow
