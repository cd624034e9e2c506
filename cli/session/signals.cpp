#include "cli/session/signals.h"

#include <algorithm>
#include <array>
#include <pthread.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr int kWake = SIGUSR2; // ends the wait when the watch is destroyed
constexpr std::array kHandled{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGTSTP, kWake};

bool isIgnored(int signal) noexcept
{
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t wanted() noexcept
{
    sigset_t set;
    sigemptyset(&set);
    // Linux delivers a blocked signal to sigwait even if it is ignored, so it must not be in the set.
    for (const int signal : kHandled)
        if (!isIgnored(signal)) sigaddset(&set, signal);
    return set;
}

} // namespace

const sigset_t& heldSignals() noexcept
{
    static const sigset_t set = wanted();
    return set;
}

void ignoreWriteSignals() noexcept
{
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
}

void holdSignals() noexcept { ::pthread_sigmask(SIG_BLOCK, &heldSignals(), nullptr); }

void releaseSignalsInChild() noexcept
{
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    ::pthread_sigmask(SIG_UNBLOCK, &heldSignals(), nullptr);
}

int exitCodeOfSignal(int signal) noexcept { return signal == SIGINT ? 130 : 143; }

SignalWatch::SignalWatch(Calls calls)
    : m_calls(std::move(calls)), m_thread([this](const std::stop_token& ended) { watch(ended); })
{
}

SignalWatch::~SignalWatch()
{
    m_thread.request_stop();
    ::pthread_kill(m_thread.native_handle(), kWake);
}

void SignalWatch::watch(const std::stop_token& ended)
{
    using namespace std::chrono;
    while (!ended.stop_requested()) {
        const auto deadline = m_calls.nextDeadline();
        if (!deadline) {
            int signal = 0;
            if (::sigwait(&heldSignals(), &signal) == 0) handle(signal);
            continue;
        }
        const auto left = std::max(nanoseconds(0), duration_cast<nanoseconds>(*deadline - steady_clock::now()));
        const timespec patience{static_cast<time_t>(left.count() / 1'000'000'000), left.count() % 1'000'000'000};
        const int signal = ::sigtimedwait(&heldSignals(), nullptr, &patience);
        if (signal > 0)
            handle(signal);
        else if (steady_clock::now() >= *deadline)
            m_calls.deadline();
    }
}

void SignalWatch::handle(int signal)
{
    if (signal == SIGUSR1) {
        m_calls.status();
    } else if (signal == SIGTSTP) {
        m_calls.suspend();
        ::kill(::getpid(), SIGSTOP);
        m_calls.proceed();
    } else if (signal != kWake) {
        m_calls.stop(signal);
    }
}

} // namespace aiflow
