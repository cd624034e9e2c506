// Runs one job: builds the oneTBB flow graph of its pipeline, keeps the window, the order and the promises.
#pragma once

#include "aiflow/result.h"
#include "aiflow/state.h"
#include "core/api/api_lane.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/units.h"
#include "core/compute/op_registry.h"
#include "core/engine/calls/attempt_recorder.h"
#include "core/engine/item.h"
#include "core/inference/model_lane.h"
#include "core/live/live_job.h"
#include "core/pipeline/pipeline.h"
#include "core/store/artifact_store.h"
#include "core/store/journal.h"
#include "core/store/output_folder.h"
#include "core/store/result_cache.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace aiflow {

struct EngineSettings {
    int cores = 0;                           // CPU lane; 0: what the machine has
    Bytes valueMemory = mebibytes(512);      // decoded values held at once; admission waits above it
    std::int64_t activeItems = 0;            // items that hold memory; 0: chosen from cores and lanes
    std::int64_t callingItems = 0;           // items let in whose last call is not sent yet; 0: no bound
    std::int64_t stepLag = 0;                // items that a call stands back for every call before it
    std::int32_t jobPriority = 5;            // smaller goes first
    bool fresh = false;                      // look up no earlier results (they are still stored)
    bool failFast = false;                   // stop at the first failed item
    std::optional<std::int64_t> maxFailures; // stop when more items than this failed
    std::optional<double> maxFailurePercent; // of the items that ended, once 20 have
    std::vector<ItemIndex> only;             // sorted; empty: all (retry of chosen items)
};

// Everything a job needs; all outlive the runner.
struct JobParts {
    const Pipeline& pipeline;
    ItemSource& items;
    OpRegistry& ops;
    ModelLane* models = nullptr; // null: no model steps
    ApiLane* api = nullptr;      // null: no api steps
    Journal& journal;
    ArtifactStore& artifacts;
    ResultCache* cache = nullptr;   // null: nothing is reused or stored for later jobs
    OutputFolder* output = nullptr; // null: outputs stay artifacts
    LiveJob& live;
    const Clock& clock;
    Log& log;
    std::shared_ptr<AttemptRecorder> attempts{}; // null: calls leave no records, what was open is not settled
};

// What a job may spend on calls.
struct JobMoney {
    std::optional<Money> budget;
    Money spent; // in earlier processes
};

// How far an item came in an earlier process (resume, retry). Steps that did not end are Queued.
struct RestoredItem {
    TaskState state = TaskState::Queued; // terminal: it is only counted
    std::vector<TaskState> steps;
    std::vector<TaskEnded> tasks; // with durable outputs
};
// Called for every item before it starts; nothing: it is new. One thread.
using Restore = std::function<std::optional<RestoredItem>(const ItemHandle&)>;

enum class StopKind : std::uint8_t {
    Drain, // no new tasks; what runs or is open finishes
    Now,   // open calls are dropped too
};

struct JobEnd {
    JobState state = JobState::Succeeded; // Interrupted when it was stopped before the end
    StateCounts items;
    std::int64_t tasksRun = 0; // attempts of tasks that really worked here
    std::int64_t tasksReused = 0;
    std::int64_t recomputed = 0; // transient values made again
    std::optional<Error> cause;  // why it stopped by itself: disk, failures, budget
};

// Threads: run() on one thread; the others from any.
class JobRunner {
public:
    static Result<std::unique_ptr<JobRunner>> create(JobParts parts, EngineSettings settings, Restore restore);
    virtual ~JobRunner() = default;

    // Makes the API lane this job's: before run(), once per process. Its pauses and waits are shown from then on; when
    // the budget is reached the job stops with BudgetReached.
    virtual void serveCalls(const std::string& job, JobMoney money) = 0;

    // Works until every item ended or the job was stopped. One bad item never ends it. Error only when the job could
    // not do its work at all (the journal cannot be written at the start).
    virtual Result<JobEnd> run() = 0;
    // No new task starts; running ones finish; items keep their place.
    virtual void pause() = 0;
    virtual void resume() = 0;
    virtual bool paused() const = 0;
    // May be called again with Now.
    virtual void stop(StopKind kind) = 0;
    // A person's cancel: as stop(), but the items that did not end become Cancelled and the job too.
    virtual void cancel(StopKind kind) = 0;
    virtual std::int64_t running() const = 0; // tasks that run or are open now
};

} // namespace aiflow
