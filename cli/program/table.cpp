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

} // namespace aiflow
