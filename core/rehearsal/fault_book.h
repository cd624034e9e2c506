// The scripted faults of one service: which call meets which.
#pragma once

#include "core/rehearsal/wire/wire.h"

#include <mutex>
#include <random>

namespace aiflow {

// Threads: one at a time.
class FaultBook {
public:
    FaultBook(std::vector<SimulatedFault> faults, std::uint64_t seed);
    void add(SimulatedFault fault) { m_rules.push_back({std::move(fault), 0}); }
    void clear() { m_rules.clear(); }
    bool empty() const { return m_rules.empty(); }

    struct Meeting {
        const std::string& account;
        const std::string& model;
        const std::string& body;
        std::int64_t lifeMs = 0; // simulated, since the start
    };
    // The first rule that the call meets and whose chance comes true; counts it.
    std::optional<SimulatedFault> meet(const Meeting& call);
    // Is the account down for certain now? For health checks; counts nothing.
    bool down(const std::string& account, std::int64_t lifeMs) const;

private:
    struct Rule {
        SimulatedFault fault;
        std::int64_t met = 0;
    };
    static bool inTime(const SimulatedFault& fault, std::int64_t lifeMs);

    std::vector<Rule> m_rules;
    std::mt19937_64 m_random;
};

// Whether the work is done (and charged) although the call ends so.
bool executes(FaultKind kind) noexcept;
bool throttles(FaultKind kind) noexcept;
// Adds a throttle's hint to a 429. `tellMs`: what is told, 0 for a usual time; garbage takes it as its choice.
// Returns the told time in milliseconds; nothing: none that can be obeyed.
std::optional<std::int64_t> addHint(Reply& reply, FaultKind kind, int tellMs);
// "Sun, 22 Nov 2026 14:00:00 GMT"
std::string httpDate(std::int64_t secondsSinceEpoch);

} // namespace aiflow
