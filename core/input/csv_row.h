// One row of a CSV text: finds its cells and its end. Knows no files and no encodings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// R-D5: what is larger is an error, not a crash.
struct CsvLimits {
    std::size_t fieldBytes = std::size_t{1} << 20U;
    std::size_t rowBytes = std::size_t{4} << 20U;
    std::size_t columns = 4096;
};

enum class CsvFault : std::uint8_t {
    None,
    UnclosedQuote, // the field opened at `faultAt` is not closed by a quote before a delimiter or line end
    AfterQuote,    // something else stands behind a closing quote, on the line where the field was opened
    ZeroByte,
    FieldTooLarge,
    RowTooLarge,
};

// Reused from row to row: it allocates only until it has seen the largest one.
class CsvRow {
public:
    // Reads the row at the start of `text`. False: the row does not end in `text` and more may come (`atEnd` is false).
    // The cells point into `text` and into this object, until either changes.
    // A row with a broken quote ends with the line on which that quote was opened, so that the next line is read as a
    // row again; a row that is too large ends nowhere yet: skipRest().
    bool parse(std::string_view text, bool atEnd, char delimiter, const CsvLimits& limits);

    std::size_t cellCount() const noexcept { return m_count; } // counts on behind the limit of columns
    std::string_view cell(std::size_t index) const noexcept;   // below min(cellCount(), limit of columns)
    std::size_t length() const noexcept { return m_length; }   // with the line's end
    std::int64_t lineBreaks() const noexcept { return m_breaks; }
    bool blank() const noexcept { return m_blank; } // nothing in it but delimiters
    CsvFault fault() const noexcept { return m_fault; }
    std::size_t faultAt() const noexcept { return m_faultAt; }
    std::size_t faultCell() const noexcept { return m_faultCell; } // from 0
    // After length() bytes the row still goes on: everything up to the next line break belongs to it.
    bool skipRest() const noexcept { return m_skipRest; }

private:
    struct Cell {
        std::size_t begin;
        std::size_t size;
        bool unescaped; // lies in m_unescaped
    };
    static constexpr std::size_t kNone = std::string_view::npos;
    // A quoted cell while it is read.
    struct Quoted {
        std::size_t opened;
        std::size_t piece;          // not copied yet, from here
        std::size_t unescapedBegin; // in m_unescaped
        std::int64_t breaksBefore;
        std::size_t firstBreak = kNone; // line break inside it
        bool doubled = false;
    };
    enum class Step : std::uint8_t { NextCell, EndOfRow, NeedMore, Fault };

    void start();
    Step readCell();
    Step readPlain();
    Step readQuoted();
    Step afterCell();
    Step closeQuoted(const Quoted& cell);
    Step quoteStaysOpen(const Quoted& cell);
    Step tooLarge(std::size_t cellBegin);
    bool lineBreakInside();
    void add(std::size_t begin, std::size_t size, bool unescaped);
    void noteFault(CsvFault fault, std::size_t at);
    bool checkBlank() const;

    std::string_view m_text;
    bool m_atEnd = false;
    char m_delimiter = ',';
    CsvLimits m_limits;
    std::size_t m_at = 0;
    std::size_t m_stop = 0;     // of the current cell: look no further
    std::size_t m_limitHit = 0; // being there means that a limit is exceeded, namely
    CsvFault m_atStop = CsvFault::None;
    std::vector<Cell> m_cells;
    std::string m_unescaped;
    std::size_t m_count = 0;
    std::size_t m_length = 0;
    std::int64_t m_breaks = 0;
    bool m_quoted = false;
    bool m_blank = false;
    bool m_skipRest = false;
    CsvFault m_fault = CsvFault::None;
    std::size_t m_faultAt = 0;
    std::size_t m_faultCell = 0;
};

} // namespace aiflow
