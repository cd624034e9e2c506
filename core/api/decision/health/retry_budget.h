// How many calls may be repeated: retries must not deepen an outage.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/base/clock.h"

#include <cstdint>
#include <deque>

namespace aiflow {

// In every span of the budget's window, wherever it begins: retries <= floor + share of the first attempts in it.
// Repeats that a provider told us to make are not counted here at all.
// Complexity: O(1) a call, amortised.
class RetryBudget {
public:
    explicit RetryBudget(const RetrySettings& settings);

    void first(BootTime now) { move(now, -m_perFirst); }
    void retried(BootTime now) { move(now, kRetry); }
    // When a retry is allowed: not later than now: at once.
    BootTime mayRetry(BootTime now);

private:
    static constexpr std::int64_t kRetry = 1000; // balance in thousandths of a retry
    struct Low {
        std::int64_t balance = 0;
        BootTime until{}; // the balance was this before what happened then
    };
    void move(BootTime now, std::int64_t by);

    std::int64_t m_perFirst;
    std::int64_t m_floor;
    std::chrono::nanoseconds m_window;
    std::int64_t m_balance = 0;
    std::deque<Low> m_lows; // balances that a window may begin with; each is above the one before; the last is today's
};

} // namespace aiflow
