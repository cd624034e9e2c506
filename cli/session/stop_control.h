// What Ctrl-C does to a running job: first a soft stop with a deadline, then a hard one, then the way out.
#pragma once

#include "aiflow/engine.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

namespace aiflow {

// Threads: every method, from any thread.
class StopControl {
public:
    using Time = std::chrono::steady_clock::time_point;

    struct Calls {
        // No new work from now on, until `deadline` for what runs.
        std::function<void(JobSession& session, Time deadline)> stopping;
        // The open work is dropped now; `graceOver`: because the time is up.
        std::function<void(bool graceOver)> dropping;
        // Ends the process at once, with the terminal as it was.
        std::function<void(int exitCode)> leave;
    };

    StopControl(std::chrono::seconds grace, Calls calls) : m_grace(grace), m_calls(std::move(calls)) {}

    // The job is there; before, a stop leaves at once, since nothing ran.
    void setSession(JobSession* session);
    void stop(int signal, Time now);
    void deadlinePassed(Time now);
    std::optional<Time> deadline() const;
    // The first signal that asked to stop.
    std::optional<int> signal() const;

private:
    void dropNow(std::unique_lock<std::mutex>& lock, bool graceOver, Time now);

    const std::chrono::seconds m_grace;
    const Calls m_calls;
    mutable std::mutex m_mutex;
    JobSession* m_session = nullptr; // this and the rest: guarded by m_mutex
    std::optional<int> m_signal;
    int m_asked = 0;
    bool m_dropped = false;
    std::optional<Time> m_deadline;
};

} // namespace aiflow
