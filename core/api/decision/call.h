// A call that waits or is open, and what it went through.
#pragma once

#include "core/api/decision/health/retry_policy.h"
#include "core/api/decision/limits/amounts.h"
#include "core/api/decision/route_book.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace aiflow {

// The order of work: priority, item, later step, element, and for equals who came first.
struct Rank {
    std::int32_t priority = 0;
    std::int32_t stepFromEnd = 0;
    std::int64_t item = 0;
    std::uint64_t arrival = 0;
    std::int32_t element = 0;
    friend bool operator<(const Rank& a, const Rank& b) noexcept
    {
        if (a.priority != b.priority) return a.priority < b.priority;
        if (a.item != b.item) return a.item < b.item;
        if (a.stepFromEnd != b.stepFromEnd) return a.stepFromEnd < b.stepFromEnd;
        if (a.element != b.element) return a.element < b.element;
        return a.arrival < b.arrival;
    }
};

// What went wrong with a call so far, for its last words.
struct CallStory {
    std::string where; // "openai/gpt-image on openai/main"
    Failure last;
    std::map<FailureClass, int> counts;
};

// Where a call lives in the queue's table.
using Slot = std::uint32_t;

struct Call {
    enum class State : std::uint8_t { Free, Queued, Delayed, Parked, Open };
    CallDemand demand;
    BootTime since{};
    CallPast past;
    std::uint64_t arrival = 0;
    RouteBook::ListId list = 0;      // what may answer the next attempt
    RouteBook::ListId routeList = 0; // what is left of the route
    std::uint32_t generation = 0;    // of its place in a queue
    State state = State::Free;
    bool retries = false; // its next attempt is one that the retry budget counts
    bool told = false;    // ... but was asked for, by the provider or by our changing the request: not counted
    bool demoted = false; // its list was shortened: a model could not do it
    std::unique_ptr<CallStory> story;
};

inline Rank rankOf(const Call& call) noexcept
{
    const CallDemand& demand = call.demand;
    return {demand.priority, demand.stepFromEnd, demand.item.value(), call.arrival, demand.element};
}

} // namespace aiflow
