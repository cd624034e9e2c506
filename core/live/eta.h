// When a job will probably end: a range from the pace of its live work, in active time.
#pragma once

#include "aiflow/messages.h"
#include "core/base/clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace aiflow {

// Pure: it is told everything, the time included. Items that were reused or restored never count as speed; time in
// which the job is paused, or stands still because a provider is paused, does not count as time.
// Threads: one at a time.
class Eta {
public:
    Eta(MonotonicTime start, std::int64_t total) : m_lastSeen(start), m_lastDone(start), m_total(total) {}

    void setTotal(std::int64_t total) { m_total = total; }
    // Items that are known to be reused later: they are no work.
    void setKnownReused(std::int64_t items) { m_knownReused = items; }
    void liveDone(MonotonicTime now);
    void reusedDone() { ++m_reused; }
    // An item that had ended is work again.
    void undone(MonotonicTime now);
    // The job is paused: no range until it goes on.
    void setPaused(MonotonicTime now, bool paused);
    // Something that items wait for is out: if the job stands still over it, that is no pace.
    void setHeld(MonotonicTime now, bool held);

    // The time that is left. Nothing until 10 % of the live work or 20 s of it are done, while paused, while
    // everything stands still, and at the end.
    std::optional<EtaRange> range(MonotonicTime now) const;

private:
    struct Sample {
        std::chrono::nanoseconds active;
        std::int64_t live;
        std::int64_t reused;
    };

    std::chrono::nanoseconds activeAt(MonotonicTime now) const;
    bool standsStill(MonotonicTime now) const;
    void advance(MonotonicTime now);
    void remember();
    Sample sampleBefore(std::chrono::nanoseconds active) const;
    std::int64_t remaining() const;

    std::vector<Sample> m_samples;
    std::chrono::nanoseconds m_spacing{std::chrono::seconds(1)};
    std::chrono::nanoseconds m_active{0};
    MonotonicTime m_lastSeen;
    MonotonicTime m_lastDone;
    std::int64_t m_total = 0;
    std::int64_t m_knownReused = 0;
    std::int64_t m_live = 0;
    std::int64_t m_reused = 0;
    bool m_paused = false;
    bool m_held = false;
};

} // namespace aiflow
