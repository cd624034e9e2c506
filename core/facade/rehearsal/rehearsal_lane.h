// The lane of a rehearsal: the real one, its time limits as fast as the simulated services, its troubles counted.
#pragma once

#include "core/api/api_lane.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace aiflow {

// How many attempts ended in which way, by the names of failure classes.
// Threads: every method, from any thread.
class TroubleCount {
public:
    void add(const std::string& failure)
    {
        const std::lock_guard lock(m_mutex);
        ++m_counts[failure];
    }
    std::map<std::string, std::int64_t> counts() const
    {
        const std::lock_guard lock(m_mutex);
        return m_counts;
    }

private:
    mutable std::mutex m_mutex;
    std::map<std::string, std::int64_t> m_counts; // guarded by m_mutex
};

// `speed`: a call's own time limit is divided by it.
std::unique_ptr<ApiLane> makeRehearsalLane(std::unique_ptr<ApiLane> lane, double speed,
                                           std::shared_ptr<TroubleCount> troubles);

} // namespace aiflow
