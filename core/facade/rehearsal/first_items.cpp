#include "core/facade/rehearsal/first_items.h"

#include "core/base/file_system.h"
#include "core/input/folder_listing.h"
#include "core/input/record_reader.h"

#include <algorithm>
#include <fstream>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

Result<std::string> firstPictures(const fs::path& folder, std::int64_t limit)
{
    auto entries = listFolder(folder);
    if (!entries) return tl::unexpected(entries.error());
    entries->resize(std::min(entries->size(), static_cast<std::size_t>(limit)));
    return listingLines(*entries);
}

// Everything up to the end of the last row that is wanted, byte for byte.
Result<std::string> firstRows(const fs::path& file, const InputSettings& settings, std::int64_t limit)
{
    const auto reader = RecordReader::open(file, settings);
    if (!reader) return tl::unexpected(reader.error());
    InputRecord record;
    for (std::int64_t rows = 0; rows < limit; ++rows) {
        const auto more = (*reader)->next(record);
        if (!more) return tl::unexpected(more.error());
        if (!*more) break;
    }
    std::string text(static_cast<std::size_t>(record.byteOffset + record.byteLength), '\0');
    std::ifstream in(file, std::ios::binary);
    if (text.empty() || !in.read(text.data(), static_cast<std::streamsize>(text.size())))
        return fail(Reason::InputFileBad, "cannot read " + file.string());
    return text;
}

} // namespace

Result<BatchRequest> firstItems(BatchRequest request, std::int64_t limit, const fs::path& folder)
{
    if (request.input == "-")
        return fail(Reason::UsageInvalid, "--limit cannot be used with standard input", "name the file instead of -");
    std::error_code problem;
    const bool pictures = fs::is_directory(request.input, problem);
    InputSettings settings;
    settings.encoding = request.encoding.value_or("");
    settings.delimiter = request.delimiter.value_or('\0');
    settings.displayName = request.input.filename().string();
    const auto text = pictures ? firstPictures(request.input, limit) : firstRows(request.input, settings, limit);
    if (!text) return tl::unexpected(text.error());
    const fs::path whole = fs::absolute(request.input).lexically_normal();
    const fs::path copy = folder / (pictures ? fs::path("pictures.jsonl") : whole.filename());
    if (auto written = systemFiles().writeAtomically(copy, std::as_bytes(std::span(*text))); !written)
        return tl::unexpected(written.error());
    if (!request.inputRoot) request.inputRoot = pictures ? whole : whole.parent_path();
    request.input = copy;
    return request;
}

} // namespace aiflow
