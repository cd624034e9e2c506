// What other processes of the host, and this job's earlier ones, took from the limits.
#pragma once

#include "core/api/decision/limits/limit_pool.h"
#include "core/base/limit_store.h"

#include <optional>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>

namespace aiflow {

// A reservation whose process does not renew it was perhaps sent at the last moment: it counts as sent when its time
// ends.
class OtherUses {
public:
    // The new state of a use that counts in `pools`. True: it was not known before.
    bool learn(const LimitUse& use, const Amounts& amounts, std::vector<LimitPool*> pools, BootTime now);
    // Reservations of the dead become sent. Returns when the next one does.
    std::optional<BootTime> tick(BootTime now);
    std::size_t known() const noexcept { return m_uses.size(); }

private:
    struct Use {
        std::vector<LimitPool*> pools;
        Amounts amounts;
        LimitUse::State state = LimitUse::State::Reserved;
        BootTime at{};
        BootTime openUntil{};
    };
    using Due = std::pair<BootTime, std::uint64_t>;

    void undo(std::uint64_t id, const Use& use);
    void apply(std::uint64_t id, const Use& use);
    void forget(BootTime now);

    std::unordered_map<std::uint64_t, Use> m_uses;
    std::set<Due> m_reserved; // by the end of their lease
    std::priority_queue<Due, std::vector<Due>, std::greater<>> m_forget;
};

} // namespace aiflow
