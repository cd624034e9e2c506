// Does the work of the graph's nodes: decides what a step comes to, runs tasks, and records how they ended.
#pragma once

#include "core/engine/calls/lane_calls.h"
#include "core/engine/item_finisher.h"

#include <memory>
#include <string>
#include <vector>

namespace aiflow {

// Threads: called by the graph, from CPU-lane threads and (begin, arrive) from the thread that feeds it.
class TaskRunner final : public GraphBodies {
public:
    explicit TaskRunner(JobContext& job);

    bool arrive(const Token& token) noexcept override;
    void countDown(const Token& token) noexcept override;
    void work() noexcept override;
    void call(const Token& token) noexcept override;

    // The item's first steps may run; with `lookUp` earlier results are looked for first, on the CPU lane.
    void enter(const Token& token, ActiveItem& item, bool lookUp);
    ItemFinisher& finisher() noexcept { return m_finisher; }
    // Results on their way to the disk.
    std::size_t keeping() const { return m_calls.keeping(); }

private:
    void execute(Work& work);
    void endPiece(const Token& token, ItemIndex item);
    void begin(const Token& token, ActiveItem& item);
    bool reuseItem(ActiveItem& item);
    void decide(const Token& token, ActiveItem& item);
    void fanOut(const Token& token, ActiveItem& item);
    void run(const Token& token, ActiveItem& item);
    std::optional<TaskResult> runOp(const Token& token, ActiveItem& item);
    void settle(const Token& token, ActiveItem& item, TaskResult result);
    bool triesAgain(const Token& token, ActiveItem& item, const TaskResult& result);
    void endElement(const Token& token, ActiveItem& item);
    void endStep(const Token& token, ActiveItem& item, TaskState state);
    void skip(const Token& token, ActiveItem& item, std::string why);

    JobContext& m_job;
    ItemValues m_values;
    ItemFinisher m_finisher;
    LaneCalls m_calls; // last: its threads end before the rest goes
};

} // namespace aiflow
