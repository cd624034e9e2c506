// The oneTBB flow graph of a job, built from its pipeline: what may run next is decided by its edges.
#pragma once

#include "core/engine/items/item_state.h"
#include "core/pipeline/pipeline.h"

#include <cstdint>
#include <memory>

namespace aiflow {

// What happens in the graph's nodes. Nothing may throw: an exception would cancel the whole graph.
class GraphBodies {
public:
    virtual ~GraphBodies() = default;
    // A join: one thing that token.step waits for has come. True: there is work in the ready queue.
    virtual bool arrive(const Token& token) noexcept = 0;
    // The finish: token.step of the item has ended.
    virtual void countDown(const Token& token) noexcept = 0;
    // The CPU lane: does the most urgent work, if any.
    virtual void work() noexcept = 0;
    // The async node of an api or model step: hands the prepared call to its lane; never waits.
    virtual void call(const Token& token) noexcept = 0;
};

// Per step a join (a countdown per item) and a broadcast to the joins of the steps that use it; one CPU lane shared by
// all; per api and model step an async node. Tokens only; who runs is decided by the ready queue behind the CPU lane.
// Threads: every method, from any thread; wait() from one.
class JobGraph {
public:
    JobGraph(const Pipeline& pipeline, int cores, GraphBodies& bodies);
    ~JobGraph(); // only after wait()
    JobGraph(const JobGraph&) = delete;
    JobGraph& operator=(const JobGraph&) = delete;

    void begin(const Token& token);    // the item's first steps may run
    void ended(const Token& token);    // token.step has ended, in whatever state
    void turn(std::int64_t count = 1); // so many pieces of work were put into the ready queue
    // The token leaves for its lane; the graph stays alive until returned() or dropped(), once for each call().
    void call(const Token& token);
    void returned(const Token& token); // the result is in the ready queue, durable
    void dropped(const Token& token);  // there will be none
    // The same for work that leaves the CPU lane without an async node.
    void hold();
    void letGo();
    // Until nothing runs and every call has come back.
    void wait();

private:
    struct Nodes;
    std::unique_ptr<Nodes> m_nodes;
};

} // namespace aiflow
