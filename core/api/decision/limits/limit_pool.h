// One thing that is limited as a whole: an account, a model on it, an organisation, a provider, the money of a day.
#pragma once

#include "core/api/decision/limits/amounts.h"
#include "core/api/decision/limits/lease_set.h"
#include "core/api/decision/limits/sliding_log.h"

#include <optional>
#include <vector>

namespace aiflow {

class LimitPool {
public:
    LimitPool() = default;
    // Another set for the same thing: all of them hold. `currency`: interned, of windows that count money.
    void limit(const LimitSet& limits, int currency);
    bool limitsAnything() const noexcept { return !m_windows.empty() || m_places; }
    bool limitsRequests() const noexcept;

    Room roomFor(const Amounts& amounts, BootTime now);
    void reserve(const Amounts& amounts);
    void cancel(const Amounts& amounts);
    void wire(const Amounts& amounts, BootTime at);
    // What was sent at `at` used `to`, not `from`.
    void change(const Amounts& from, const Amounts& to, BootTime at);
    void take(std::uint64_t id, BootTime until);
    void free(std::uint64_t id);

    // A provider's own word on a limit: obeyed until `until` where it is stricter than what is configured.
    // `wider`: where the past of such a limit may be known; null: nowhere else.
    void learn(const WindowLimit& limit, const LimitPool* wider, BootTime until, BootTime now);
    // Nothing that counts in this unit may go before `until`.
    void exhausted(LimitUnit unit, BootTime until);
    // The configured window of a unit that a provider's "per minute" means: the widest of at most an hour.
    const WindowLimit* configured(LimitUnit unit) const noexcept;

    // Refusals that no limit explains slow requests down to 0.7 of what is allowed, and again while they go on; the
    // first quiet minute gives back 5 % of it, the second 10 %, and so on. `minute` shrinks with the world.
    void slowDown(BootTime now, std::chrono::nanoseconds minute);
    int permille(BootTime now) const noexcept;

    // For displays: the requests of the shortest window, and its count.
    std::optional<std::pair<std::int64_t, std::int64_t>> requests(BootTime now);

private:
    struct Window {
        WindowLimit limit;
        int currency = 0;
        SlidingLog log;
        BootTime until = BootTime::max(); // learnt: obeyed so long
    };
    struct Block {
        LimitUnit unit;
        BootTime until;
    };
    static bool counts(const Window& window, const Amounts& amounts) noexcept
    {
        return window.limit.unit != LimitUnit::Money || window.currency == amounts.currency;
    }
    std::int64_t countOf(const Window& window, BootTime now) const noexcept;
    void forget(BootTime now);
    const SlidingLog* logOf(const WindowLimit& limit) const noexcept;

    std::vector<Window> m_windows;
    std::vector<Block> m_blocks;
    std::optional<std::int64_t> m_places;
    LeaseSet m_leases;
    Amounts m_reserved; // of all, for windows that are learnt while calls are on their way; money left out
    int m_permille = 1000;
    BootTime m_slowedAt{};
    std::chrono::nanoseconds m_minute{60'000'000'000};
};

} // namespace aiflow
