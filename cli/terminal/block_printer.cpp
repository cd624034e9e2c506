#include "cli/terminal/block_printer.h"

#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow::terminal {

namespace {

constexpr std::size_t kMostBytes = 2048;
constexpr std::size_t kReserve = 96; // cursor moves and the like
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

// Without colour codes.
std::string visible(std::string_view line)
{
    std::string text;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] != '\x1b') {
            text += line[at];
            continue;
        }
        while (at < line.size() && line[at] != 'm') ++at;
    }
    return text;
}

int heightOf(std::string_view line, int columns)
{
    const int cells = cellsOf(visible(line));
    return std::max(1, (cells + columns - 1) / columns);
}

} // namespace

std::string BlockPrinter::toTop() const
{
    int height = 0;
    for (const std::string& line : m_drawn) height += heightOf(line, m_columns);
    return height == 0 ? "\r" : "\r\x1b[" + std::to_string(height) + 'A';
}

bool BlockPrinter::draw(const std::vector<std::string>& lines, int columns, Time now)
{
    m_wanted = lines;
    m_behind = true;
    if (m_everDrew && now < nextDraw()) return false;
    resized(columns);
    std::string bytes;
    if (!m_hidden) bytes += kHideCursor;
    bytes += toTop();
    if (m_wanted.size() < m_drawn.size()) {
        bytes += kClearBelow;
        m_drawn.clear();
    }
    m_drawn.resize(m_wanted.size());
    m_behind = false;
    for (std::size_t row = 0; row < m_wanted.size(); ++row) {
        const std::size_t tail = (m_wanted.size() - row) * 2;
        if (m_drawn[row] == m_wanted[row]) {
            // Unchanged: step over it.
        } else if (bytes.size() + m_wanted[row].size() + tail + kReserve > kMostBytes) {
            m_behind = true;
        } else {
            bytes.append(m_wanted[row]).append(kClearLine);
            m_drawn[row] = m_wanted[row];
        }
        bytes += "\r\n";
    }
    m_hidden = true;
    m_everDrew = true;
    m_lastDraw = now;
    m_sink(bytes);
    return true;
}

void BlockPrinter::permanent(std::string_view text)
{
    std::string bytes;
    if (!m_drawn.empty()) bytes = toTop().append(kClearBelow);
    bytes += text;
    if (!text.ends_with('\n')) bytes += "\r\n";
    // The block comes back with the same write, as it was.
    for (const std::string& line : m_drawn) bytes.append(line).append("\r\n");
    m_sink(bytes);
}

void BlockPrinter::resized(int columns)
{
    columns = std::max(columns, 1);
    if (columns == m_columns) return;
    m_columns = columns;
    if (m_drawn.empty()) return;
    // Wrapped lines hold rubbish: begin anew from where the block's first line stands now.
    m_sink(toTop().append(kClearBelow));
    m_drawn.clear();
    m_behind = true;
}

void BlockPrinter::erase()
{
    if (!m_hidden) return;
    std::string bytes;
    if (!m_drawn.empty()) bytes = toTop().append(kClearBelow);
    bytes += kShowCursor;
    m_drawn.clear();
    m_hidden = false;
    m_everDrew = false;
    m_sink(bytes);
}

} // namespace aiflow::terminal
