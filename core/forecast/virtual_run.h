// A job in virtual time: the real dispatcher and the graph's order over modelled durations, without a network or a
// wait.
#pragma once

#include "core/api/settings/api_settings.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace aiflow {

struct ModelledDuration {
    std::chrono::nanoseconds median{0};
    double sigma = 0;     // lognormal; 0: always the median
    bool guessed = false; // nobody said it: an order must do for other durations too
};

struct ModelledStep {
    enum class Lane : std::uint8_t { Api, Device, Cpu };
    std::string name;
    Lane lane = Lane::Cpu;
    std::vector<std::size_t> needs; // indices of earlier steps
    std::string route;              // Api
    ModelledDuration duration;      // Api: one call; Device: of a batch of one; Cpu: one place
    int fanOut = 1;                 // calls at once, joined by the next step
    std::int64_t inputTokens = 0, outputTokens = 0, images = 0; // of one call
};

struct ModelledFlow {
    std::vector<ModelledStep> steps; // in topological order
    std::int64_t items = 0;
    std::int64_t cpuPlaces = 1;
    std::int64_t devices = 1;
    std::int64_t activeItems = 0; // window of admission; 0: no bound
    // Items that were let in and whose last call is not sent yet; 0: no bound. A bound keeps places of an account for
    // the later calls of items that have begun, so that what follows the calls starts early.
    std::int64_t callingItems = 0;
    // Calls by item: a call stands so many items behind for every call of its item before it. 0: the oldest item before
    // all others.
    std::int64_t stepLag = 0;
    // Between calls that are sent together: they reach the network one after the other.
    std::chrono::nanoseconds sendSpacing{0};
};

// Which of the waiting tasks of a lane goes next. ByItem is the product's own.
enum class OrderPolicy : std::uint8_t { ByItem, FirstCome, BreadthFirst, DepthFirst, LongestRestFirst };

struct LaneUse {
    std::string name; // "openai", "device", "cpu"
    std::chrono::nanoseconds busy{0};
    double utilisation = 0; // of what the resource allows
};
struct VirtualResult {
    std::chrono::nanoseconds makespan{0};
    std::int64_t calls = 0;
    std::int64_t failed = 0;
    std::map<std::string, Nanos> cost; // by currency
    std::vector<LaneUse> lanes;
};

// Deterministic for a seed. `settings` are at life speed. Error: PipelineInvalid for a flow that cannot run.
Result<VirtualResult> runVirtually(const ModelledFlow& flow, const ApiSettings& settings, OrderPolicy policy,
                                   std::uint64_t seed);

struct LowerBound {
    std::chrono::nanoseconds time{0};
    std::string binding; // the resource that gives it: "accounts of openai", "device", "cpu", "longest chain"
    std::map<std::string, std::chrono::nanoseconds> byResource;
};
// No schedule is faster. Formula: for every resource r and thresholds (h, q): h + work(A) / capacity(r) + q, A the
// tasks on r that have at least h of other work of their item before them and at least q after them; for rate limited
// accounts the work term is the earliest start of the n-th call given their windows; and the longest chain.
LowerBound lowerBound(const ModelledFlow& flow, const ApiSettings& settings);

// The shortest of all policies and `tries` seeded variations of them.
struct BestSchedule {
    std::chrono::nanoseconds makespan{0};
    std::string found; // by which policy
};
Result<BestSchedule> bestSchedule(const ModelledFlow& flow, const ApiSettings& settings, int tries, std::uint64_t seed);

} // namespace aiflow
