// Feeds arbitrary bytes to the reader of CSV files. It must neither crash nor hang; every record must be read again
// alike; a row must not depend on how much of the text was read when; and files without mistakes must give what a
// second, simple reader gives.
#include "core/input/csv_row.h"
#include "core/input/record_reader.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace aiflow;
using Rows = std::vector<std::vector<std::string>>;

void expect(bool holds, const char* what)
{
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

// Rows of a text without mistakes, one character at a time; blank rows are left out.
Rows simpleRead(const std::string& text, char delimiter)
{
    Rows rows;
    std::vector<std::string> row(1);
    bool quoted = false;
    bool begin = true;     // of a cell
    bool anything = false; // in the row
    const auto endRow = [&] {
        if (anything) rows.push_back(row);
        row.assign(1, {});
        begin = true;
        anything = false;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool next = i + 1 < text.size();
        if (quoted) {
            if (c != '"') {
                row.back() += c;
            } else if (next && text[i + 1] == '"') {
                row.back() += c;
                ++i;
            } else {
                quoted = false;
            }
        } else if (c == '"' && begin) {
            quoted = anything = true;
            begin = false;
        } else if (c == delimiter) {
            row.emplace_back();
            begin = true;
        } else if (c == '\n' || c == '\r') {
            if (c == '\r' && next && text[i + 1] == '\n') ++i;
            endRow();
        } else {
            row.back() += c;
            begin = false;
            if (c != ' ' && c != '\t') anything = true;
        }
    }
    endRow();
    return rows;
}

void checkPieces(const std::string& text)
{
    CsvLimits small;
    small.fieldBytes = 24;
    small.rowBytes = 60;
    CsvRow whole;
    CsvRow piece;
    if (text.empty() || !whole.parse(text, true, ',', small)) return;
    for (std::size_t size = 0; size <= text.size() && size < 100; ++size) {
        if (!piece.parse(std::string_view(text).substr(0, size), false, ',', small)) continue;
        expect(piece.fault() == whole.fault() && piece.faultAt() == whole.faultAt(), "same fault with less text");
        expect(piece.skipRest() || piece.length() == whole.length(), "same end with less text");
        expect(piece.cellCount() == whole.cellCount(), "same cells with less text");
    }
}

bool sameRecord(const InputRecord& a, const InputRecord& b)
{
    if (a.error.has_value() != b.error.has_value()) return false;
    if (a.error && (a.error->text() != b.error->text() || a.error->where->byteOffset != b.error->where->byteOffset))
        return false;
    return a.cells == b.cells && a.line == b.line && a.byteOffset == b.byteOffset && a.byteLength == b.byteLength;
}

void checkFile(const std::string& text, char delimiter, const char* encoding)
{
    const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    InputSettings settings;
    settings.format = InputFormat::Csv;
    settings.delimiter = delimiter;
    settings.encoding = encoding;
    if (auto reader = RecordReader::open(path, settings)) {
        const auto access = RecordAccess::open(path, (*reader)->description());
        Rows rows;
        bool good = true;
        for (;;) {
            const auto record = (*reader)->next();
            good = good && record.has_value();
            if (!record || !*record) break;
            const auto again = (*access)->read({(*record)->line, (*record)->byteOffset, (*record)->byteLength});
            expect(again && sameRecord(**record, *again), "same record again");
            good = good && !(*record)->error;
            rows.push_back((*record)->cells);
        }
        const auto mark = static_cast<std::size_t>((*reader)->description().encoding.textOffset);
        const std::string unmarked = text.substr(std::min(mark, text.size()));
        if (good && std::strcmp(encoding, "utf-8") == 0 && !unmarked.starts_with("sep=")) {
            Rows simple = simpleRead(unmarked, delimiter);
            expect(!simple.empty(), "a header");
            simple.erase(simple.begin());
            expect(simple == rows, "same rows as the simple reader");
        }
    } else {
        expect(!reader.error().message.empty(), "an error with a message");
    }
    ::close(file);
}

} // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    static constexpr const char* kEncodings[] = {"utf-8",    "utf-8",   "",         "utf-16le",
                                                 "utf-16be", "gb18030", "utf-32le", "utf-8"};
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    checkPieces(text);
    checkFile(text, (data[0] & 8U) != 0 ? ';' : ',', kEncodings[data[0] & 7U]);
    return 0;
}
