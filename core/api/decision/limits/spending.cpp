#include "core/api/decision/limits/spending.h"

namespace aiflow {

Spending::Answer Spending::mayReserve(std::uint64_t item, const Money& worst) const
{
    if (worst.amount.count() <= 0) return Answer::Fits;
    if (holds(m_budgets->perCall, worst) && worst.amount > m_budgets->perCall->amount) return Answer::OverCall;
    if (holds(m_budgets->perItem, worst)) {
        const auto place = m_items.find(item);
        const Account account = place == m_items.end() ? Account{} : place->second;
        if (account.spent + worst.amount > m_budgets->perItem->amount) return Answer::ItemOver;
        if (account.spent + account.reserved + worst.amount > m_budgets->perItem->amount) return Answer::ItemFull;
    }
    if (holds(m_budgets->perJob, worst)) {
        if (m_job.spent + worst.amount > m_budgets->perJob->amount) return Answer::JobOver;
        if (m_job.spent + m_job.reserved + worst.amount > m_budgets->perJob->amount) return Answer::JobFull;
    }
    return Answer::Fits;
}

void Spending::reserve(std::uint64_t item, const Money& worst)
{
    if (holds(m_budgets->perItem, worst)) m_items[item].reserved += worst.amount;
    if (holds(m_budgets->perJob, worst)) m_job.reserved += worst.amount;
}

void Spending::settle(std::uint64_t item, const Money& reserved, const Money& real)
{
    const auto settled = [&](Account& account) {
        account.reserved = account.reserved - reserved.amount;
        account.spent += real.amount;
    };
    if (holds(m_budgets->perItem, reserved)) settled(m_items[item]);
    if (holds(m_budgets->perJob, reserved)) settled(m_job);
}

void Spending::setSpent(Nanos byJob, const std::string& currency)
{
    if (m_budgets->perJob && m_budgets->perJob->currency == currency) m_job.spent = byJob;
}

} // namespace aiflow
