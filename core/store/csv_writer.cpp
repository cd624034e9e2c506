#include "core/store/output_folder.h"

#include <array>
#include <charconv>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 11> kFormulaStarts{
    "=", "+", "-", "@", "\t", "\r", "\n", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};

bool isPlainNumber(std::string_view text)
{
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    // "inf" and "nan" are numbers to from_chars only.
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc() && end == text.data() + text.size();
}

bool looksLikeFormula(std::string_view cell)
{
    const auto first = cell.find_first_not_of(' ');
    if (first == std::string_view::npos) return false;
    const std::string_view rest = cell.substr(first);
    for (const std::string_view start : kFormulaStarts) {
        if (rest.starts_with(start)) return !isPlainNumber(rest);
    }
    return false;
}

bool needsQuotes(std::string_view cell)
{
    return cell.find_first_of(",\"\r\n\t;") != std::string_view::npos || cell.starts_with(' ') || cell.ends_with(' ');
}

void append(std::string_view cell, bool neutralise, std::string& text)
{
    const bool quoted = needsQuotes(cell);
    if (quoted) text += '"';
    if (neutralise) text += '\'';
    for (const char c : cell) {
        if (c == '"') text += '"';
        text += c;
    }
    if (quoted) text += '"';
}

} // namespace

void CsvWriter::row(const std::vector<std::string>& cells)
{
    if (!m_begun) m_text += "\xEF\xBB\xBF";
    m_begun = true;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) m_text += ',';
        append(cells[i], m_neutralise && looksLikeFormula(cells[i]), m_text);
    }
    // One empty cell would be an empty line, which readers pass over.
    if (cells.size() == 1 && cells[0].empty()) m_text += "\"\"";
    m_text += "\r\n";
}

} // namespace aiflow
