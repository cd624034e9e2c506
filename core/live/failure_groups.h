// Failures of a job by reason, step and normalised message, with a few examples each.
#pragma once

#include "aiflow/messages.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace aiflow {

// Bounded: past 500 groups, further messages of a reason and step share one group with an empty message.
// Threads: one at a time.
class FailureGroups {
public:
    void add(Reason reason, const std::string& step, const std::string& message, const std::string& item);
    // The largest first.
    std::vector<FailureGroupSnapshot> snapshot() const;

private:
    using Key = std::tuple<Reason, std::string, std::string>;

    std::map<Key, FailureGroupSnapshot> m_groups;
};

} // namespace aiflow
