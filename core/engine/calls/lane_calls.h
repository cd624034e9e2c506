// Api and model tasks: prepared on the CPU lane, handed to their lane, and brought back durable.
#pragma once

#include "core/engine/calls/result_keeper.h"
#include "core/engine/items/task_inputs.h"
#include "core/engine/items/task_keys.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace aiflow {

class LaneCalls;

// A call between its preparation and its answer. What it carries is given away when it is submitted, so that a call
// that waits for long is small.
struct OpenCall {
    LaneCalls* owner = nullptr;
    Token token;
    TaskKey task;
    std::optional<ContentHash> key; // under which the result is remembered
    WallTime startedAt{};
    MonotonicTime submitted{};
    std::int64_t preparedBytes = 0;
    std::atomic<bool> unsent{false}; // counted in the job's `unsent`
    struct Cargo {
        std::optional<ApiCall> request;
        std::unique_ptr<PreparedInput> prepared;
        std::optional<CachedResult> found; // instead of a call
    };
    std::unique_ptr<Cargo> cargo;
};

// Threads: start() and submit() on CPU-lane threads; answers come on the lanes' threads.
class LaneCalls {
public:
    LaneCalls(JobContext& job, ItemValues& values);

    // Gathers and prepares. A result: the task ended here, reused or failed. Nothing: `task.call` is ready for the
    // graph.
    std::optional<TaskResult> start(ActiveItem& item, const Token& token, TaskSlot& task);
    // The async node's body.
    void submit(ActiveItem& item, const Token& token, TaskSlot& task) noexcept;

    TaskKeys& keys() noexcept { return m_keys; }
    // An earlier result of the same work, with all its artifacts still there.
    std::optional<CachedResult> find(const ContentHash& key) const;
    // Makes an op's result durable; its piece of the item's work goes with it and comes back as Settle.
    void keepOpResult(KeepOrder order);
    std::size_t keeping() const { return m_keeper.waiting(); }

private:
    Result<void> prepareRequest(ActiveItem& item, OpenCall& call);
    Result<void> prepareInput(ActiveItem& item, OpenCall& call);
    Result<Json> requestOf(ActiveItem& item, const Token& token);
    Result<Json> requestValue(const Value& value);
    bool lookUp(OpenCall& call) const;

    void answered(const std::shared_ptr<OpenCall>& call, Result<ApiAnswer> answer);
    void answered(const std::shared_ptr<OpenCall>& call, Result<Values> values, ModelTiming timing);
    void failed(const OpenCall& call, Error error, TaskResult result);
    void drop(const Token& token);
    void countSent(OpenCall& call);
    void bringBack(const Token& token, ItemIndex item, TaskResult result);
    TaskResult timed(const OpenCall& call) const;

    JobContext& m_job;
    ItemValues& m_values;
    TaskKeys m_keys;
    ResultKeeper m_keeper; // last: its threads end first
};

} // namespace aiflow
