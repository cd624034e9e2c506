#include "core/input/record_reader.h"

#include "core/base/text.h"
#include "core/input/csv_reader.h"
#include "core/input/folder_listing.h"
#include "core/input/jsonl_reader.h"
#include "core/input/text_source.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr CsvLimits kLimits;

struct ForeignFile {
    std::string_view bytes;
    std::string_view what;
    std::string_view hint;
};

constexpr std::string_view kSaveAsCsv = "save it as \"CSV UTF-8\" in the spreadsheet program";
constexpr std::array<ForeignFile, 5> kForeign{{
    {"PK\x03\x04", "an Excel workbook or another packed file", kSaveAsCsv},
    {"\xD0\xCF\x11\xE0", "an old Excel workbook", kSaveAsCsv},
    {"%PDF-", "a PDF", kSaveAsCsv},
    {"\x1F\x8B", "compressed", "unpack it first"},
    {"SQLite format 3", "a database", "export its table as CSV"},
}};

Result<void> refuseForeign(int file, const std::string& fileName)
{
    std::array<char, 16> start{};
    const std::int64_t count = readAt(file, start.data(), start.size(), 0);
    const std::string_view bytes(start.data(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
    if (count == 0)
        return fail(Reason::InputFileBad, fileName + " is empty: expected a header line and rows",
                    "check that the export was finished, or name another file");
    for (const ForeignFile& foreign : kForeign)
        if (bytes.starts_with(foreign.bytes))
            return fail(Reason::InputFileBad, fileName + " is " + std::string(foreign.what) + ", expected CSV or JSONL",
                        std::string(foreign.hint));
    return {};
}

InputFormat formatOf(const std::filesystem::path& path, TextSource& source)
{
    const std::string ending = foldForMatching(path.extension().string());
    if (ending == ".jsonl" || ending == ".ndjson") return InputFormat::Jsonl;
    if (ending == ".csv" || ending == ".tsv") return InputFormat::Csv;
    const std::string_view window = source.window();
    const std::size_t first = window.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && window[first] == '{' ? InputFormat::Jsonl : InputFormat::Csv;
}

Result<DetectedEncoding> encodingOf(int file, const std::string& fileName, const std::string& wanted)
{
    if (wanted.empty()) return detectEncoding(file, fileName, std::nullopt);
    const auto encoding = encodingFromName(wanted);
    if (!encoding)
        return fail(Reason::UsageInvalid, "unknown encoding " + wanted,
                    "known are UTF-8, UTF-16LE, UTF-16BE, UTF-32LE, UTF-32BE and GB18030 (also for GBK, GB2312)");
    return detectEncoding(file, fileName, encoding);
}

// A folder becomes a listing in memory, so that it is read like the listing that a job keeps.
Result<std::unique_ptr<RecordReader>> openFolder(const std::filesystem::path& path, const std::string& fileName,
                                                 Hasher* hasher)
{
    auto listing = folderListingInMemory(path);
    if (!listing) return tl::unexpected(listing.error());
    return JsonlReader::open(TextSource(InputFile(*listing), fileName, {}, hasher), InputFormat::Folder);
}

// Of a record that is too large only so much is read again as shows that it is.
std::int64_t rereadLimit(Encoding encoding)
{
    const std::int64_t widest = encoding == Encoding::Utf8 ? 1 : 4;
    return widest * (static_cast<std::int64_t>(kLimits.rowBytes) + 64);
}

} // namespace

std::string_view name(InputFormat format) noexcept
{
    switch (format) {
    case InputFormat::Csv:
        return "CSV";
    case InputFormat::Jsonl:
        return "JSONL";
    case InputFormat::Folder:
        return "folder";
    }
    return "CSV";
}

Result<std::unique_ptr<RecordReader>> RecordReader::open(const std::filesystem::path& path,
                                                         const InputSettings& settings, Hasher* hasher)
{
    const std::string fileName = settings.displayName.empty() ? path.string() : settings.displayName;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return openFolder(path, fileName, hasher);
    auto file = InputFile::open(path.string());
    if (!file) return tl::unexpected(file.error());
    const bool listing = settings.format == InputFormat::Folder;
    if (!listing)
        if (auto text = refuseForeign(file->get(), fileName); !text) return tl::unexpected(text.error());
    const auto encoding = listing ? DetectedEncoding{} : encodingOf(file->get(), fileName, settings.encoding);
    if (!encoding) return tl::unexpected(encoding.error());
    TextSource source(std::move(*file), fileName, *encoding, hasher);
    if (auto grown = source.grow(); !grown) return tl::unexpected(grown.error());
    const InputFormat format = settings.format ? *settings.format : formatOf(path, source);
    if (format == InputFormat::Csv) return CsvReader::open(std::move(source), settings.delimiter);
    return JsonlReader::open(std::move(source), format);
}

Result<std::optional<InputRecord>> RecordReader::next()
{
    InputRecord record;
    const auto found = next(record);
    if (!found) return tl::unexpected(found.error());
    if (!*found) return std::nullopt;
    return record;
}

Result<std::shared_ptr<const RecordAccess>> RecordAccess::open(const std::filesystem::path& path,
                                                               InputDescription description)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status {};
    if (file >= 0 && ::fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        return std::shared_ptr<const RecordAccess>(new RecordAccess(file, std::move(description)));
    if (file >= 0) ::close(file);
    return fail(Reason::InputFileBad, "cannot read " + path.string() + " again",
                "the job's copy of the input must stay where it is");
}

RecordAccess::RecordAccess(int file, InputDescription description) : m_file(file), m_description(std::move(description))
{
}

RecordAccess::~RecordAccess() { ::close(m_file); }

Result<InputRecord> RecordAccess::read(const RecordPlace& place) const
{
    const Encoding encoding = m_description.encoding.encoding;
    const std::int64_t size = std::min(place.byteLength, rereadLimit(encoding));
    std::string bytes(static_cast<std::size_t>(std::max<std::int64_t>(size, 0)), '\0');
    if (readAt(m_file, bytes.data(), bytes.size(), place.byteOffset) != size)
        return failAt({m_description.displayName, place.line, 0, place.byteOffset}, Reason::InputFileBad,
                      "the file is shorter than it was", "start a new job with batch");
    std::string text;
    if (encoding == Encoding::Utf8) {
        text = std::move(bytes);
        text.resize(utf8Prefix(text).valid);
    } else {
        std::vector<TextAnchor> anchors;
        Decoder(encoding).decode(bytes, place.byteOffset, size == place.byteLength, text, anchors);
    }
    if (text.empty())
        return failAt({m_description.displayName, place.line, 0, place.byteOffset}, Reason::InputFileBad,
                      "the file is not the one that was read before", "start a new job with batch");
    InputRecord record;
    if (m_description.format == InputFormat::Csv) {
        CsvRow row;
        row.parse(text, true, m_description.delimiter, kLimits);
        fillCsvRecord(row, text, m_description, place, record);
    } else {
        fillJsonlRecord(text, m_description, place, record);
    }
    return record;
}

Result<InputRecord> readRecordAt(const std::filesystem::path& path, const InputDescription& description,
                                 const RecordPlace& place)
{
    const auto access = RecordAccess::open(path, description);
    if (!access) return tl::unexpected(access.error());
    return (*access)->read(place);
}

} // namespace aiflow
