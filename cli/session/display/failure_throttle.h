// Keeps many failures of one kind from drowning the news on a screen.
#pragma once

#include "aiflow/job_event.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// Threads: one.
class FailureThrottle {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Kind = std::pair<std::string, std::string>; // reason, step

    // Five of a kind may be shown; the others are counted.
    bool admits(const JobEvent& event);
    // How many were held back since the last time, by kind; at most once a minute.
    std::vector<std::pair<Kind, std::int64_t>> heldBack(Time now);

private:
    struct Counts {
        std::int64_t seen = 0, told = 0;
    };
    std::map<Kind, Counts> m_kinds;
    Time m_told{};
};

} // namespace aiflow
