// What the parts of one running job share: the window, the ready queue, the graph, the counters, the wish to stop.
#pragma once

#include "core/engine/calls/waiting_calls.h"
#include "core/engine/items/item_window.h"
#include "core/engine/job_graph.h"
#include "core/engine/job_plan.h"
#include "core/engine/job_runner.h"
#include "core/engine/ready_queue.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

namespace aiflow {

// Wakes the thread that feeds the graph. Ringing costs one load while it is awake.
// Threads: ring() from any; sleepUntil() from one.
class Doorbell {
public:
    void ring();
    // Returns when `ready` says true; it is asked after every ring, and now and then.
    template <typename Ready> void sleepUntil(Ready ready)
    {
        m_asleep.store(true);
        while (!ready()) sleep();
        m_asleep.store(false);
    }

private:
    void sleep();

    std::atomic<bool> m_asleep{false};
    std::mutex m_mutex;
    std::condition_variable m_bell;
    bool m_rung = false; // guarded by m_mutex
};

// Threads: every method, from any thread.
class JobContext {
public:
    JobContext(JobParts jobParts, EngineSettings engineSettings);

    const Pipeline& pipeline() const noexcept { return parts.pipeline; }
    const Step& step(const Token& token) const { return parts.pipeline.at(StepIndex(token.step)); }
    const StepPlan& stepPlan(const Token& token) const { return plan.at(StepIndex(token.step)); }

    // Puts a piece of an item's work, which the caller holds, into the ready queue; then gives the CPU lane its turn.
    void queueWork(const Token& token, ItemIndex item, WorkKind kind, std::unique_ptr<TaskResult> result = nullptr);
    // A step of an item goes to another state, for everyone who counts.
    void moveStep(ActiveItem& item, StepIndex step, TaskState to);

    // Stops admission and starts; what runs or is open finishes. The first cause is kept.
    void stop();
    void stopBecause(Error cause);
    bool stopping() const noexcept { return m_stopping.load(); }
    std::optional<Error> cause() const;

    // An item came to its end here: the limits on failures are held against it.
    void countEnded(TaskState state);
    // One that ended in an earlier process.
    void countRestored(TaskState state);
    StateCounts ended() const; // both
    std::int64_t endedHere() const noexcept { return m_endedHere.load(); }
    // Results of an earlier job were used instead of work.
    void countReused(const std::string& fromJob, std::int64_t tasks);

    JobParts parts;
    EngineSettings settings;
    GraphPlan plan;
    std::string jobName; // stands in the records of results
    Doorbell bell;
    ReadyQueue queue;
    ItemWindow window;
    WaitingCalls waiting;
    std::unique_ptr<JobGraph> graph; // only while the job runs
    std::stop_source hurry;          // stop(Now): long ops look at it
    std::atomic<std::int64_t> running{0};
    std::atomic<std::int64_t> unsent{0}; // calls that the API lane has, none of whose attempts began
    std::atomic<std::int64_t> tasksRun{0};
    std::atomic<std::int64_t> tasksReused{0};
    std::atomic<std::int64_t> recomputed{0};

private:
    std::optional<Error> tooManyFailures() const;

    std::atomic<bool> m_stopping{false};
    mutable std::mutex m_mutex;
    std::optional<Error> m_cause;  // guarded by m_mutex
    StateCounts m_ended;           // guarded by m_mutex
    std::int64_t m_failedHere = 0; // guarded by m_mutex
    std::atomic<std::int64_t> m_endedHere{0};
    std::unordered_map<std::string, std::int64_t> m_reused; // guarded by m_mutex
};

// The journal's record of how far an item is.
ItemProgress progressOf(const ActiveItem& item, TaskState state);
// The journal's record of a task that ended.
TaskEnded endedRecord(const TaskKey& task, const TaskResult& result);
// The error as people may see it: without keys that a provider might have echoed.
std::string cleanMessage(const Error& error);

} // namespace aiflow
