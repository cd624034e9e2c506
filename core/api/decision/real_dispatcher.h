// The dispatcher itself: events in, decisions out.
#pragma once

#include "core/api/decision/call_queue.h"
#include "core/api/decision/placement.h"
#include "core/api/decision/workshop.h"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace aiflow {

class RealDispatcher final : public Dispatcher {
public:
    explicit RealDispatcher(DispatcherParts parts);

    void submit(const CallDemand& call, BootTime now) override;
    bool withdraw(CallId call) override;
    void setSpent(Nanos byJob, const std::string& currency) override;
    void learn(const LimitNews& news, BootTime now) override;
    Decisions decide(BootTime now) override;
    LimitChanges takeChanges(BootTime now) override;
    std::optional<BootTime> nextDecision() const override;
    void onWire(AttemptId attempt, BootTime now) override;
    void ended(const AttemptEnd& end, BootTime now) override;
    AttemptId adopt(CallId call, std::size_t model, const std::string& accountName, BootTime now) override;
    std::int64_t waiting() const override { return m_queue->waiting(); }
    std::int64_t open() const override { return static_cast<std::int64_t>(m_attempts.size()); }
    std::vector<AccountView> accounts(BootTime now) const override;

private:
    using Group = CallQueue::Group;
    struct Attempt {
        Slot slot = 0;
        std::size_t target = 0;
        Amounts amounts;
        Money worst;
        BootTime sentAt{};
        bool wired = false;
        bool adopted = false;
    };
    struct Hunger { // of one account's scope
        std::int32_t priority = 0;
        std::int64_t waiting = 0;
        BootTime oldest{};
        // Others need to know who is hungry, not how much to the last call.
        static bool same(const Hunger& a, const Hunger& b) noexcept;
    };

    // Deciding.
    void plan(Decisions& decisions);
    bool place(Group& group, Slot slot, Decisions& decisions); // false: the group is blocked
    void send(Group& group, Slot slot, Placing& placing, Decisions& decisions);
    void block(Group& group, const Call& call, Placing& placing, Decisions& decisions);
    void changed() noexcept { ++m_version; }

    // Endings.
    Amounts realAmounts(const Attempt& attempt, const AttemptEnd& end) const;
    void settle(const Attempt& attempt, const AttemptEnd& end);
    void followUp(const Attempt& attempt, const AttemptEnd& end, bool answeredOthers);
    EndFacts factsOf(const Attempt& attempt, const AttemptEnd& end) const;
    void again(Slot slot, const Attempt& attempt, const AttemptEnd& end, const RetryVerdict& verdict);
    void judgeRoute(const Attempt& attempt, const AttemptEnd& end);

    // Telling.
    std::vector<Hunger> hungers() const;
    void tellHunger(LimitChanges& changes);
    void fillWaiting(std::vector<PauseNotice>& pauses) const;

    DispatcherParts m_parts;
    std::unique_ptr<Workshop> m_shop; // these two are asked by const methods, too, and tidy up then
    std::unique_ptr<CallQueue> m_queue;
    CallPlacement m_placement;
    std::unordered_map<std::uint64_t, Attempt> m_attempts;
    Decisions m_pending;
    BootTime m_now = BootTime::min();
    std::uint64_t m_version = 1;
    std::optional<BootTime> m_tick;
    bool m_jobStopped = false;
    std::vector<std::pair<Rank, Group*>> m_round;
    std::vector<const LimitPool*> m_claimed;
    std::vector<Hunger> m_toldHunger;
    std::vector<SlidingLog> m_spent; // of a day, by account of all
    std::vector<std::string> m_spentCurrency;
};

} // namespace aiflow
