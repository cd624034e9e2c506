#include "core/api/decision/health/breaker.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

Breaker::Breaker(const BreakerSettings& settings)
    : m_settings(&settings), m_sharePermille(std::llround(settings.failureShare * 1000))
{
}

BootTime Breaker::mayPass(BootTime now) const noexcept
{
    if (!m_open) return BootTime::min();
    if (now < m_until) return m_until;
    int open = 0;
    BootTime next = BootTime::min();
    BootTime firstEnd = BootTime::max();
    for (const Probe& probe : m_probes) {
        if (probe.deadline <= now) continue;
        ++open;
        next = std::max(next, probe.began + m_settings->firstPause);
        firstEnd = std::min(firstEnd, probe.deadline);
    }
    return open < std::max(1, m_settings->probes) ? std::min(next, firstEnd) : firstEnd;
}

bool Breaker::pass(std::uint64_t call, BootTime deadline, BootTime now)
{
    if (!m_open) return false;
    std::erase_if(m_probes, [now](const Probe& probe) { return probe.deadline <= now; });
    m_probes.push_back({call, deadline, now});
    return true;
}

bool Breaker::endProbe(std::uint64_t call)
{
    return std::erase_if(m_probes, [call](const Probe& probe) { return probe.call == call; }) > 0;
}

bool Breaker::succeeded(std::uint64_t call, BootTime now)
{
    if (!m_open) {
        m_inRow = 0;
        count(now, false);
        return false;
    }
    if (!endProbe(call)) return false;
    m_open = false;
    m_pause = std::chrono::nanoseconds{0};
    m_probes.clear();
    m_inRow = 0;
    m_slices = {};
    return true;
}

bool Breaker::failed(std::uint64_t call, BootTime now)
{
    if (m_open) {
        if (endProbe(call)) trip(now);
        return false;
    }
    ++m_inRow;
    count(now, true);
    if (m_inRow < m_settings->failures && !tooManyFailures(now)) return false;
    trip(now);
    return true;
}

void Breaker::neither(std::uint64_t call)
{
    if (m_open) endProbe(call);
}

void Breaker::trip(BootTime now)
{
    const std::chrono::nanoseconds first = m_settings->firstPause;
    const std::chrono::nanoseconds longest = std::max(m_settings->longestPause, m_settings->firstPause);
    m_pause = m_open ? std::min(longest, m_pause * 2) : first;
    m_open = true;
    m_until = now + m_pause;
    m_probes.clear();
}

void Breaker::count(BootTime now, bool failure)
{
    const std::chrono::nanoseconds slice = std::max(m_settings->window / 10, std::chrono::milliseconds(1));
    const std::int64_t number = now.time_since_epoch() / slice;
    Slice& place = m_slices[static_cast<std::size_t>(number) % m_slices.size()];
    if (place.number != number) place = {number, 0, 0};
    ++place.calls;
    place.failures += failure ? 1 : 0;
}

bool Breaker::tooManyFailures(BootTime now) const noexcept
{
    const std::chrono::nanoseconds slice = std::max(m_settings->window / 10, std::chrono::milliseconds(1));
    const std::int64_t number = now.time_since_epoch() / slice;
    std::int64_t calls = 0;
    std::int64_t failures = 0;
    for (const Slice& place : m_slices) {
        if (place.number <= number - std::ssize(m_slices)) continue;
        calls += place.calls;
        failures += place.failures;
    }
    return calls >= m_settings->minimumCalls && failures * 1000 >= calls * m_sharePermille;
}

} // namespace aiflow
