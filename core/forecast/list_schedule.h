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

    // `keys`: of every item's every step (item * steps + step); smaller is laid out first, a step never before those it
    // needs. Gives the makespan; `starts`, when given, receives when every step's last element starts.
    Nanoseconds makespan(const std::vector<double>& keys, std::vector<Nanoseconds>* starts = nullptr);

private:
    struct Place {
        CallUse use;
        std::vector<std::size_t> limits; // indices of m_limits
    };
    struct Queued {
        double key = 0;
        std::int32_t item = 0;
        std::uint16_t step = 0;
    };
    void preparePlaces(const ModelledFlow& flow);
    std::size_t limitOf(std::size_t kind, std::size_t first, std::size_t second, const LimitSet& limits);
    Nanoseconds layOut(const FlowTask& task, Nanoseconds ready);
    Nanoseconds layOutCall(std::size_t step, Nanoseconds ready, Nanoseconds duration);

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
