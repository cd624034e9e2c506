// The calls that wait, in the order of work, grouped by what they wait for, so that what blocks one blocks its group
// in one step.
#pragma once

#include "core/api/decision/call.h"
#include "core/api/decision/limits/limit_pool.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace aiflow {

class CallQueue {
public:
    struct Group {
        RouteBook::ListId list = 0;
        bool retries = false;
        std::optional<std::size_t> onlyAccount;
        // Written by the dispatcher: while nothing changed since `version`, nothing of the group can go before `until`.
        std::uint64_t version = 0;
        BootTime until = BootTime::min();
        std::vector<const LimitPool*> claims; // limits that are kept for its first
        std::optional<Reason> told;           // what was said of its waiting
        bool hungry = true;                   // waits for a place alone

    private:
        friend class CallQueue;
        struct Entry {
            Rank rank;
            Slot slot = 0;
            std::uint32_t generation = 0;
            friend bool operator<(const Entry& a, const Entry& b) noexcept { return b.rank < a.rank; }
        };
        std::priority_queue<Entry> queue;
        std::int64_t size = 0; // without those that were taken out
    };

    Slot add(const CallDemand& demand, RouteBook::ListId list, BootTime now);
    std::optional<Slot> find(CallId id) const;
    Call& at(Slot slot) { return m_calls[slot]; }
    const Call& at(Slot slot) const { return m_calls[slot]; }

    void enqueue(Slot slot);
    void delay(Slot slot, BootTime until);
    void park(Slot slot, std::uint64_t item); // until wake(item)
    void wake(std::uint64_t item);
    // Out of whatever it waits in; it stays known.
    void open(Slot slot);
    // Forgotten.
    void erase(Slot slot);
    // Delayed calls whose time has come are queued.
    void due(BootTime now);
    std::optional<BootTime> nextDue();

    std::vector<std::unique_ptr<Group>>& groups() noexcept { return m_groups; }
    const std::vector<std::unique_ptr<Group>>& groups() const noexcept { return m_groups; }
    std::optional<Slot> first(Group& group);
    static std::int64_t sizeOf(const Group& group) noexcept { return group.size; }
    std::int64_t waiting() const noexcept { return m_waiting; }

private:
    struct Timer {
        BootTime until{};
        Rank rank;
        Slot slot = 0;
        std::uint32_t generation = 0;
        friend bool operator<(const Timer& a, const Timer& b) noexcept
        {
            return a.until != b.until ? b.until < a.until : b.rank < a.rank;
        }
    };
    Group& groupOf(const Call& call);
    void leave(Call& call);

    std::vector<Call> m_calls;
    std::vector<Slot> m_free;
    std::unordered_map<CallId, Slot> m_byId;
    std::vector<std::unique_ptr<Group>> m_groups;
    std::map<std::tuple<RouteBook::ListId, bool, std::optional<std::size_t>>, Group*> m_known;
    std::priority_queue<Timer> m_timers;
    std::unordered_map<std::uint64_t, std::vector<std::pair<Slot, std::uint32_t>>> m_parked;
    std::uint64_t m_arrivals = 0;
    std::int64_t m_waiting = 0;
};

} // namespace aiflow
