// Schedules laid out task by task in the order of a list, each at the earliest moment that its item and all resources
// allow: with the right list, the best schedule there is.
#pragma once

#include "core/forecast/timelines.h"

#include <vector>

namespace aiflow {

// Its limits are exactly those of the settings, without the margin that a real client keeps.
// Cost: some microseconds a task, more when there are thousands.
class ListScheduler {
public:
    // All outlive it.
    ListScheduler(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings, std::uint64_t seed);

    // A list: of every item's every step (item * steps + step) a key, smaller is laid out first, a step never before
    // those it needs; and the account that is taken when several are free at the same moment.
    struct List {
        std::vector<double> keys;
        std::vector<std::uint32_t> accounts; // empty: the one whose windows are shortest
    };
    Nanoseconds makespan(const List& list);

private:
    struct Place {
        std::uint32_t account = 0;
        Nanoseconds window = 0; // the account's longest; 0: it counts open calls alone
        CallUse use;
        std::vector<std::size_t> limits; // indices of m_limits
    };
    struct Queued {
        double key = 0;
        std::int32_t item = 0;
        std::uint16_t step = 0;
    };
    void begin(const List& list);
    void enqueue(const List& list, std::size_t slot);
    Nanoseconds layOutStep(const List& list, const Queued& step);
    void preparePlaces(const ModelledFlow& flow);
    std::size_t limitOf(std::size_t kind, std::size_t first, std::size_t second, const LimitSet& limits);
    Nanoseconds layOut(const FlowTask& task, Nanoseconds ready, std::uint32_t account);
    Nanoseconds layOutCall(std::size_t step, Nanoseconds ready, Nanoseconds duration, std::uint32_t account);
    Nanoseconds earliestAt(const Place& place, Nanoseconds ready, Nanoseconds duration, Nanoseconds until) const;

    const FlowShape& m_shape;
    const ApiSettings& m_settings;
    std::uint64_t m_seed;
    std::vector<std::vector<Place>> m_places; // by step
    std::vector<std::array<std::size_t, 3>> m_names;
    std::vector<LimitTimeline> m_fresh;
    std::vector<LimitTimeline> m_limits;
    PlaceTimeline m_devices{1};
    PlaceTimeline m_cpu{1};
    std::vector<Nanoseconds> m_ready; // by item and step: the end of what it needs
    std::vector<std::uint8_t> m_missing;
    std::vector<Queued> m_queue;
};

} // namespace aiflow
