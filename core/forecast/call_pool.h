// Where the calls of a virtual run wait for an account.
#pragma once

#include "core/forecast/flow_shape.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace aiflow {

// Smaller goes first: priority, then item (or arrival), then the later step.
struct TaskRank {
    std::int32_t priority = 0;
    std::int64_t item = 0;
    std::int32_t step = 0;
    friend constexpr auto operator<=>(const TaskRank&, const TaskRank&) noexcept = default;
};

class CallPool {
public:
    struct Started {
        FlowTask task;
        std::uint64_t handle = 0;
        std::uint32_t account = 0; // accountNumber() of whoever sends it
    };
    struct Outcome { // of one decision
        std::vector<Started> started;
        std::vector<FlowTask> refused; // will never be sent
        void clear()
        {
            started.clear();
            refused.clear();
        }
    };
    virtual ~CallPool() = default;
    virtual void submit(const FlowTask& task, const TaskRank& rank, Nanoseconds now) = 0;
    virtual void decide(Nanoseconds now, Outcome& outcome) = 0;
    // When decide() must be called although nothing ended; nothing: never.
    virtual std::optional<Nanoseconds> nextDecision() const = 0;
    // The call reached the network.
    virtual void sent(const Started& call, Nanoseconds now) = 0;
    virtual void ended(const Started& call, Nanoseconds now, Nanoseconds latency) = 0;
};

} // namespace aiflow
