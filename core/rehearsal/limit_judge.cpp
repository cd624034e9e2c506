#include "core/rehearsal/limit_judge.h"

#include <algorithm>

namespace aiflow {

namespace {

// How late a request may be noticed after one that arrived later.
constexpr std::int64_t kDisorderNs = 10'000'000'000;
constexpr std::int64_t kConcurrencyHintNs = 1'000'000'000;

std::string unitName(LimitUnit unit)
{
    switch (unit) {
    case LimitUnit::Requests:
        return "requests";
    case LimitUnit::InputTokens:
        return "input tokens";
    case LimitUnit::OutputTokens:
        return "output tokens";
    case LimitUnit::TotalTokens:
        return "tokens";
    case LimitUnit::Images:
        return "images";
    case LimitUnit::Money:
        return "nanos of money";
    }
    return "?";
}

std::string words(const LimitGate& gate, const WindowLimit& limit)
{
    return std::to_string(limit.count) + ' ' + unitName(limit.unit) + " in " + std::to_string(limit.window.count()) +
           " ms of " + gate.name();
}

} // namespace

std::int64_t ArrivalLog::totalBefore(std::int64_t time) const
{
    const auto after = std::ranges::lower_bound(m_entries, time, {}, &Entry::at);
    return after == m_entries.begin() ? m_forgotten : std::prev(after)->total;
}

std::int64_t ArrivalLog::used(std::int64_t at) const { return totalBefore(at + 1) - totalBefore(at - m_windowNs + 1); }

bool ArrivalLog::overflows(std::int64_t at, std::int64_t amount) const
{
    if (used(at) + amount > m_count) return true;
    auto later = std::ranges::upper_bound(m_entries, at, {}, &Entry::at);
    for (; later != m_entries.end() && later->at < at + m_windowNs; ++later)
        if (used(later->at) + amount > m_count) return true;
    return false;
}

void ArrivalLog::add(std::int64_t at, std::int64_t amount)
{
    const auto place = std::ranges::upper_bound(m_entries, at, {}, &Entry::at);
    const std::int64_t before = place == m_entries.begin() ? m_forgotten : std::prev(place)->total;
    for (auto later = place; later != m_entries.end(); ++later) later->total += amount;
    m_entries.insert(place, Entry{at, before + amount});
    forget(m_entries.back().at - m_windowNs - kDisorderNs);
}

void ArrivalLog::forget(std::int64_t before)
{
    while (!m_entries.empty() && m_entries.front().at < before) {
        m_forgotten = m_entries.front().total;
        m_entries.pop_front();
    }
}

std::int64_t ArrivalLog::fitsAt(std::int64_t at, std::int64_t amount) const
{
    if (!overflows(at, amount)) return at;
    const std::int64_t total = m_entries.empty() ? m_forgotten : m_entries.back().total;
    for (const Entry& entry : m_entries)
        if (entry.at + m_windowNs > at && total - entry.total + amount <= m_count) return entry.at + m_windowNs;
    return at + m_windowNs;
}

std::int64_t CallLoad::of(LimitUnit unit) const
{
    switch (unit) {
    case LimitUnit::Requests:
        return 1;
    case LimitUnit::InputTokens:
        return inputTokens;
    case LimitUnit::OutputTokens:
        return outputTokens;
    case LimitUnit::TotalTokens:
        return inputTokens + outputTokens;
    case LimitUnit::Images:
        return images;
    case LimitUnit::Money:
        return money.count();
    }
    return 0;
}

LimitGate::LimitGate(std::string name, const LimitSet& limits, double speed)
    : m_name(std::move(name)), m_concurrency(limits.concurrency)
{
    for (const WindowLimit& limit : limits.windows) {
        const auto ns =
            static_cast<std::int64_t>(static_cast<double>(std::chrono::nanoseconds(limit.window).count()) / speed);
        m_windows.push_back({limit, ArrivalLog(limit.count, ns), ArrivalLog(limit.count, ns)});
    }
}

void LimitGate::enter()
{
    ++m_open;
    m_highest = std::max(m_highest, m_open);
}

LimitJudge::LimitJudge(const SimulatedService& service, double speed)
    : m_speed(speed), m_provider(std::make_unique<LimitGate>("provider " + service.name, service.limits, speed))
{
    for (const auto& [name, limits] : service.organisations)
        m_organisations[name] = std::make_unique<LimitGate>("organisation " + name, limits, speed);
    for (const SimulatedAccount& account : service.accounts) {
        m_accounts.push_back(std::make_unique<LimitGate>("account " + account.name, account.limits, speed));
        const auto organisation = m_organisations.find(account.organisation);
        auto& models = m_models.emplace_back();
        auto& gates = m_gates.emplace_back();
        for (const SimulatedModel& model : service.models) {
            Gates& path = gates.emplace_back();
            path = {m_accounts.back().get(), m_provider.get()};
            if (organisation != m_organisations.end()) path.push_back(organisation->second.get());
            models.push_back(std::make_unique<LimitGate>("model " + model.name + " on account " + account.name,
                                                         model.limits, speed));
            path.push_back(models.back().get());
        }
    }
}

const LimitJudge::Gates& LimitJudge::gatesOf(std::size_t account, std::size_t model) const
{
    return m_gates[account][model];
}

Ruling LimitJudge::arrive(const Gates& gates, std::int64_t at, const CallLoad& load)
{
    Ruling ruling;
    const auto refuse = [&](std::int64_t waitNs, std::string limit) {
        ruling.refused = true;
        if (waitNs < ruling.waitNs) return;
        ruling.waitNs = waitNs;
        ruling.limit = std::move(limit);
    };
    for (LimitGate* gate : gates) {
        for (LimitGate::Window& window : gate->windows()) {
            const std::int64_t amount = load.of(window.limit.unit);
            if (amount > 0 && window.all.overflows(at, amount)) ruling.violates = true;
            if (amount > 0 && window.admitted.overflows(at, amount))
                refuse(window.admitted.fitsAt(at, amount) - at, words(*gate, window.limit));
        }
        if (gate->concurrency() && gate->open() >= *gate->concurrency()) {
            ruling.violates = true;
            refuse(static_cast<std::int64_t>(static_cast<double>(kConcurrencyHintNs) / m_speed),
                   std::to_string(*gate->concurrency()) + " open calls of " + gate->name());
        }
    }
    for (LimitGate* gate : gates) {
        for (LimitGate::Window& window : gate->windows()) {
            const std::int64_t amount = load.of(window.limit.unit);
            // What is refused uses no tokens; that it was sent counts.
            const bool counts = !ruling.refused || window.limit.unit == LimitUnit::Requests;
            if (counts) window.all.add(at, amount);
            if (!ruling.refused) window.admitted.add(at, amount);
        }
        if (!ruling.refused) gate->enter();
    }
    return ruling;
}

void LimitJudge::left(const Gates& gates)
{
    for (LimitGate* gate : gates) gate->leave();
}

} // namespace aiflow
