// An item in the window: what its steps have come to, the values it holds, and the token that stands for it.
#pragma once

#include "aiflow/result.h"
#include "aiflow/state.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/compute/value.h"
#include "core/engine/item.h"
#include "core/pipeline/pipeline.h"
#include "core/store/journal.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// What travels along the edges of the graph. Values never do.
struct Token {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; // of the slot, so that a token can never mean the slot's next item
    std::int32_t step = -1;
    std::int32_t element = -1;
};

// How one try of a task came out.
struct TaskResult {
    TaskState state = TaskState::Succeeded;
    std::shared_ptr<const Values> values; // null: only the durable outputs are at hand
    std::vector<TaskOutput> durable;
    std::optional<Error> error; // Failed, and the rule's text when Skipped
    WallTime startedAt{};
    std::chrono::microseconds waited{0};
    std::chrono::microseconds worked{0};
    int attempts = 1;
    std::string provenance; // JSON text
    std::string fromJob;    // Cached: the job that made it
    double cost = 0;
    std::string currency;
    std::int64_t tokensIn = 0, tokensOut = 0;
    std::string requestId;
    bool journaled = false; // its TaskEnded is written already
    bool reusable = true;   // not empty: may stand in the item's record
};

// A call on its way to a lane; defined where calls are made.
struct OpenCall;

struct TaskSlot {
    TaskState state = TaskState::Queued;
    std::shared_ptr<const Values> values; // guarded by ActiveItem::mutex
    std::vector<TaskOutput> durable;
    std::shared_ptr<OpenCall> call; // between the CPU lane and the lane's door
    int attempts = 0;
};

struct Fanout {
    explicit Fanout(std::size_t count) : elements(count) {}
    std::vector<TaskSlot> elements;
    std::atomic<std::int32_t> left{0};
    Value list; // guarded by ActiveItem::mutex; empty after parking: resolved again when needed
};

struct StepRun {
    std::atomic<TaskState> state{TaskState::Queued};
    std::atomic<std::int32_t> pending{0};   // dependencies that have not ended
    std::atomic<std::int32_t> consumers{0}; // steps that may still ask for the values
    TaskSlot task;
    std::unique_ptr<Fanout> fanout;
};

struct StepFailure {
    StepIndex step;
    Error error;
};

// Threads: a step's own record belongs to the one thread that works on it; the joins' countdowns hand it on. What two
// branches may touch at once is guarded by `mutex`.
struct ActiveItem {
    ItemHandle handle;
    ContentHash key{}; // of the item's record of results; zero: not known
    std::vector<StepRun> steps;
    std::mutex mutex;
    ItemFields fields;                   // guarded; read again after parking
    std::vector<StepFailure> failures;   // guarded
    std::string skipText;                // guarded; the rule that skipped the first step
    std::chrono::microseconds worked{0}; // guarded
    double cost = 0;                     // guarded
    std::string currency;                // guarded
    int attempts = 0;                    // guarded; the most that one task took
    bool reusable = true;                // guarded; every result may be used by later jobs
    bool announced = false;              // the viewers were told that it runs
    std::atomic<std::int64_t> bytes{0};  // of memory that its values hold
    std::atomic<std::int64_t> peakBytes{0};

    // Makes it an item that has done nothing; countdowns are set for the pipeline's joins.
    void reset(const Pipeline& pipeline);
};

// An item that only waits, in some 50 bytes and 60 for each durable output: identity, states, references. No fields, no
// values, no title (the journal has it).
// Nothing of the item may run meanwhile.
std::string packItem(const ActiveItem& item);
// Undoes packItem() on a reset item.
void unpackItem(const std::string& packed, const Pipeline& pipeline, ActiveItem& item);
std::vector<TaskState> stepStates(const ActiveItem& item);

} // namespace aiflow
