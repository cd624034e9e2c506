// All limits that a call must keep, at once: of its account, of its model there, of the organisation, of the provider,
// and the money of a day and a month; of this process and of all others of the host.
#pragma once

#include "core/api/decision/limits/limit_pool.h"
#include "core/api/decision/limits/other_uses.h"
#include "core/api/decision/limits/pool_map.h"
#include "core/base/limit_store.h"

#include <deque>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace aiflow {

// A use goes reserve -> onWire -> settle -> finish, or reserve -> release; a second settle, finish or release of the
// same use changes nothing. Times never go back.
class Limiter {
public:
    explicit Limiter(const ApiSettings& settings);

    const PoolMap& pools() const noexcept { return m_pools; }
    PoolMap& pools() noexcept { return m_pools; }
    Room roomFor(std::size_t target, const Amounts& amounts, BootTime now);

    // `timeout`: how long the call may take; others keep its place free of their calls so long, and a grace.
    void reserve(std::uint64_t id, std::size_t target, const Amounts& amounts, std::chrono::nanoseconds timeout,
                 BootTime now);
    void onWire(std::uint64_t id, BootTime now);
    // What it really used. Above the reservation: the windows owe it.
    void settle(std::uint64_t id, const Amounts& real);
    // Its place is free at `placeUntil`; not later than now: at once.
    void finish(std::uint64_t id, BootTime placeUntil, BootTime now);
    // It was never sent.
    void release(std::uint64_t id);
    // A call of an earlier process that is still open: a place, and no window.
    void adopt(std::uint64_t id, std::size_t target, std::chrono::nanoseconds timeout, BootTime now);

    LimitUse useOf(std::uint64_t id) const;
    // Another process's use. True when it is a grant that was not known, and fresh.
    bool learn(const LimitUse& use, BootTime now);
    std::vector<LimitUse> takeChanges();

    // Keeps what is open for longer than was said; leases of the dead end. Returns when it must be called again.
    std::optional<BootTime> tick(BootTime now);

private:
    struct Held {
        std::size_t target = 0;
        Amounts amounts;
        LimitUse::State state = LimitUse::State::Reserved;
        BootTime at{};
        BootTime openUntil{};
        std::chrono::nanoseconds timeout{0};
        bool windows = true; // counts in windows
        bool changed = false;
        bool finished = false;
    };
    using Renewal = std::pair<BootTime, std::uint64_t>;

    void changed(std::uint64_t id, Held& held);
    void renewReserved(BootTime now);
    void renewSent(BootTime now);

    PoolMap m_pools;
    std::chrono::nanoseconds m_grace; // beyond a call's time limit
    std::unordered_map<std::uint64_t, Held> m_held;
    std::vector<std::uint64_t> m_changed;
    std::deque<Renewal> m_reservedRenewals; // in order: all take the same time
    std::priority_queue<Renewal, std::vector<Renewal>, std::greater<>> m_sentRenewals;
    OtherUses m_others;
};

} // namespace aiflow
