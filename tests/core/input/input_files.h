// Files for the tests of the readers, and short ways to read them.
#pragma once

#include "core/base/json.h"
#include "core/input/decoder.h"
#include "core/input/record_reader.h"

#include <filesystem>
#include <fstream>
#include <QTemporaryDir>
#include <string>
#include <vector>

namespace aiflow::testing {

// Files in a folder that goes away with it.
class InputFiles {
public:
    std::filesystem::path folder() const { return m_folder.path().toStdString(); }

    std::filesystem::path write(const std::string& name, std::string_view bytes) const
    {
        const auto path = folder() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }

    // The byte order mark of UTF-16 and UTF-32 is written too.
    std::filesystem::path writeAs(const std::string& name, std::string_view utf8, Encoding encoding, bool mark) const
    {
        const std::string text = (mark ? "\xEF\xBB\xBF" : "") + std::string(utf8);
        return write(name, encode(text, encoding));
    }

private:
    QTemporaryDir m_folder;
};

struct Reading {
    InputDescription description;
    std::vector<InputRecord> records;
    std::optional<Error> error; // the file's own
};

inline Reading readAll(const std::filesystem::path& path, const InputSettings& settings = {})
{
    Reading reading;
    auto reader = RecordReader::open(path, settings);
    if (!reader) {
        reading.error = reader.error();
        return reading;
    }
    reading.description = (*reader)->description();
    for (;;) {
        auto record = (*reader)->next();
        if (!record) reading.error = record.error();
        if (!record || !*record) return reading;
        reading.records.push_back(std::move(**record));
    }
}

inline RecordPlace placeOf(const InputRecord& record) { return {record.line, record.byteOffset, record.byteLength}; }

inline bool sameError(const std::optional<Error>& a, const std::optional<Error>& b)
{
    if (!a || !b) return a.has_value() == b.has_value();
    return a->text() == b->text() && a->hint == b->hint && a->reason == b->reason &&
           a->where->byteOffset == b->where->byteOffset;
}

// Equal in all that a record says.
inline bool same(const InputRecord& a, const InputRecord& b)
{
    const bool objects = a.object && b.object ? *a.object == *b.object : a.object == b.object;
    return objects && a.cells == b.cells && a.line == b.line && a.byteOffset == b.byteOffset &&
           a.byteLength == b.byteLength && sameError(a.error, b.error);
}

} // namespace aiflow::testing
