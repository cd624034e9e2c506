#include "core/live/eta.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kRecent = 60s;
constexpr auto kStandstill = 30s;
constexpr auto kMeaningfulTime = 20s;
constexpr double kMeaningfulShare = 0.1;
constexpr std::size_t kMostSamples = 512;

} // namespace

bool Eta::standsStill(MonotonicTime now) const { return m_held && now - m_lastDone > kStandstill; }

std::chrono::nanoseconds Eta::activeAt(MonotonicTime now) const
{
    if (m_paused || standsStill(now)) return m_active;
    return m_active + std::max(now - m_lastSeen, std::chrono::nanoseconds{0});
}

void Eta::advance(MonotonicTime now)
{
    m_active = activeAt(now);
    m_lastSeen = std::max(m_lastSeen, now);
}

void Eta::remember()
{
    if (!m_samples.empty() && m_active - m_samples.back().active < m_spacing) return;
    if (m_samples.size() >= kMostSamples) {
        // Half the samples at twice the distance: a long job needs no finer ones.
        std::size_t kept = 0;
        for (std::size_t i = 0; i < m_samples.size(); i += 2) m_samples[kept++] = m_samples[i];
        m_samples.resize(kept);
        m_spacing *= 2;
    }
    m_samples.push_back({m_active, m_live, m_reused});
}

void Eta::liveDone(MonotonicTime now)
{
    advance(now);
    remember();
    m_lastDone = now;
    ++m_live;
}

void Eta::undone(MonotonicTime now)
{
    advance(now);
    if (m_live > 0) {
        --m_live;
    } else if (m_reused > 0) {
        --m_reused;
    }
}

void Eta::setPaused(MonotonicTime now, bool paused)
{
    if (paused == m_paused) return;
    advance(now);
    m_paused = paused;
    if (!paused) m_lastDone = now;
}

void Eta::setHeld(MonotonicTime now, bool held)
{
    if (held == m_held) return;
    advance(now);
    m_held = held;
    m_lastDone = now;
}

std::int64_t Eta::remaining() const
{
    const std::int64_t reusedLater = std::max<std::int64_t>(m_knownReused - m_reused, 0);
    return std::max<std::int64_t>(m_total - m_live - m_reused - reusedLater, 0);
}

Eta::Sample Eta::sampleBefore(std::chrono::nanoseconds active) const
{
    const auto later = std::ranges::upper_bound(m_samples, active, {}, &Sample::active);
    return later == m_samples.begin() ? Sample{0ns, 0, 0} : *std::prev(later);
}

std::optional<EtaRange> Eta::range(MonotonicTime now) const
{
    const std::int64_t left = remaining();
    if (m_paused || standsStill(now) || m_live == 0 || left == 0) return std::nullopt;
    const auto active = activeAt(now);
    const double share = static_cast<double>(m_live) / static_cast<double>(m_live + left);
    if (share < kMeaningfulShare && active < kMeaningfulTime) return std::nullopt;

    // Fast and slow: the best and the worst of the last minute, the last third and the whole.
    double fastest = 0;
    double slowest = 1e300;
    double fewest = 1; // share of the ended items that were live work
    double most = 0;
    std::int64_t recentItems = 0;
    for (const auto window : {std::chrono::nanoseconds(kRecent), active / 3, active}) {
        const Sample from = sampleBefore(active - window);
        const double seconds = std::max(Seconds(active - from.active).count(), 0.001);
        const auto live = static_cast<double>(m_live - from.live);
        if (live < 1) continue;
        const auto ended = live + static_cast<double>(m_reused - from.reused);
        fastest = std::max(fastest, live / seconds);
        slowest = std::min(slowest, live / seconds);
        fewest = std::min(fewest, live / ended);
        most = std::max(most, live / ended);
        recentItems = std::max(recentItems, m_live - from.live);
    }
    if (fastest <= 0) return std::nullopt;
    // Known reuse is already taken off; only unannounced reuse thins out what is left.
    if (m_knownReused > 0) fewest = most = 1;
    // Chance in what was measured, and in what is left.
    const double margin = 0.05 + std::sqrt(1.0 / static_cast<double>(recentItems) + 1.0 / static_cast<double>(left));
    const double low = static_cast<double>(left) * fewest / fastest * std::max(1 - margin, 0.0);
    const double high = static_cast<double>(left) * most / slowest * (1 + margin);
    static constexpr double kLongest = 3.0e9;
    const auto whole = [](double seconds) {
        return std::chrono::seconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, kLongest)));
    };
    return EtaRange{whole(std::floor(low)), whole(std::ceil(high))};
}

} // namespace aiflow
