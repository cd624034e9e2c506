#include "cli/program/table.h"

#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow {

namespace {

std::size_t widthOf(const std::string& cell) { return static_cast<std::size_t>(terminal::cellsOf(cell)); }

} // namespace

void Table::align(std::size_t column, Align align)
{
    if (m_align.size() <= column) m_align.resize(column + 1, Align::Left);
    m_align[column] = align;
}

std::string Table::text() const
{
    std::vector<std::size_t> widths(m_rows.front().size(), 0);
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
    std::string text;
    for (const auto& row : m_rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string blank(widths[i] - widthOf(row[i]), ' ');
            const bool right = i < m_align.size() && m_align[i] == Align::Right;
            line += " " + (right ? blank + row[i] : row[i] + blank) + " ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string Table::text(int columns) const
{
    std::string lines = text();
    std::size_t widest = 0;
    for (std::size_t at = 0; at < lines.size();) {
        const std::size_t end = lines.find('\n', at);
        widest = std::max(widest, widthOf(lines.substr(at, end - at)));
        at = end + 1;
    }
    if (widest <= static_cast<std::size_t>(columns)) return lines;
    const auto& heads = m_rows.front();
    std::size_t label = 0;
    for (const std::string& head : heads) label = std::max(label, widthOf(head));
    lines.clear();
    for (std::size_t row = 1; row < m_rows.size(); ++row) {
        lines += " " + m_rows[row].front() + "\n";
        for (std::size_t i = 1; i < m_rows[row].size(); ++i)
            lines += "   " + heads[i] + std::string(label - widthOf(heads[i]) + 2, ' ') + m_rows[row][i] + "\n";
    }
    return lines;
}

} // namespace aiflow
