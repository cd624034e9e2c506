// The money of a call, of an item and of the job: reserved at the worst before a call, settled after it.
#pragma once

#include "core/api/settings/api_settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace aiflow {

// Caps of another currency than a call's do not hold for it: their amounts cannot be compared.
class Spending {
public:
    explicit Spending(const BudgetSettings& budgets) : m_budgets(&budgets) {}

    enum class Answer {
        Fits,
        OverCall, // never: the call alone costs more than its cap
        ItemFull, // not before an open call of its item turns out cheaper
        ItemOver, // never
        JobFull,
        JobOver,
    };
    Answer mayReserve(std::uint64_t item, const Money& worst) const;
    void reserve(std::uint64_t item, const Money& worst);
    void settle(std::uint64_t item, const Money& reserved, const Money& real);
    void setSpent(Nanos byJob, const std::string& currency);

private:
    struct Account {
        Nanos spent;
        Nanos reserved;
    };
    static bool holds(const std::optional<Money>& cap, const Money& amount) noexcept
    {
        return cap && cap->currency == amount.currency;
    }

    const BudgetSettings* m_budgets;
    Account m_job;                                      // in the currency of its cap
    std::unordered_map<std::uint64_t, Account> m_items; // only when items have a cap
};

} // namespace aiflow
