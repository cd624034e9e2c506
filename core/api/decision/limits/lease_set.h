// Places of open calls as leases: each ends by itself, whatever becomes of its holder.
#pragma once

#include "core/base/clock.h"

#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>

namespace aiflow {

// Complexity: O(log n) each. Taking a place twice, or freeing one that is free, changes nothing.
class LeaseSet {
public:
    // For a call of this process, which always says when it ends.
    static constexpr BootTime kUntilFreed = BootTime::max();

    void take(std::uint64_t id, BootTime until);
    void free(std::uint64_t id);
    std::int64_t open(BootTime now);
    // When fewer than `places` are taken, as far as is known; not later than now: already.
    BootTime roomBelow(std::int64_t places, BootTime now);

private:
    std::unordered_map<std::uint64_t, BootTime> m_until;
    std::set<std::pair<BootTime, std::uint64_t>> m_byEnd;
};

} // namespace aiflow
