#include "core/input/csv_reader.h"

#include "core/base/text.h"
#include "core/input/text_place.h"

#include <algorithm>
#include <array>
#include <set>

namespace aiflow {

namespace {

constexpr CsvLimits kLimits;
constexpr std::int64_t kMaxRows = 10'000'000;
constexpr std::string_view kHeaderWish = "the first line names the columns, for example: sku,title,image";

std::string delimiterName(char delimiter)
{
    if (delimiter == '\t') return "a tab";
    return std::string("\"") + delimiter + "\"";
}

std::string counted(std::size_t count, std::string_view thing)
{
    return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

// The character at `at`, quoted.
std::string foundText(std::string_view text, std::size_t at)
{
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0U) == 0x80U) ++size;
    return "\"" + escapeControl(text.substr(at, size)) + "\"";
}

std::string cellName(const InputDescription& description, std::size_t cell)
{
    std::string name = "cell " + std::to_string(cell + 1);
    if (cell < description.header.size()) name += " (" + description.header[cell].name + ")";
    return name;
}

Error faultError(const CsvRow& row, std::string_view text, const InputDescription& description,
                 const RecordPlace& place)
{
    Error error{Reason::InputFileBad, {}, {}, placeInText(text, row.faultAt(), description, place)};
    const std::string cell = cellName(description, row.faultCell());
    switch (row.fault()) {
    case CsvFault::UnclosedQuote:
        error.message = "the quote that opens " + cell + " is not closed: expected \" before " +
                        delimiterName(description.delimiter) +
                        " or the end of the line; reading goes on with the next line";
        error.hint = "close the quote, or double quotes that belong to the text: \"\"";
        break;
    case CsvFault::AfterQuote:
        error.message = "behind the closing quote of " + cell + " expected " + delimiterName(description.delimiter) +
                        " or the end of the line, found " + foundText(text, row.faultAt());
        error.hint = "double quotes that belong to the text: \"\"";
        break;
    case CsvFault::ZeroByte:
        error.message = cell + " holds a NUL character: expected text";
        error.hint = "remove it, or name the file's encoding: --encoding UTF-16LE";
        break;
    case CsvFault::FieldTooLarge:
        error.message = cell + " is larger than 1 MiB";
        error.hint = "look for an open quote, or give large texts as files";
        break;
    case CsvFault::RowTooLarge:
        error.message = "the row is larger than 4 MiB";
        error.hint = "look for an open quote, or for line ends that are missing";
        break;
    case CsvFault::None:
        break;
    }
    return error;
}

Error raggedError(const CsvRow& row, std::string_view text, const InputDescription& description,
                  const RecordPlace& place)
{
    Error error{Reason::InputFileBad, {}, {}, placeInText(text, 0, description, place)};
    error.message = "the row has " + counted(row.cellCount(), "cell") + ", expected " +
                    std::to_string(description.header.size()) + " as in the header";
    error.hint = row.cellCount() > description.header.size()
                     ? "put cells that hold " + delimiterName(description.delimiter) + " in quotes"
                     : "add the missing cells, or look for a line break inside a cell without quotes";
    return error;
}

} // namespace

void fillCsvRecord(const CsvRow& row, std::string_view text, const InputDescription& description,
                   const RecordPlace& place, InputRecord& record)
{
    record.object.reset();
    record.error.reset();
    record.line = place.line;
    record.byteOffset = place.byteOffset;
    record.byteLength = place.byteLength;
    const bool whole = row.fault() == CsvFault::None || row.fault() == CsvFault::ZeroByte;
    record.cells.resize(whole ? std::min(row.cellCount(), kLimits.columns) : 0);
    for (std::size_t i = 0; i < record.cells.size(); ++i) record.cells[i].assign(row.cell(i));
    if (row.fault() != CsvFault::None) {
        record.error = faultError(row, text, description, place);
    } else if (row.cellCount() != description.header.size()) {
        record.error = raggedError(row, text, description, place);
    }
}

Result<std::unique_ptr<RecordReader>> CsvReader::open(TextSource source, char delimiter)
{
    std::unique_ptr<CsvReader> reader(new CsvReader(std::move(source)));
    reader->m_description.format = InputFormat::Csv;
    reader->m_description.encoding = reader->m_source.start();
    reader->m_description.displayName = reader->m_source.fileName();
    if (auto header = reader->readHeader(delimiter); !header) return tl::unexpected(header.error());
    return reader;
}

Result<void> CsvReader::takeSeparatorLine()
{
    if (auto grown = m_source.grow(); !grown) return grown;
    const std::string_view window = m_source.window();
    if (window.size() < 6 || !window.starts_with("sep=") || (window[5] != '\n' && window[5] != '\r')) return {};
    m_description.delimiter = window[4];
    return skipToLineEnd(5);
}

Result<void> CsvReader::readHeader(char delimiter)
{
    m_description.delimiter = '\0';
    if (auto taken = takeSeparatorLine(); !taken) return taken;
    if (delimiter != '\0') m_description.delimiter = delimiter;
    if (m_description.delimiter == '\0') {
        auto detected = detectDelimiter();
        if (!detected) return tl::unexpected(detected.error());
        m_description.delimiter = *detected;
    }
    for (;;) {
        const auto parsed = parseNext();
        if (!parsed) return tl::unexpected(parsed.error());
        if (!*parsed)
            return fail(Reason::InputFileBad, m_source.fileName() + " is empty: expected a header line",
                        std::string(kHeaderWish));
        if (!m_row.blank()) break;
        passOver();
    }
    if (auto checked = checkHeader(); !checked) return checked;
    passOver();
    return {};
}

Result<char> CsvReader::detectDelimiter()
{
    for (;;) {
        const std::string_view window = m_source.window();
        std::array<std::size_t, 256> counts{};
        bool quoted = false;
        bool begun = false;
        bool ended = false;
        for (const char c : window.substr(0, kLimits.rowBytes)) {
            if (c == '"') quoted = !quoted;
            const bool lineEnd = c == '\n' || c == '\r';
            ended = lineEnd && !quoted && begun;
            if (ended) break;
            begun = begun || !lineEnd;
            if (!quoted) ++counts[static_cast<unsigned char>(c)];
        }
        if (ended || m_source.atEnd() || window.size() >= kLimits.rowBytes) {
            char best = ',';
            for (const char c : {'\t', ';'})
                if (counts[static_cast<unsigned char>(c)] > counts[static_cast<unsigned char>(best)]) best = c;
            return best;
        }
        if (auto grown = m_source.grow(); !grown) return tl::unexpected(grown.error());
    }
}

Result<void> CsvReader::checkHeader()
{
    const std::string_view text = m_source.window().substr(0, m_row.length());
    const RecordPlace place{m_line, m_source.fileOffset(0), 0};
    if (m_row.fault() != CsvFault::None) {
        Error error = faultError(m_row, text, m_description, place);
        error.message = "in the header, " + error.message;
        return tl::unexpected(std::move(error));
    }
    const SourcePosition where = placeInText(text, 0, m_description, place);
    if (m_row.cellCount() > kLimits.columns)
        return failAt(where, Reason::InputFileBad,
                      "the header has " + std::to_string(m_row.cellCount()) + " columns, expected at most 4096",
                      "leave out columns, or check the delimiter");
    std::set<std::string, std::less<>> seen;
    for (std::size_t i = 0; i < m_row.cellCount(); ++i) {
        const std::string_view cell = m_row.cell(i);
        const std::string trimmed(trimSpaces(cell));
        if (trimmed.empty())
            return failAt(where, Reason::InputFileBad,
                          "column " + std::to_string(i + 1) +
                              " of the header has no name, expected one for each column",
                          "name the column or delete it; " + std::string(kHeaderWish));
        const bool ignored = trimmed.starts_with('_');
        if (!seen.insert(trimmed).second && !ignored)
            return failAt(where, Reason::InputFileBad,
                          "column " + std::to_string(i + 1) + " of the header, \"" + escapeControl(trimmed) +
                              "\", stands there twice, expected each name once",
                          "rename or delete one of the two columns");
        m_description.header.push_back({std::string(cell), ignored});
    }
    return {};
}

Result<bool> CsvReader::parseNext()
{
    for (;;) {
        const std::string_view window = m_source.window();
        if (window.empty() && m_source.atEnd()) return false;
        if (!window.empty() && m_row.parse(window, m_source.atEnd(), m_description.delimiter, kLimits)) return true;
        if (auto grown = m_source.grow(); !grown) return tl::unexpected(grown.error());
    }
}

void CsvReader::passOver()
{
    m_line += m_row.lineBreaks();
    m_source.consume(m_row.length());
}

Result<void> CsvReader::skipToLineEnd(std::size_t from)
{
    m_source.consume(from);
    for (;;) {
        const std::string_view window = m_source.window();
        std::size_t end = std::min(window.find_first_of("\r\n"), window.size());
        const bool needsMore = end == window.size() || (window[end] == '\r' && end + 1 == window.size());
        if (!needsMore || m_source.atEnd()) {
            if (end < window.size()) {
                end += window.substr(end, 2) == "\r\n" ? 2 : 1;
                ++m_line;
            }
            m_source.consume(end);
            return {};
        }
        m_source.consume(end);
        if (auto grown = m_source.grow(); !grown) return grown;
    }
}

Result<bool> CsvReader::next(InputRecord& record)
{
    for (;;) {
        auto parsed = parseNext();
        if (!parsed || !*parsed) return parsed;
        if (!m_row.blank()) break;
        passOver();
    }
    if (++m_rows > kMaxRows)
        return failAt({m_source.fileName(), m_line, 0, m_source.fileOffset(0)}, Reason::InputFileBad,
                      "the file has more than 10,000,000 rows", "split the file and run its parts one after the other");
    const RecordPlace place{m_line, m_source.fileOffset(0), 0};
    fillCsvRecord(m_row, m_source.window(), m_description, place, record);
    const bool skipRest = m_row.skipRest();
    passOver();
    if (skipRest)
        if (auto skipped = skipToLineEnd(0); !skipped) return tl::unexpected(skipped.error());
    record.byteLength = m_source.fileOffset(0) - place.byteOffset;
    return true;
}

} // namespace aiflow
