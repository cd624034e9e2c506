// JSONL over a text source: a record for every line that is not empty. A folder's listing is read the same way.
#pragma once

#include "core/input/record_reader.h"
#include "core/input/text_source.h"

namespace aiflow {

class JsonlReader final : public RecordReader {
public:
    // Looks at the first lines for the names of the fields.
    static Result<std::unique_ptr<RecordReader>> open(TextSource source, InputFormat format);

    using RecordReader::next;
    Result<bool> next(InputRecord& record) override;
    std::int64_t bytesRead() const override { return m_source.bytesRead(); }

private:
    explicit JsonlReader(TextSource source) : m_source(std::move(source)) {}
    Result<void> readNames();
    Result<bool> findLine(std::size_t& length);
    Result<void> skipToLineEnd();

    TextSource m_source;
    std::int64_t m_line = 1;
    std::int64_t m_rows = 0;
};

// The record that one line makes; `text` may hold its line's end.
void fillJsonlRecord(std::string_view text, const InputDescription& description, const RecordPlace& place,
                     InputRecord& record);

} // namespace aiflow
