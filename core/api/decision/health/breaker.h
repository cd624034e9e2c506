// Stops calling what is down, and finds out with a few leased probes when it is back.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/base/clock.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace aiflow {

// Closed: calls pass. Open: none, for a pause that doubles while probes fail. Half-open: as many probes at once as the
// settings say, a first pause apart, so that a quick refusal costs one call; the first good one closes it. A probe's
// permit ends with its deadline, whatever becomes of its caller.
// Endings of calls that were sent before it opened change nothing while it is not closed.
class Breaker {
public:
    explicit Breaker(const BreakerSettings& settings);

    bool closed() const noexcept { return !m_open; }
    // When a call may pass: not later than now: at once. BootTime::max(): when a probe ends.
    BootTime mayPass(BootTime now) const noexcept;
    // A call passes. True: it is a probe.
    bool pass(std::uint64_t call, BootTime deadline, BootTime now);
    // True when it closed, or opened, by this.
    bool succeeded(std::uint64_t call, BootTime now);
    bool failed(std::uint64_t call, BootTime now);
    // Neither good nor bad: a probe's permit is given back.
    void neither(std::uint64_t call);
    void trip(BootTime now);
    // There is reason to try now.
    void wake(BootTime now) noexcept { m_until = std::min(m_until, now); }

private:
    struct Probe {
        std::uint64_t call = 0;
        BootTime deadline{};
        BootTime began{};
    };
    struct Slice { // a tenth of the window
        std::int64_t number = -1;
        int calls = 0;
        int failures = 0;
    };
    void count(BootTime now, bool failure);
    bool tooManyFailures(BootTime now) const noexcept;
    bool endProbe(std::uint64_t call);

    const BreakerSettings* m_settings;
    std::int64_t m_sharePermille;
    bool m_open = false;
    BootTime m_until{}; // open so long, then half-open
    std::chrono::nanoseconds m_pause{0};
    std::vector<Probe> m_probes;
    int m_inRow = 0;
    std::array<Slice, 10> m_slices;
};

} // namespace aiflow
