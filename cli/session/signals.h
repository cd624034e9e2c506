// Turns the process's signals into calls on a thread of its own.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

namespace aiflow {

// Writing to a pipe that nobody reads, or beyond the limit of a file's size, fails instead of ending the process.
void ignoreWriteSignals() noexcept;
// To be called before any thread is started: from now on the signals that SignalWatch handles reach only it. Those that
// the parent had ignored (nohup, a shell's background) stay ignored.
void holdSignals() noexcept;
// The signals that were held, for signalfd(2) and sigwait(3).
const sigset_t& heldSignals() noexcept;
// For a child process: as if nothing had been held.
void releaseSignalsInChild() noexcept;
// 130 for SIGINT, 143 for SIGTERM and SIGHUP.
int exitCodeOfSignal(int signal) noexcept;

// Threads: owns one, which makes all the calls. Destroy from the thread that made it.
class SignalWatch {
public:
    struct Calls {
        std::function<void(int signal)> stop;   // SIGINT, SIGTERM, SIGHUP
        std::function<void()> status;           // SIGUSR1
        std::function<void()> suspend, proceed; // around a stop by SIGTSTP
        // When to call `deadline`; asked after every signal.
        std::function<std::optional<std::chrono::steady_clock::time_point>()> nextDeadline;
        std::function<void()> deadline;
    };

    explicit SignalWatch(Calls calls);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    void watch(const std::stop_token& ended);
    void handle(int signal);

    Calls m_calls;
    std::jthread m_thread;
};

} // namespace aiflow
