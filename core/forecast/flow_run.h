// The event loop of virtual time: items enter, steps count down what they need, lanes take the most urgent task.
#pragma once

#include "core/forecast/call_pool.h"

#include <array>
#include <vector>

namespace aiflow {

// As in ModelledFlow.
struct FlowWindow {
    std::int64_t activeItems = 0;
    std::int64_t callingItems = 0;
    std::int64_t stepLag = 0;
    Nanoseconds sendSpacing = 0;
};
struct FlowEnd {
    Nanoseconds makespan = 0;
    std::int64_t calls = 0;
    std::int64_t failed = 0;
    std::array<Nanoseconds, 3> busy{}; // by ModelledStep::Lane
};

// One run. No allocation per event once the heaps have grown: some 20 bytes per item and step.
class FlowRun {
public:
    // All outlive it.
    FlowRun(const FlowShape& shape, FlowWindow window, OrderPolicy policy, std::uint64_t seed, CallPool& calls);

    // Receives when every item's every step (item * steps + step) started, and on which account; before run().
    struct Course {
        std::vector<Nanoseconds> starts;
        std::vector<std::uint32_t> accounts;
    };
    void follow(Course& course);

    // Internal: the calls' pool says that it has nothing to do although calls wait.
    Result<FlowEnd> run();

private:
    struct Waiting {
        TaskRank rank;
        FlowTask task;
    };
    struct Event {
        Nanoseconds at = 0;
        std::uint64_t number = 0;
        CallPool::Started call;
        Nanoseconds duration = 0;
        bool isSending = false; // the call reaches the network; otherwise the task ends
    };
    struct LocalLane {
        std::vector<Waiting> waiting; // a heap
        std::int64_t free = 0;
    };
    struct ItemCount {
        std::uint16_t steps = 0; // to come
        std::uint16_t calls = 0; // steps of the API lane that were not sent
    };
    static bool later(const Event& left, const Event& right) noexcept;
    static bool lessUrgent(const Waiting& left, const Waiting& right) noexcept;

    std::size_t slot(const FlowTask& task) const noexcept;
    TaskRank rankOf(const FlowTask& task) noexcept;
    bool mayAdmit() const noexcept;
    void admit();
    void release(std::int32_t item, std::uint16_t step);
    void startLocal(LocalLane& lane);
    void startCalls();
    void start(const CallPool::Started& call);
    void send(const CallPool::Started& call, Nanoseconds at);
    void push(const Event& event);
    void end(const Event& event);
    void stepEnded(std::int32_t item, std::uint16_t step);
    void dropAfter(std::int32_t item, std::uint16_t step);
    void countDown(std::int32_t item);
    void callGone(const FlowTask& task);
    bool advance();

    const FlowShape& m_shape;
    FlowWindow m_window;
    OrderPolicy m_policy;
    std::uint64_t m_seed;
    CallPool& m_calls;
    Nanoseconds m_now = 0;
    Nanoseconds m_lastSending = INT64_MIN / 2;
    std::uint64_t m_number = 0;
    std::int64_t m_arrival = 0;
    std::int64_t m_admitted = 0;
    std::int64_t m_active = 0;
    std::int64_t m_calling = 0;
    std::int64_t m_callsWaiting = 0;
    std::vector<Event> m_events; // a heap
    LocalLane m_devices, m_cpu;
    CallPool::Outcome m_outcome;
    std::vector<std::uint8_t> m_missing;   // by item and step: what it still needs
    std::vector<std::uint16_t> m_elements; // by item and step: not ended
    std::vector<ItemCount> m_items;
    FlowEnd m_end;
    Course* m_course = nullptr;
};

} // namespace aiflow
