// What providers say about their limits, with every answer and with every refusal, kept for all processes of the host.
#pragma once

#include "core/api/decision/dispatcher.h"
#include "core/api/decision/limits/pool_map.h"

#include <vector>

namespace aiflow {

class LearntLimits {
public:
    explicit LearntLimits(PoolMap& pools) : m_pools(&pools) {}

    // From an answer to a call that was sent at `sentAt`: limits that are stricter than the configured ones hold for
    // ten minutes; what is used up is left alone until its time.
    void answered(const Target& target, const std::vector<AttemptEnd::Learnt>& learnt, BootTime sentAt, BootTime now);
    // Refused, although every limit was kept. `minute` shrinks with the world.
    void refused(const Target& target, bool modelOnly, BootTime now, std::chrono::nanoseconds minute);
    // Another process's.
    void learn(const LimitNotice& notice, BootTime now);
    std::vector<LimitNotice> takeNotices();

private:
    void note(const Target& target, std::string model, std::string kind, std::int64_t value, BootTime until);

    PoolMap* m_pools;
    std::vector<LimitNotice> m_notices;
};

} // namespace aiflow
