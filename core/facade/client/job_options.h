// The options that shape a job; kept in job.json, so that resume and retry run the same job.
#pragma once

#include "aiflow/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiflow {

struct JobOptions {
    std::vector<std::pair<std::string, std::string>> columnMap;
    std::vector<std::pair<std::string, std::string>> set;
    bool offline = false;
    bool strict = false;
    bool failFast = false;
    std::optional<std::int64_t> maxFailures;
    std::optional<double> maxFailurePercent;
    std::optional<int> cores;
    std::optional<std::int64_t> memoryBytes;
    std::int32_t priority = 5;
    std::optional<std::string> budget; // "60CNY"
    // Of one process alone, not kept.
    bool stopOnOutage = false;
    std::optional<std::chrono::milliseconds> maxWait;
    char delimiter = '\0'; // settled by the check of the input
    std::string continues; // id of the job whose failures.csv this one was fed; empty: none

    std::string toJson() const;
    static Result<JobOptions> fromJson(std::string_view text);
};

} // namespace aiflow
