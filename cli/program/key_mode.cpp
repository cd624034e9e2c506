#include "cli/program/key_mode.h"

#include "cli/terminal/terminal_guard.h"

#include <array>
#include <csignal>
#include <termios.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// A signal handler can reach nothing else.
termios savedModes;

void restoreAndDie(int signal)
{
    ::tcsetattr(STDIN_FILENO, TCSANOW, &savedModes);
    terminal::restoreTerminal(STDERR_FILENO);
    ::raise(signal);
}

void onCrash(void (*handler)(int)) noexcept
{
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND | SA_NODEFER);
    for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
}

} // namespace

KeyMode::KeyMode()
{
    // A background process that touches the modes would be stopped.
    const bool foreground = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
    if (!foreground || ::tcgetattr(STDIN_FILENO, &savedModes) != 0) return;
    m_active = true;
    onCrash(restoreAndDie);
    proceed();
}

KeyMode::~KeyMode()
{
    if (!m_active) return;
    suspend();
    onCrash(SIG_DFL);
}

void KeyMode::suspend() noexcept
{
    if (m_active) ::tcsetattr(STDIN_FILENO, TCSANOW, &savedModes);
}

void KeyMode::proceed() noexcept
{
    if (!m_active) return;
    termios modes = savedModes;
    modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    modes.c_cc[VMIN] = 0;
    modes.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

std::optional<char> KeyMode::key()
{
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 ? std::optional(key) : std::nullopt;
}

} // namespace aiflow
