// The viewer's half of the front door: find jobs, read them, follow and command a running one.
#pragma once

#include "aiflow/messages.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aiflow {

struct ItemLine {
    std::int64_t index = 0; // position in the input, from 0
    std::int64_t line = 0;  // of the input file
    std::string id;
    std::string title;
    TaskState state = TaskState::Queued;
    std::vector<TaskState> steps;
    std::optional<Reason> reason;
    std::string step; // that failed
    std::string message;
    MoneyAmount cost;
    std::chrono::milliseconds worked{0};
};

struct ItemFilter {
    std::int64_t from = 0;
    std::int64_t limit = 1000;
    std::optional<TaskState> state;
    std::optional<Reason> reason;
};

enum class ExportFile : std::uint8_t { Results, Failures, Items, JsonLines, Files };

struct ExportRequest {
    std::vector<ExportFile> files{ExportFile::Results, ExportFile::Failures, ExportFile::Files};
    std::optional<std::filesystem::path> folder; // default: the job's output folder
    bool rawCsv = false;                         // leave cells that look like formulas as they are
};

struct ExportSummary {
    std::filesystem::path folder;
    std::vector<std::filesystem::path> written; // whole paths
    std::int64_t results = 0;                   // rows in results.csv
    std::int64_t failures = 0;                  // rows in failures.csv
    std::int64_t files = 0;                     // result files that are in the folder now
};

// Follows one job: snapshots and events in order, until the job's process is gone.
// Threads: one.
class JobFollower {
public:
    virtual ~JobFollower() = default;
    // What came next; nothing when `patience` ran out. JobNotFound when the job's process ended: status() then has the
    // last word.
    virtual Result<std::optional<std::variant<JobSnapshot, EventLine>>> next(std::chrono::milliseconds patience) = 0;
    // Readable when next() would give something at once; for poll(2).
    virtual int descriptor() const = 0;
};

// Jobs are named by their id, an unambiguous beginning of it, or "last".
// Threads: one per client. Opens journals read-only; never changes a job except through its owner.
class JobClient {
public:
    // `stateDirectory`: --state-dir; nothing: the environment's.
    static Result<std::unique_ptr<JobClient>> open(const std::optional<std::filesystem::path>& stateDirectory = {});
    virtual ~JobClient() = default;

    virtual const std::filesystem::path& stateDirectory() const = 0;
    // Newest first. Running jobs are asked, the others read from their journals.
    virtual Result<std::vector<JobSnapshot>> list() = 0;
    virtual Result<JobSnapshot> status(std::string_view job) = 0;
    virtual Result<std::vector<ItemLine>> items(std::string_view job, const ItemFilter& filter) = 0;
    // Events that the journal holds, from `fromSeq` on.
    virtual Result<std::vector<EventLine>> events(std::string_view job, std::int64_t fromSeq, std::int64_t limit) = 0;
    // JobNotFound when it is not running. `fromSeq`: older events first.
    virtual Result<std::unique_ptr<JobFollower>> follow(std::string_view job,
                                                        std::optional<std::int64_t> fromSeq = {}) = 0;
    // To the process that runs the job; JobNotFound when none does. The answer is one sentence for people.
    virtual Result<std::string> pause(std::string_view job) = 0;
    virtual Result<std::string> resume(std::string_view job) = 0;
    virtual Result<std::string> cancel(std::string_view job, bool now) = 0;
    virtual Result<ExportSummary> exportJob(std::string_view job, const ExportRequest& request) = 0;
};

} // namespace aiflow
