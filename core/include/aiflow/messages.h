// What a job tells its viewers: snapshots (the truth) and events (hints and history). Plain values.
#pragma once

#include "aiflow/result.h"
#include "aiflow/state.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct EtaRange {
    std::chrono::seconds low{0};
    std::chrono::seconds high{0};
};

struct MoneyAmount {
    double amount = 0;
    std::string currency; // empty: nothing was spent
};

struct StepSnapshot {
    std::string name;
    std::string titleEn;
    std::string titleZh;
    std::string kind;         // "api", "model", "op"
    std::string target;       // route, model or op
    StateCounts counts;       // over all items of the job; the sum is the job's total
    double ratePerSecond = 0; // live work of the last minute, reused results do not count
    std::int64_t inFlight = 0;
    std::int64_t retries = 0;
    double medianSeconds = 0;           // of one task's work
    std::string note;                   // "local", ""
    std::vector<std::string> providers; // api: who may answer, the first choice first
};

// One account's use of its limits.
struct AccountSnapshot {
    std::string provider;
    std::string account; // "openai/main"
    std::string state;   // "ok", "paused", "benched", "probing"
    std::int64_t open = 0;
    std::int64_t sentInMinute = 0;
    std::int64_t perMinute = 0; // requests; 0: not limited
};

// A service that does not answer: work waits for it.
struct PauseSnapshot {
    std::string provider;
    Reason reason = Reason::ProviderOutage;
    std::string detail;                        // "503 Service Unavailable, 5 in a row"
    std::chrono::milliseconds since{0};        // how long it has been so
    std::optional<std::chrono::seconds> probe; // until it is asked again; none: nobody knows
};

struct FailureGroupSnapshot {
    Reason reason = Reason::Internal;
    std::string step;
    std::string message;       // normalised: names, numbers and addresses taken out
    std::string sampleMessage; // one of them as it was
    std::int64_t count = 0;
    std::vector<std::string> sampleItems; // ids, at most five
};

struct JobSnapshot {
    std::string job; // id
    JobState state = JobState::Running;
    std::string pipeline;
    std::string input; // file or folder as given
    std::string inputEncoding;
    std::string output;
    std::int64_t total = 0; // items
    StateCounts items;      // the sum is `total`
    std::vector<StepSnapshot> steps;
    std::vector<FailureGroupSnapshot> failures;
    std::chrono::milliseconds elapsed{0}; // of this process's work on it
    std::optional<EtaRange> eta;          // none: too early, paused, or ended
    MoneyAmount cost;
    MoneyAmount budget;                    // that `cost` stays below; without a currency: none
    std::vector<AccountSnapshot> accounts; // of a running job that asks remote services
    std::vector<PauseSnapshot> pauses;
    std::string banner;       // one sentence when something holds the job, else empty
    std::string startedAt;    // ISO 8601
    std::string endedAt;      // ISO 8601; empty while it runs
    std::int64_t lastSeq = 0; // of the last event that is contained
    std::optional<int> exitCode;
    std::int64_t ownerPid = 0; // 0: nobody runs it
    std::string reusedFrom;    // job whose results were reused most; may be empty
    std::int64_t reusedTasks = 0;
};

// One line of the stream. `json` is the whole line without its end: {"v":1,"seq":..,"ts":..,"type":..,...}.
// Types: job_started, item_finished, task_finished (api and model tasks, and every failure), provider_paused,
// provider_resumed, job_paused, job_resumed, job_finished have a `seq`; progress has none: it is not kept.
struct EventLine {
    std::int64_t seq = 0;
    std::string type;
    std::string json;
};

// JSON text of a snapshot and back; unknown fields are ignored, missing ones keep their defaults.
std::string toJson(const JobSnapshot& snapshot);
Result<JobSnapshot> snapshotFromJson(std::string_view text);

} // namespace aiflow
