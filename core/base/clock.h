// Time as an interface, so that tests and the forecast can run it faster, or backwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace aiflow {

// Microseconds since the epoch, for display and records only: it jumps when someone sets the clock.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
// For time-outs and durations; never goes back; stands still while the machine sleeps.
using MonotonicTime = std::chrono::time_point<struct MonotonicTag, std::chrono::nanoseconds>;
// For limits, leases and breakers: like MonotonicTime, but sleep counts.
using BootTime = std::chrono::time_point<struct BootTag, std::chrono::nanoseconds>;

// Threads: every method, from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    virtual WallTime wall() const = 0;
    virtual MonotonicTime monotonic() const = 0;
    virtual BootTime boot() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
public:
    WallTime wall() const override;
    MonotonicTime monotonic() const override;
    BootTime boot() const override;
};

// A clock that moves only when told; starts at the given wall time.
class ManualClock final : public Clock {
public:
    explicit ManualClock(WallTime start = WallTime{std::chrono::seconds{1'700'000'000}}) : m_wall(start) {}
    WallTime wall() const override;
    MonotonicTime monotonic() const override;
    BootTime boot() const override;
    // Moves all three clocks on.
    void advance(std::chrono::nanoseconds by);
    // Somebody sets the wall clock; the other two do not move.
    void setWall(WallTime now);

private:
    mutable std::mutex m_mutex;
    WallTime m_wall;
    std::chrono::nanoseconds m_elapsed{0};
};

// "2026-11-22T02:00:00.012+08:00" in the machine's time zone.
std::string toIso8601(WallTime time);
// The other way round; nothing for a text that is no such time.
std::optional<WallTime> fromIso8601(const std::string& text);
// "02:12:47", local.
std::string toClockText(WallTime time);

} // namespace aiflow
