// How many calls a pool of accounts can have started by a moment, at the very most.
#pragma once

#include "core/forecast/call_shape.h"
#include "core/forecast/flow_shape.h"

#include <limits>
#include <utility>
#include <vector>

namespace aiflow {

// The calls of some steps over all accounts that may send them. Every limit is read in the calls' favour (the smallest
// use and the shortest duration of them), so that no real sequence of calls is ahead of what it says.
class PoolCapacity {
public:
    PoolCapacity(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                 const std::vector<std::size_t>& steps);

    // Starts that are possible within [0, elapsed].
    std::int64_t startsBy(Nanoseconds elapsed) const;
    // The earliest start of the n-th call, n >= 1, when the first may start at 0.
    Nanoseconds earliestStart(std::int64_t n) const;

private:
    static constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();
    // At most `each` starts per `span`, counted from 0.
    struct Rate {
        std::int64_t each = 0;
        Nanoseconds span = 0;
    };
    using Rates = std::vector<Rate>;
    struct Account {
        Rates own;
        std::vector<Rates> models;
    };
    struct Group { // accounts under one organisation; of none: without rates
        const OrganisationSettings* organisation = nullptr;
        Rates shared;
        std::vector<Account> accounts;
    };
    struct Provider {
        std::size_t index = 0;
        Rates shared;
        std::vector<Group> groups;
    };
    struct Least;
    void addProviders(const ApiSettings& settings, const Least& least);
    void addAccounts(const ApiSettings& settings, const Least& least);
    static Rates ratesOf(const LimitSet& limits, const CallUse& use, Nanoseconds duration);
    static std::int64_t starts(const Rates& rates, Nanoseconds elapsed);
    static std::int64_t starts(const Account& account, Nanoseconds elapsed);

    std::vector<Provider> m_providers;
};

} // namespace aiflow
