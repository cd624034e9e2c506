// Reads the rows of a CSV file, the objects of a JSONL file or the pictures of a folder, one after the other, and any
// one of them again later.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"
#include "core/base/json_fwd.h"
#include "core/input/encoding.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

enum class InputFormat : std::uint8_t { Csv, Jsonl, Folder };

std::string_view name(InputFormat format) noexcept; // "CSV"

// What the user said; the rest is recognised.
struct InputSettings {
    std::optional<InputFormat> format;
    std::string encoding;    // empty: detect
    char delimiter = '\0';   // CSV; zero: comma, semicolon or tab, by the header line
    std::string displayName; // the file's name in messages; empty: its path
};

struct HeaderColumn {
    std::string name;     // as it stands in the file
    bool ignored = false; // begins with "_": failures.csv is fed back with its reasons
    friend bool operator==(const HeaderColumn&, const HeaderColumn&) = default;
};

// All that is needed to read a row alone. Give encoding and delimiter back as settings to skip the recognition.
struct InputDescription {
    InputFormat format = InputFormat::Csv;
    DetectedEncoding encoding;
    char delimiter = ',';
    std::vector<HeaderColumn> header; // JSONL and folder: the names that the first objects have, sorted
    std::string displayName;
};

// One row, object or picture.
struct InputRecord {
    std::vector<std::string> cells;     // CSV: one for each column of the header, unless `error` is set
    std::shared_ptr<const Json> object; // JSONL, folder: the object; null for CSV
    std::int64_t line = 0;              // on which it starts; the header is line 1
    std::int64_t byteOffset = 0;        // in the file's own bytes
    std::int64_t byteLength = 0;        // with its line's end
    std::optional<Error> error;         // this row is bad; reading goes on behind it
};

// Where a record stands; enough to read it again.
struct RecordPlace {
    std::int64_t line = 0;
    std::int64_t byteOffset = 0;
    std::int64_t byteLength = 0;
};

// Threads: one at a time.
class RecordReader {
public:
    // `hasher`, when given, is fed all bytes of the file as they are read. A folder is listed first.
    // InputFileBad: unreadable, no known encoding, empty, header missing, empty or double names in it, not a text file.
    static Result<std::unique_ptr<RecordReader>> open(const std::filesystem::path& path, const InputSettings& settings,
                                                      Hasher* hasher = nullptr);
    virtual ~RecordReader() = default;

    const InputDescription& description() const noexcept { return m_description; }
    // The next record into `record`, whose memory is used again; false at the end. Empty lines are passed over.
    // An error is the file's own (encoding, more than 10 million rows) and ends the reading.
    virtual Result<bool> next(InputRecord& record) = 0;
    Result<std::optional<InputRecord>> next();
    // Of the file, so far.
    virtual std::int64_t bytesRead() const = 0;

protected:
    InputDescription m_description;
};

// Reads single records of one file. Give a folder's listing, not the folder.
// Threads: read(), from any thread.
class RecordAccess {
public:
    static Result<std::shared_ptr<const RecordAccess>> open(const std::filesystem::path& path,
                                                            InputDescription description);
    ~RecordAccess();
    RecordAccess(const RecordAccess&) = delete;
    RecordAccess& operator=(const RecordAccess&) = delete;

    // Exactly what next() gave, with its error when it had one. InputFileBad when the file is shorter now.
    Result<InputRecord> read(const RecordPlace& place) const;

private:
    RecordAccess(int file, InputDescription description);

    int m_file;
    InputDescription m_description;
};

// The same for a single record: opens the file each time.
Result<InputRecord> readRecordAt(const std::filesystem::path& path, const InputDescription& description,
                                 const RecordPlace& place);

} // namespace aiflow
