// Lets single keys reach the program while it lives.
#pragma once

#include <optional>

namespace aiflow {

// Standard input gives every key at once and does not echo it. The modes come back when this goes, when the program
// crashes, and around suspend() and proceed(). Does nothing when standard input is no terminal of ours.
// Threads: one. One at a time in a program.
class KeyMode {
public:
    KeyMode();
    ~KeyMode();
    KeyMode(const KeyMode&) = delete;
    KeyMode& operator=(const KeyMode&) = delete;

    bool active() const noexcept { return m_active; }
    void suspend() noexcept;
    void proceed() noexcept;
    // A key that was pressed; nothing when there is none.
    static std::optional<char> key();

private:
    bool m_active = false;
};

} // namespace aiflow
