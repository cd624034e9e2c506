// What the CPU lane does next: every task that may run now, in one order for the whole job.
#pragma once

#include "core/engine/items/item_state.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace aiflow {

enum class WorkKind : std::uint8_t {
    Begin,  // an item enters: earlier results are looked up
    Step,   // `when` and `for_each` are decided, a plain step runs
    Task,   // one task runs: an element of a fan-out, or a second try
    Settle, // a result that was kept comes back into the graph
    Finish, // the item ends: outputs are placed
};

struct Work {
    std::int32_t priority = 0; // of the step; smaller goes first
    ItemIndex item;
    std::int32_t stepFromEnd = 0; // the later step of an item goes first
    Token token;
    WorkKind kind = WorkKind::Step;
    bool op = false;                    // may take long: it runs an op
    std::unique_ptr<TaskResult> result; // Settle only
};

// Settle and Finish end what has begun, so they pass a closed gate; the others wait behind it. Ops take at most so many
// turns at once, so that what feeds the other lanes never waits for a long one.
// Threads: every method, from any thread; one short lock, no allocation once the heaps have grown.
class ReadyQueue {
public:
    // Before anything is pushed; without: any number.
    void limitOps(std::int64_t atOnce) { m_mostOps = atOnce; }
    void push(Work work);
    // The most urgent work that the gate lets through; nothing: the caller's turn is remembered until open().
    std::optional<Work> pop();
    // An op that pop() gave is over. True: a turn is owed to one that found all places taken.
    bool endOp();
    void close();
    void closeForGood(); // open() changes nothing any more
    // Gives the number of turns that found the gate closed: that many pops are owed.
    std::int64_t open();
    bool closed() const;
    std::size_t size() const noexcept { return m_size.load(std::memory_order_relaxed); }

private:
    mutable std::mutex m_mutex;
    std::vector<Work> m_starting;  // guarded by m_mutex; a heap
    std::vector<Work> m_ops;       // guarded by m_mutex; a heap
    std::vector<Work> m_finishing; // guarded by m_mutex; a heap
    std::int64_t m_mostOps = std::numeric_limits<std::int64_t>::max();
    std::int64_t m_opsRunning = 0; // guarded by m_mutex
    std::int64_t m_owedToOps = 0;  // guarded by m_mutex
    bool m_closed = false;         // guarded by m_mutex
    bool m_final = false;          // guarded by m_mutex
    std::int64_t m_owed = 0;       // guarded by m_mutex
    std::atomic<std::size_t> m_size{0};
};

} // namespace aiflow
