// The pace of one step: live work per second over the last minute, and the median duration.
#pragma once

#include "core/base/clock.h"

#include <array>
#include <chrono>
#include <cstdint>

namespace aiflow {

// Fixed size, no allocation. Threads: one at a time.
class StepMeter {
public:
    void add(MonotonicTime now, std::chrono::microseconds worked);
    // Tasks per second over the last 60 s, or since the first one when that is nearer.
    double ratePerSecond(MonotonicTime now) const;
    // Within 5 % of the true one; 0 before the first task.
    double medianSeconds() const;

private:
    static constexpr std::int64_t kWindowSeconds = 60;
    static constexpr std::size_t kBucketsPerOctave = 8;
    static constexpr std::size_t kBuckets = 48 * kBucketsPerOctave;

    struct Second {
        std::int64_t at = -1;
        std::int64_t tasks = 0;
    };

    std::array<Second, kWindowSeconds + 1> m_seconds{};
    std::array<std::uint32_t, kBuckets> m_durations{};
    std::int64_t m_tasks = 0;
    MonotonicTime m_first{};
};

} // namespace aiflow
