// The truth about one job: items, tasks, attempts, artifacts and events, in one SQLite file with one writer.
#pragma once

#include "aiflow/result.h"
#include "aiflow/state.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/artifact_store.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aiflow {

// ---- what the engine writes

// The item entered the window: where its row stands in the input's snapshot.
struct ItemAdmitted {
    ItemIndex item;
    std::string id;
    std::int64_t line = 0;       // CSV line (the header is line 1)
    std::int64_t byteOffset = 0; // of the record in the input's snapshot
    std::int64_t byteLength = 0;
    std::string title; // for lists; may be empty
};

struct TaskOutput {
    std::string port;
    ArtifactRef artifact;
};

// A task ended. Written for api and model tasks, for elements of a fan-out, for every task that failed, and for op
// tasks with durable outputs; other op tasks are only in their item's ItemProgress.
struct TaskEnded {
    TaskKey task;
    TaskState state = TaskState::Succeeded;
    std::optional<Reason> reason;
    std::string message; // as shown; secrets are already taken out
    int attempts = 1;
    WallTime startedAt{};
    std::chrono::microseconds waited{0};
    std::chrono::microseconds worked{0};
    std::vector<TaskOutput> outputs;
    std::string provenance; // JSON text; empty for local work
    double cost = 0;
    std::string currency;
    bool settlesAttempts = false; // of an api task that was called: not kept
};

// The states of all steps of an item, one byte each (TaskState), in step order; written when the item ends and, in
// between, with every group that touched it. Elements of a fan-out count as one step.
struct ItemProgress {
    ItemIndex item;
    TaskState state = TaskState::Running; // of the item
    std::vector<TaskState> steps;
    std::optional<Reason> reason; // of the step that failed
    std::optional<StepIndex> failedStep;
    std::string message;
    std::chrono::microseconds worked{0};
    double cost = 0;
    WallTime endedAt{};            // 0: not ended
    std::vector<TaskOutput> files; // in the output folder: relative name (as `port`) and artifact
};

// One line of the event stream (JSON text). `seq` grows by one from one event to the next, without a gap.
struct EventRecord {
    std::int64_t seq = 0;
    std::string json;
};

// The job itself changed: "state", "counts", "total", ... Plain values by name.
struct JobField {
    std::string name;
    std::string value;
};

// Attempts of api tasks: the states of reliability.md 2.2.
enum class AttemptState : std::uint8_t { Intent, RemoteId, Responded, Committed, NotSent, Rejected, Failed, Unknown };
struct AttemptRecord {
    std::string attemptId; // names the spool file too
    TaskKey task;
    AttemptState state = AttemptState::Intent;
    int number = 1; // of the task's attempts
    std::string provider, model, account;
    std::string inputHash, bodyHash, idempotencyKey, remoteId;
    double reservedCost = 0, actualCost = 0;
    std::string currency;
    std::optional<ContentHash> answer;
    std::string body;     // the answer's text as it came; dropped when the attempt is committed
    std::string bodyFile; // or the name of its spooled record, in the job's spool folder
    std::string detail;   // JSON text: usage, request id, status, what went wrong
    WallTime at{};
};
// A TaskEnded with `settlesAttempts` makes the task's Responded attempts Committed (Failed, if the task failed).
// Later states of an attempt may leave fields empty: they keep what an earlier state said. A state that knows less
// never replaces one that knows more (Responded, Committed, NotSent, Rejected and Failed never become an open call
// again).

using JournalRecord = std::variant<ItemAdmitted, TaskEnded, ItemProgress, EventRecord, JobField, AttemptRecord>;

// ---- what is read back

struct ItemRow {
    ItemIndex item;
    std::string id;
    std::int64_t line = 0;
    std::int64_t byteOffset = 0;
    std::int64_t byteLength = 0;
    std::string title;
    TaskState state = TaskState::Queued;
    std::vector<TaskState> steps;
    std::optional<Reason> reason;
    std::optional<StepIndex> failedStep;
    std::string message;
    double cost = 0;
    std::chrono::microseconds worked{0};
    WallTime endedAt{};
    std::vector<TaskOutput> files; // in the output folder: relative name (as `port`) and artifact
};

struct ItemQuery {
    ItemIndex from{0}; // first item index
    std::int64_t limit = 1000;
    std::optional<TaskState> state;
    std::optional<Reason> reason;
};

struct FailureGroup {
    Reason reason;
    std::string step;    // by index until the facade names it
    std::string message; // normalised: ids, numbers, quoted names and addresses taken out
    std::int64_t count = 0;
    std::string sampleMessage;
    std::vector<ItemIndex> sampleItems; // at most five
};

// Reading. Owners and viewers alike; a viewer opens mode=ro, never checkpoints, and keeps reads short.
// Threads: one thread per reader.
class JournalReader {
public:
    // JobNotFound when there is no journal; Internal with the way out when a newer version wrote it.
    static Result<std::unique_ptr<JournalReader>> open(const std::filesystem::path& file);
    virtual ~JournalReader() = default;

    virtual Result<std::optional<std::string>> field(std::string_view name) = 0;
    virtual Result<std::vector<ItemRow>> items(const ItemQuery& query) = 0;
    virtual Result<std::optional<ItemRow>> item(ItemIndex item) = 0;
    virtual Result<std::vector<TaskEnded>> tasksOf(ItemIndex item) = 0; // latest attempt of each task
    virtual Result<StateCounts> itemCounts() = 0;                       // of admitted items
    virtual Result<std::vector<FailureGroup>> failureGroups() = 0;
    virtual Result<std::vector<EventRecord>> events(std::int64_t fromSeq, std::int64_t limit) = 0;
    virtual Result<std::int64_t> lastEventSeq() = 0;
    virtual Result<std::vector<AttemptRecord>> attemptsOf(const TaskKey& task) = 0;
    // What a resumed job must settle first, in the order in which they began: Intent, RemoteId and Responded, and an
    // Unknown one that is the last of a task that never ended.
    virtual Result<std::vector<AttemptRecord>> openAttempts() = 0;
    // Money in 10^-9 of the unit by currency: what attempts cost, of those without an outcome what was reserved.
    virtual Result<std::map<std::string, std::int64_t>> spentNanos() = 0;
};

// Writing: one thread owns the database; senders only queue. Groups adapt: whatever waits is committed together
// (synchronous=FULL), at most 4,096 records or 20 ms old.
// Threads: every method, from any thread.
class Journal {
public:
    struct Settings {
        bool durable = true; // false: no journal at all (benches); records are dropped, whenDurable runs at once
        std::chrono::milliseconds groupDelay{20};
        std::size_t congestedAt = 16'384; // waiting records at which congested() says true
        // Runs on the writer's thread before each commit: makes durable what the records name. Fails the group.
        std::function<Result<void>()> beforeCommit{};
    };
    // Called on the writer's thread after the commit that holds the record; must be quick. An error means: not durable.
    using WhenDurable = std::function<void(const Result<void>&)>;

    // Makes the file (mode 0600) or opens the existing one, migrating it if an older version wrote it.
    static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& file, const Settings& settings);
    // Writes what is queued, checkpoints, closes.
    virtual ~Journal() = default;

    // Never blocks. Records are written in the order in which they were queued.
    virtual void write(JournalRecord record, WhenDurable whenDurable = {}) = 0;
    // Several records in one transaction.
    virtual void write(std::vector<JournalRecord> records, WhenDurable whenDurable = {}) = 0;
    // True while too much waits: the source stops admitting items.
    virtual bool congested() const = 0;
    // Blocks until everything queued before is durable. The first error that the writer met, if any: after a disk error
    // nothing more is written, and the engine must pause (OutputDiskFull, OutputDenied).
    virtual Result<void> flush() = 0;
    virtual std::optional<Error> brokenBy() const = 0;
    // Called once, on the writer's thread, when the disk fails.
    virtual void onBroken(std::function<void(const Error&)> listener) = 0;
    virtual Result<std::unique_ptr<JournalReader>> reader() = 0;
};

} // namespace aiflow
