// A modelled flow, checked and laid out for the runs over it: what follows what, and what every step has before and
// after it.
#pragma once

#include "core/forecast/virtual_run.h"

#include <cstdint>
#include <span>
#include <vector>

namespace aiflow {

using Nanoseconds = std::int64_t; // of virtual time, from the job's start

// One piece of work. `element` counts the calls of a step that fans out.
struct FlowTask {
    std::int32_t item = 0;
    std::uint16_t step = 0;
    std::uint16_t element = 0;
};

struct StepShape {
    ModelledStep::Lane lane = ModelledStep::Lane::Cpu;
    std::size_t route = 0; // Api: index in the settings
    std::vector<std::uint16_t> next;
    std::uint8_t needs = 0;
    std::uint16_t fanOut = 1;
    std::int32_t fromEnd = 0;
    Nanoseconds median = 0;
    double sigma = 0;
    Nanoseconds least = 0;        // no task of it is shorter
    Nanoseconds head = 0;         // least work before it, along the longest chain
    Nanoseconds tail = 0;         // ... after it
    std::int32_t callsBefore = 0; // steps of the API lane before it, along one chain at most
    std::int32_t rest = 0;        // its place when the steps are sorted by `least + tail`, longest first
};

// Immutable.
struct FlowShape {
    // PipelineInvalid: a step needs a later one, an unknown route, a call that no account may ever send, ...
    static Result<FlowShape> of(const ModelledFlow& flow, const ApiSettings& settings);

    std::vector<StepShape> steps;
    std::int64_t items = 0;
    std::int64_t devices = 1;
    std::int64_t cpuPlaces = 1;
    std::int64_t tasksPerItem = 0; // elements counted
    std::uint16_t callSteps = 0;   // steps of the API lane

    // A task's duration in the world of this seed: the same whatever the order of work. Lognormal ones are cut off at
    // three sigma on both sides.
    Nanoseconds duration(const FlowTask& task, std::uint64_t seed) const noexcept;
};

// Evenly spread bits of a number.
std::uint64_t mixBits(std::uint64_t value) noexcept;

} // namespace aiflow
