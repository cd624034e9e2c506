// Keeps a block of lines at the bottom of a terminal, with permanent lines scrolling above it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow::terminal {

// Redraws at most ten times a second and writes at most 2 KB each time: only what changed, the rest with the next one.
// The cursor is hidden while the block stands and rests below it.
// Threads: one at a time.
class BlockPrinter {
public:
    using Sink = std::function<void(std::string_view bytes)>;
    using Time = std::chrono::steady_clock::time_point;

    explicit BlockPrinter(Sink sink) : m_sink(std::move(sink)) {}
    // Erases the block and shows the cursor.
    ~BlockPrinter() { erase(); }
    BlockPrinter(const BlockPrinter&) = delete;
    BlockPrinter& operator=(const BlockPrinter&) = delete;

    // False when it is too early: ask again at nextDraw(). The lines must not be wider than `columns`.
    bool draw(const std::vector<std::string>& lines, int columns, Time now);
    // Something that was asked for is still to be drawn, or was left over for lack of room.
    bool isBehind() const { return m_behind; }
    Time nextDraw() const { return m_lastDraw + kInterval; }
    // Lines that stay, with their ends, above the block.
    void permanent(std::string_view text);
    // The terminal has another width: what was drawn may have been wrapped.
    void resized(int columns);
    // Takes the block off and shows the cursor; the next draw() puts it back. Before the terminal is handed to somebody
    // else (SIGTSTP), and at the end.
    void erase();

private:
    static constexpr std::chrono::milliseconds kInterval{100};

    std::string toTop() const;

    const Sink m_sink;
    std::vector<std::string> m_drawn;
    std::vector<std::string> m_wanted;
    int m_columns = 80;
    Time m_lastDraw{};
    bool m_behind = false;
    bool m_hidden = false;
    bool m_everDrew = false;
};

} // namespace aiflow::terminal
