// Where and when one call can go: the account that can start it soonest, of the first model that can.
#pragma once

#include "core/api/decision/call_queue.h"
#include "core/api/decision/workshop.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace aiflow {

struct Placing {
    enum class Kind {
        Send,
        Wait,    // until `at`, or until something happens
        Park,    // until an open call of its item is settled
        GiveUp,  // `error`
        StopJob, // `error`: money is used up
    };
    Kind kind = Kind::Wait;
    std::size_t target = 0;
    Amounts amounts;
    Money worst;
    std::string why;
    BootTime at = Room::kWhenFreed;
    bool out = false; // everything that could answer is down, benched or used up
    Reason reason = Reason::ProviderRateLimited;
    std::optional<std::size_t> blockedBy; // a limit of this target alone stands in the way
    bool retryBudget = false;             // or the retry budget
    Error error;
};

class CallPlacement {
public:
    explicit CallPlacement(Workshop& workshop) : m_shop(workshop) {}

    // `claimed`: pools that are kept for a call that comes first.
    Placing choose(const Call& call, const CallQueue::Group& group, const std::vector<const LimitPool*>& claimed,
                   BootTime now);
    // Calls of a family stay where their prompt's beginning is cached, while that costs nothing.
    void placed(const Call& call, std::size_t target);
    // How long a call may hold its place.
    std::chrono::nanoseconds timeoutOf(const CallDemand& call, std::size_t model) const;

private:
    struct Spot { // one target
        BootTime at = BootTime::min();
        bool out = false;
        bool never = false;
        bool limits = false;
        bool retryBudget = false;
        Reason reason = Reason::ProviderRateLimited;
    };
    struct ModelRoom { // all targets of a model
        std::optional<std::size_t> now;
        BootTime at = Room::kWhenFreed;
        bool out = true;
        bool never = true;
        bool exists = false; // an account
        bool retryBudget = false;
        Reason reason = Reason::ProviderRateLimited;
        std::size_t soonest = 0;
        std::optional<std::size_t> blockedBy;
    };
    struct Search; // over the models of a call

    Amounts amountsOf(const CallDemand& call, std::size_t model, Money& worst);
    Spot spotOn(std::size_t target, const Call& call, const CallQueue::Group& group, const Amounts& amounts,
                const std::vector<const LimitPool*>& claimed, BootTime now);
    ModelRoom roomOf(std::size_t model, const Call& call, const CallQueue::Group& group, const Amounts& amounts,
                     const std::vector<const LimitPool*>& claimed, BootTime now);
    std::size_t best(const std::vector<std::size_t>& targets, std::uint64_t family) const;
    bool affordable(const Call& call, const Amounts& amounts, const Money& worst, Search& search, BootTime now);
    bool passesOver(const Search& search, std::size_t model, BootTime now) const;
    void remember(Search& search, std::size_t model, const ModelRoom& room, const Amounts& amounts) const;
    Placing finished(const Call& call, Search& search, BootTime now) const;

    Workshop& m_shop;
    std::unordered_map<std::uint64_t, std::size_t> m_families; // target of the last call
    std::vector<std::size_t> m_free;                           // of one look
};

} // namespace aiflow
