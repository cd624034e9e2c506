// The real dispatcher as the pool of a virtual run.
#pragma once

#include "core/api/decision/dispatcher.h"
#include "core/forecast/flow_run.h"

#include <memory>
#include <vector>

namespace aiflow {

class DispatchedCalls final : public CallPool {
public:
    // All outlive it.
    DispatchedCalls(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings, std::uint64_t seed);

    void submit(const FlowTask& task, const TaskRank& rank, Nanoseconds now) override;
    void decide(Nanoseconds now, Outcome& outcome) override;
    std::optional<Nanoseconds> nextDecision() const override;
    void sent(const Started& call, Nanoseconds now) override;
    void ended(const Started& call, Nanoseconds now, Nanoseconds latency) override;

    const std::map<std::string, Nanos>& cost() const noexcept { return m_cost; }
    // By provider: the time that its calls were open.
    const std::vector<Nanoseconds>& busy() const noexcept { return m_busy; }
    // By provider: calls sent.
    const std::vector<std::int64_t>& sent() const noexcept { return m_sent; }

private:
    struct Call {
        FlowTask task;
        std::uint32_t model = 0;
        AttemptId attempt;
    };
    static BootTime at(Nanoseconds now) noexcept { return BootTime(kStart + std::chrono::nanoseconds(now)); }
    // A host that has run for a while: no window reaches back before its start.
    static constexpr std::chrono::nanoseconds kStart = std::chrono::hours(24 * 365);

    const ModelledFlow& m_flow;
    const FlowShape& m_shape;
    const ApiSettings& m_settings;
    SeededRandom m_random;
    std::uint64_t m_lastAttempt = 0;
    std::unique_ptr<Dispatcher> m_dispatcher;
    std::vector<Call> m_calls; // the call's id is its place here, from 1
    std::vector<std::uint32_t> m_free;
    std::map<std::string, Nanos> m_cost;
    std::vector<Nanoseconds> m_busy;
    std::vector<std::int64_t> m_sent;
};

} // namespace aiflow
