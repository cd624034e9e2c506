#include "cli/terminal/terminal_guard.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace aiflow::terminal {

namespace {

constexpr std::array kDeadly{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGHUP, SIGTERM, SIGINT};

// A signal handler can reach nothing but the file's own state.
std::atomic<int> guarded{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void restoreAndDie(int signal)
{
    restoreTerminal(guarded.load());
    // SA_RESETHAND put the default back: the signal now kills, with its own exit status.
    ::raise(signal);
}

bool handles(int signal, void (*handler)(int))
{
    struct sigaction current {};
    return ::sigaction(signal, nullptr, &current) == 0 && current.sa_handler == handler;
}

} // namespace

void restoreTerminal(int descriptor) noexcept
{
    static constexpr char kRestore[] = "\x1b[0m\x1b[?25h\r\n";
    const int before = errno;
    if (descriptor >= 0) [[maybe_unused]]
        const auto written = ::write(descriptor, kRestore, sizeof kRestore - 1);
    errno = before;
}

TerminalGuard::TerminalGuard(int descriptor)
{
    guarded = descriptor;
    struct sigaction action {};
    action.sa_handler = restoreAndDie;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    for (const int signal : kDeadly)
        if (handles(signal, SIG_DFL)) ::sigaction(signal, &action, nullptr);
}

TerminalGuard::~TerminalGuard()
{
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (const int signal : kDeadly)
        if (handles(signal, restoreAndDie)) ::sigaction(signal, &usual, nullptr);
    guarded = -1;
}

} // namespace aiflow::terminal
