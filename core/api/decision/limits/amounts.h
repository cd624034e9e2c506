// What one call takes from limits, and when there is room for it.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/base/clock.h"

#include <algorithm>
#include <cstdint>

namespace aiflow {

struct Amounts {
    std::int64_t requests = 0;
    std::int64_t inputTokens = 0;
    std::int64_t outputTokens = 0;
    std::int64_t images = 0;
    std::int64_t nanos = 0;
    int currency = 0; // interned; 0: none

    constexpr std::int64_t of(LimitUnit unit) const noexcept
    {
        switch (unit) {
        case LimitUnit::Requests:
            return requests;
        case LimitUnit::InputTokens:
            return inputTokens;
        case LimitUnit::OutputTokens:
            return outputTokens;
        case LimitUnit::TotalTokens:
            return inputTokens + outputTokens;
        case LimitUnit::Images:
            return images;
        case LimitUnit::Money:
            return nanos;
        }
        return 0;
    }
    friend constexpr bool operator==(const Amounts&, const Amounts&) = default;
};

// The earliest time at which a call may go, as far as is known: one that has come means now.
struct Room {
    // An event must happen first: an open call ends, or a reserved one reaches the wire.
    static constexpr BootTime kWhenFreed = BootTime::max();

    BootTime at = BootTime::min();
    bool never = false; // more than the limit itself

    void also(const Room& other) noexcept
    {
        at = std::max(at, other.at);
        never = never || other.never;
    }
    bool isNow(BootTime now) const noexcept { return !never && at <= now; }
};

} // namespace aiflow
