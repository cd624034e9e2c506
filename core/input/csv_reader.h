// CSV over a text source: the header, then a record for every row.
#pragma once

#include "core/input/csv_row.h"
#include "core/input/record_reader.h"
#include "core/input/text_source.h"

namespace aiflow {

class CsvReader final : public RecordReader {
public:
    // Reads the header. `delimiter` zero: the one that the header line holds most often.
    static Result<std::unique_ptr<RecordReader>> open(TextSource source, char delimiter);

    using RecordReader::next;
    Result<bool> next(InputRecord& record) override;
    std::int64_t bytesRead() const override { return m_source.bytesRead(); }

private:
    explicit CsvReader(TextSource source) : m_source(std::move(source)) {}
    Result<void> readHeader(char delimiter);
    Result<void> takeSeparatorLine();
    Result<char> detectDelimiter();
    Result<void> checkHeader();
    Result<bool> parseNext();
    Result<void> skipToLineEnd(std::size_t from);
    void passOver();

    TextSource m_source;
    CsvRow m_row;
    std::int64_t m_line = 1;
    std::int64_t m_rows = 0;
};

// The record that a row makes that was parsed at the start of `text`; `place` is the row's own.
void fillCsvRecord(const CsvRow& row, std::string_view text, const InputDescription& description,
                   const RecordPlace& place, InputRecord& record);

} // namespace aiflow
