#include "core/input/csv_row.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

using Stops = std::array<bool, 256>;

constexpr Stops stopsFor(std::string_view characters)
{
    Stops stops{};
    stops[0] = true;
    for (const char c : characters) stops[static_cast<unsigned char>(c)] = true;
    return stops;
}

constexpr Stops kLineStops = stopsFor("\n\r");
constexpr Stops kQuotedStops = stopsFor("\"\n\r");

std::size_t scanQuoted(std::string_view text, std::size_t at, std::size_t stop)
{
    while (at < stop && !kQuotedStops[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

std::size_t scanPlain(std::string_view text, std::size_t at, std::size_t stop, char delimiter)
{
    while (at < stop && text[at] != delimiter && !kLineStops[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

} // namespace

std::string_view CsvRow::cell(std::size_t index) const noexcept
{
    const Cell& cell = m_cells[index];
    return (cell.unescaped ? std::string_view(m_unescaped) : m_text).substr(cell.begin, cell.size);
}

void CsvRow::start()
{
    m_at = 0;
    m_cells.clear();
    m_unescaped.clear();
    m_count = 0;
    m_length = 0;
    m_breaks = 0;
    m_quoted = m_blank = m_skipRest = false;
    m_fault = CsvFault::None;
    m_faultAt = m_faultCell = 0;
}

bool CsvRow::parse(std::string_view text, bool atEnd, char delimiter, const CsvLimits& limits)
{
    m_text = text;
    m_atEnd = atEnd;
    m_delimiter = delimiter;
    m_limits = limits;
    start();
    for (;;) {
        switch (readCell()) {
        case Step::NextCell:
            break;
        case Step::NeedMore:
            return false;
        case Step::EndOfRow:
            m_length = m_at;
            m_blank = checkBlank();
            return true;
        case Step::Fault:
            return true;
        }
    }
}

bool CsvRow::checkBlank() const
{
    if (m_quoted || m_fault != CsvFault::None) return false;
    return std::ranges::all_of(m_cells, [this](const Cell& cell) {
        return m_text.substr(cell.begin, cell.size).find_first_not_of(" \t") == std::string_view::npos;
    });
}

CsvRow::Step CsvRow::readCell()
{
    // Where the first byte stands that the limits forbid: a row must fail alike whatever is in the window behind it.
    const std::size_t fieldStop = m_at + m_limits.fieldBytes + 1;
    const std::size_t rowStop = m_limits.rowBytes + 1;
    m_stop = std::min({m_text.size(), fieldStop, rowStop});
    m_atStop = rowStop <= fieldStop ? CsvFault::RowTooLarge : CsvFault::FieldTooLarge;
    m_limitHit = std::min(fieldStop, rowStop);
    if (m_at < m_text.size() && m_text[m_at] == '"') return readQuoted();
    return readPlain();
}

CsvRow::Step CsvRow::readPlain()
{
    const std::size_t begin = m_at;
    for (;;) {
        m_at = scanPlain(m_text, m_at, m_stop, m_delimiter);
        if (m_at >= m_limitHit) return tooLarge(begin);
        if (m_at == m_text.size() && !m_atEnd) return Step::NeedMore;
        if (m_at == m_text.size() || m_text[m_at] != '\0') break;
        noteFault(CsvFault::ZeroByte, m_at);
        ++m_at;
    }
    add(begin, m_at - begin, false);
    return afterCell();
}

CsvRow::Step CsvRow::readQuoted()
{
    Quoted cell{m_at, m_at + 1, m_unescaped.size(), m_breaks};
    ++m_at;
    m_quoted = true;
    for (;;) {
        m_at = scanQuoted(m_text, std::min(m_at, m_stop), m_stop);
        if (m_at >= m_limitHit && cell.firstBreak != kNone) return quoteStaysOpen(cell);
        if (m_at >= m_limitHit) return tooLarge(cell.opened);
        if (m_at == m_text.size()) return m_atEnd ? quoteStaysOpen(cell) : Step::NeedMore;
        if (m_text[m_at] == '\0') {
            noteFault(CsvFault::ZeroByte, m_at++);
        } else if (m_text[m_at] != '"') {
            cell.firstBreak = std::min(cell.firstBreak, m_at);
            if (!lineBreakInside()) return Step::NeedMore;
        } else {
            if (m_at + 1 == m_text.size() && !m_atEnd) return Step::NeedMore;
            if (m_at + 1 == m_text.size() || m_text[m_at + 1] != '"') return closeQuoted(cell);
            cell.doubled = true;
            m_unescaped.append(m_text, cell.piece, m_at + 1 - cell.piece);
            cell.piece = m_at += 2;
        }
    }
}

CsvRow::Step CsvRow::closeQuoted(const Quoted& cell)
{
    const std::size_t closed = m_at++;
    const char next = m_at < m_text.size() ? m_text[m_at] : '\n';
    if (next != m_delimiter && next != '\n' && next != '\r') {
        if (cell.firstBreak != kNone) return quoteStaysOpen(cell);
        noteFault(CsvFault::AfterQuote, m_at);
        m_length = m_at;
        m_skipRest = true;
        return Step::Fault;
    }
    if (cell.doubled) {
        m_unescaped.append(m_text, cell.piece, closed - cell.piece);
        add(cell.unescapedBegin, m_unescaped.size() - cell.unescapedBegin, true);
    } else {
        add(cell.opened + 1, closed - cell.opened - 1, false);
    }
    return afterCell();
}

CsvRow::Step CsvRow::afterCell()
{
    if (m_at == m_text.size()) return m_atEnd ? Step::EndOfRow : Step::NeedMore;
    if (m_text[m_at] == m_delimiter) {
        ++m_at;
        return Step::NextCell;
    }
    return lineBreakInside() ? Step::EndOfRow : Step::NeedMore;
}

// Steps over CR, LF or CRLF. False: the byte that decides has not been read yet.
bool CsvRow::lineBreakInside()
{
    if (m_text[m_at] == '\r') {
        if (m_at + 1 == m_text.size() && !m_atEnd) return false;
        if (m_at + 1 < m_text.size() && m_text[m_at + 1] == '\n') ++m_at;
    }
    ++m_at;
    ++m_breaks;
    return true;
}

CsvRow::Step CsvRow::quoteStaysOpen(const Quoted& cell)
{
    m_fault = CsvFault::UnclosedQuote;
    m_faultAt = cell.opened;
    m_faultCell = m_count;
    m_breaks = cell.breaksBefore;
    m_at = std::min(cell.firstBreak, m_text.size());
    if (m_at < m_text.size()) lineBreakInside();
    m_length = m_at;
    return Step::Fault;
}

CsvRow::Step CsvRow::tooLarge(std::size_t cellBegin)
{
    noteFault(m_atStop, cellBegin);
    m_length = m_at;
    m_skipRest = true;
    return Step::Fault;
}

void CsvRow::add(std::size_t begin, std::size_t size, bool unescaped)
{
    if (m_count < m_limits.columns) m_cells.push_back({begin, size, unescaped});
    ++m_count;
}

void CsvRow::noteFault(CsvFault fault, std::size_t at)
{
    if (m_fault != CsvFault::None && fault == CsvFault::ZeroByte) return;
    m_fault = fault;
    m_faultAt = at;
    m_faultCell = m_count;
}

} // namespace aiflow
