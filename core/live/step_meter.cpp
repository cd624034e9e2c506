#include "core/live/step_meter.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aiflow {

namespace {

std::int64_t secondOf(MonotonicTime time)
{
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

} // namespace

void StepMeter::add(MonotonicTime now, std::chrono::microseconds worked)
{
    if (m_tasks++ == 0) m_first = now;
    const std::int64_t second = secondOf(now);
    Second& slot = m_seconds[static_cast<std::size_t>(second) % m_seconds.size()];
    if (slot.at != second) slot = {second, 0};
    ++slot.tasks;

    // Octave by the highest bit, within it by the three bits below.
    const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(worked.count(), 1)) * kBucketsPerOctave;
    const auto octave = static_cast<std::size_t>(std::bit_width(micros)) - 4;
    const std::size_t part = (micros >> octave) & (kBucketsPerOctave - 1);
    ++m_durations[std::min(octave * kBucketsPerOctave + part, kBuckets - 1)];
}

double StepMeter::ratePerSecond(MonotonicTime now) const
{
    const std::int64_t second = secondOf(now);
    std::int64_t tasks = 0;
    for (const Second& slot : m_seconds)
        if (slot.at >= 0 && slot.at > second - kWindowSeconds && slot.at <= second) tasks += slot.tasks;
    if (tasks == 0) return 0;
    const double since = std::chrono::duration<double>(now - m_first).count();
    return static_cast<double>(tasks) / std::clamp(since, 1.0, static_cast<double>(kWindowSeconds));
}

double StepMeter::medianSeconds() const
{
    const std::int64_t half = (m_tasks + 1) / 2;
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets && m_tasks > 0; ++i) {
        seen += m_durations[i];
        if (seen < half) continue;
        const double from =
            std::ldexp(8.0 + static_cast<double>(i % kBucketsPerOctave), static_cast<int>(i / kBucketsPerOctave));
        const double width = std::ldexp(1.0, static_cast<int>(i / kBucketsPerOctave));
        return (from + width / 2) / static_cast<double>(kBucketsPerOctave) / 1e6;
    }
    return 0;
}

} // namespace aiflow
