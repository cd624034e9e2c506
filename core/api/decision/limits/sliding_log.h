// What was used within the last window, exactly: when there is room for more, no position of the window gets too full.
#pragma once

#include "core/api/decision/limits/amounts.h"

#include <chrono>
#include <cstdint>
#include <deque>

namespace aiflow {

// A use counts from its reservation until it has left the window, which begins when it was on the wire. Memory is
// bounded: past some 1,000 entries, neighbours within 1/512 of the window share one, which leaves with its last.
// Complexity: O(log n) a call; room for several entries' worth costs as many steps.
class SlidingLog {
public:
    explicit SlidingLog(std::chrono::nanoseconds window);

    // How much longer than the window a use counts. Two calls may take different times from our wire to the provider's
    // count; 0.75 % of the window or 20 ms, whichever is more, covers what was measured, and costs less than 1 % of
    // the throughput of windows of some seconds and more.
    static std::chrono::nanoseconds marginOf(std::chrono::nanoseconds window) noexcept;

    std::chrono::nanoseconds window() const noexcept { return m_window; }
    Room roomFor(std::int64_t amount, std::int64_t count, BootTime now);
    std::int64_t used(BootTime now);                    // with what is reserved
    std::int64_t sum() const noexcept { return m_sum; } // without it, as of the last look
    void reserve(std::int64_t amount) noexcept { m_reserved += amount; }
    void cancel(std::int64_t amount) noexcept { m_reserved -= amount; }
    void setReserved(std::int64_t amount) noexcept { m_reserved = amount; }
    // A reserved amount is on the wire.
    void wire(std::int64_t amount, BootTime at)
    {
        m_reserved -= amount;
        add(amount, at);
    }
    // More was used at a time, or less (negative); nothing when that time has left the window.
    void add(std::int64_t amount, BootTime at);
    std::size_t entries() const noexcept { return m_entries.size(); }

private:
    struct Entry {
        BootTime first;
        BootTime last;
        std::int64_t amount = 0;
    };
    void prune(BootTime now);
    void insert(std::deque<Entry>::iterator before, std::int64_t amount, BootTime at);

    std::chrono::nanoseconds m_window;
    std::chrono::nanoseconds m_span; // window and margin
    std::deque<Entry> m_entries;     // by time, ranges apart
    std::int64_t m_sum = 0;          // of the entries
    std::int64_t m_reserved = 0;
    BootTime m_now = BootTime::min(); // the latest told
};

} // namespace aiflow
