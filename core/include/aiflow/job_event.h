// One event of the stream as plain values, for readers that would rather not parse JSON.
#pragma once

#include "aiflow/messages.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Fields that an event's type does not carry keep their defaults.
struct JobEvent {
    std::int64_t seq = 0; // 0: a progress line, which is not numbered
    std::string time;     // ISO 8601
    std::string type;
    std::string job;
    // item_finished, task_finished
    std::string item;
    std::int64_t line = 0;
    std::string step;
    std::int64_t attempt = 0; // of item_finished: how many
    std::optional<TaskState> state;
    std::optional<Reason> reason; // provider_paused too
    std::string message;
    bool retryable = false;
    std::chrono::milliseconds worked{0}; // of job_finished: elapsed
    MoneyAmount cost;
    // provider_paused, provider_resumed
    std::string provider;
    std::string detail;
    std::string probeAt;
    std::chrono::milliseconds after{0}; // how long it was paused
    // job_paused, job_resumed
    std::string by;
    std::string why;
    // job_started, progress, provider_paused, job_finished
    std::int64_t total = 0;
    std::int64_t done = 0;
    std::int64_t failed = 0;
    std::int64_t waiting = 0;
    std::int64_t reused = 0;
    std::vector<std::string> steps;
    std::optional<EtaRange> eta;
    std::optional<JobState> outcome;
    std::optional<int> exitCode;
};

// Reads EventLine::json. Unknown types and fields are no error; InputFileBad when it is not a JSON object.
Result<JobEvent> eventFromJson(std::string_view json);

} // namespace aiflow
