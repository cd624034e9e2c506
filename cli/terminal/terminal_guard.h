// Gives the terminal back in order when the program dies: the cursor visible, colours off.
#pragma once

namespace aiflow::terminal {

// While it lives, signals that kill (a crash, an abort) first restore the terminal behind `descriptor`, then do what
// they would have done. Signals that somebody handles already, or ignores, are left alone. One at a time in a program.
// Threads: made and destroyed on one.
class TerminalGuard {
public:
    explicit TerminalGuard(int descriptor);
    ~TerminalGuard();
    TerminalGuard(const TerminalGuard&) = delete;
    TerminalGuard& operator=(const TerminalGuard&) = delete;
};

// What brings the terminal back: cursor shown, attributes off. May be called from a signal handler.
void restoreTerminal(int descriptor) noexcept;

} // namespace aiflow::terminal
