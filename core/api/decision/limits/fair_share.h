// How processes that want the same account make way for each other, without leaving its places idle.
#pragma once

#include "core/base/limit_store.h"

#include <map>
#include <string>
#include <vector>

namespace aiflow {

// A less urgent process leaves the account to a more urgent one that waits, except every 16th grant; of equally urgent
// ones none gets ahead of its share. Whoever makes way for a quarter of a second, and nobody comes, goes.
class FairShare {
public:
    // What all others want, as it stands now.
    void demands(const std::vector<LimitDemand>& demands);
    void othersGranted(const std::string& scope);
    void granted(const std::string& scope);
    // When a call of this priority may take a place that is free now.
    BootTime mayTake(const std::string& scope, std::int32_t priority, BootTime now);
    bool contended() const noexcept { return !m_scopes.empty(); }

private:
    struct Scope {
        std::vector<LimitDemand> others;
        std::int64_t ours = 0;         // grants since others want it, too
        std::int64_t theirs = 0;       // all others together
        std::int64_t sinceOurs = 0;    // of the others, after our last
        std::optional<BootTime> since; // we make way
    };
    static bool makesWay(const Scope& scope, std::int32_t priority);

    std::map<std::string, Scope, std::less<>> m_scopes;
};

} // namespace aiflow
