#include "core/api/decision/health/retry_budget.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

RetryBudget::RetryBudget(const RetrySettings& settings)
    : m_perFirst(std::llround(settings.budgetShare * kRetry)),
      m_floor(std::max<std::int64_t>(1, settings.budgetFloor) * kRetry),
      m_window(settings.budgetWindow), m_lows{{0, BootTime::max()}}
{
}

void RetryBudget::move(BootTime now, std::int64_t by)
{
    m_balance += by;
    m_lows.back().until = now;
    while (!m_lows.empty() && m_lows.back().balance >= m_balance) m_lows.pop_back();
    m_lows.push_back({m_balance, BootTime::max()});
}

BootTime RetryBudget::mayRetry(BootTime now)
{
    while (m_lows.size() > 1 && m_lows.front().until < now - m_window) m_lows.pop_front();
    BootTime at = BootTime::min();
    for (const Low& low : m_lows) {
        if (m_balance + kRetry - low.balance <= m_floor) break;
        if (low.until == BootTime::max()) return BootTime::max();
        at = low.until + m_window + std::chrono::nanoseconds(1);
    }
    return at;
}

} // namespace aiflow
