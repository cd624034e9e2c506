#include "core/input/folder_listing.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/input/text_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 7> kEndings{".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"};
constexpr std::size_t kBlock = std::size_t{1024} * 1024;

bool isPicture(const std::filesystem::path& path)
{
    std::string ending = path.extension().string();
    std::ranges::transform(ending, ending.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return std::ranges::find(kEndings, ending) != kEndings.end();
}

std::string withoutEnding(const std::string& file) { return file.substr(0, file.rfind('.')); }

Result<void> writeAll(int file, std::string_view data, const std::filesystem::path& target)
{
    while (!data.empty()) {
        const ssize_t count = ::write(file, data.data(), data.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const bool full = errno == ENOSPC || errno == EDQUOT;
            return fail(full ? Reason::OutputDiskFull : Reason::OutputDenied,
                        "cannot write " + target.string() + ": " + std::strerror(errno),
                        full ? "free some space, then try again" : "check the folder's permissions");
        }
        data.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<InputSnapshot> copyBytes(int from, int to, const std::filesystem::path& input,
                                const std::filesystem::path& target, const std::function<void(std::int64_t)>& progress)
{
    std::string block(kBlock, '\0');
    Hasher hasher;
    InputSnapshot snapshot;
    for (;;) {
        const std::int64_t count = readAt(from, block.data(), block.size(), snapshot.size);
        if (count < 0) return fail(Reason::InputFileBad, "cannot read " + input.string() + ": " + std::strerror(errno));
        if (count == 0) break;
        const std::string_view piece(block.data(), static_cast<std::size_t>(count));
        hasher.add(piece);
        if (auto written = writeAll(to, piece, target); !written) return tl::unexpected(written.error());
        snapshot.size += count;
        if (progress) progress(snapshot.size);
    }
    if (::fdatasync(to) != 0)
        return fail(errno == ENOSPC ? Reason::OutputDiskFull : Reason::OutputDenied,
                    "cannot write " + target.string() + ": " + std::strerror(errno), "free some space, then try again");
    snapshot.hash = hasher.finish();
    return snapshot;
}

} // namespace

Result<std::vector<FolderEntry>> listFolder(const std::filesystem::path& folder)
{
    namespace fs = std::filesystem;
    std::vector<FolderEntry> entries;
    try {
        for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator();
             ++entry) {
            const fs::path& path = entry->path();
            const bool hidden = path.filename().string().starts_with('.');
            if (hidden || entry->is_symlink()) {
                entry.disable_recursion_pending();
                continue;
            }
            struct stat status {};
            if (!isPicture(path) || ::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
            entries.push_back(
                {path.lexically_relative(folder).generic_string(), status.st_size,
                 static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec});
        }
    } catch (const fs::filesystem_error& error) {
        return fail(Reason::InputFileBad, "cannot read the folder " + folder.string() + ": " + error.code().message(),
                    "check the folder's permissions");
    }
    if (entries.empty())
        return fail(Reason::InputFileBad, "no picture in " + folder.string(),
                    "expected jpg, jpeg, png, webp, tif, tiff or bmp files, here or in folders below");
    std::ranges::sort(entries, {}, &FolderEntry::file);
    return entries;
}

std::string listingLines(const std::vector<FolderEntry>& entries)
{
    std::map<std::string, int> uses;
    for (const FolderEntry& entry : entries) ++uses[withoutEnding(entry.file)];
    std::string lines;
    for (const FolderEntry& entry : entries) {
        Json line = Json::object();
        if (isValidUtf8(entry.file)) {
            const std::string stem = withoutEnding(entry.file);
            line = {{"file", entry.file},        {"id", uses[stem] > 1 ? entry.file : stem}, {"image", entry.file},
                    {"mtime", entry.modifiedNs}, {"name", stem.substr(stem.rfind('/') + 1)}, {"size", entry.size}};
        } else {
            line["unreadable_name"] = entry.file;
        }
        lines += dumpJson(line) + "\n";
    }
    return lines;
}

Result<int> folderListingInMemory(const std::filesystem::path& folder)
{
    const auto entries = listFolder(folder);
    if (!entries) return tl::unexpected(entries.error());
    const int file = ::memfd_create("folder listing", MFD_CLOEXEC);
    if (file < 0) return fail(Reason::InputFileBad, "no memory for the listing of " + folder.string());
    if (auto written = writeAll(file, listingLines(*entries), folder); !written) {
        ::close(file);
        return tl::unexpected(written.error());
    }
    return file;
}

Result<InputSnapshot> snapshotInput(const std::filesystem::path& input, const std::filesystem::path& target,
                                    const std::function<void(std::int64_t)>& progress)
{
    std::error_code ignored;
    InputFile from;
    if (std::filesystem::is_directory(input, ignored)) {
        const auto listing = folderListingInMemory(input);
        if (!listing) return tl::unexpected(listing.error());
        from = InputFile(*listing);
    } else {
        auto opened = InputFile::open(input.string());
        if (!opened) return tl::unexpected(opened.error());
        from = std::move(*opened);
    }
    const std::filesystem::path temporary = target.string() + ".part";
    ::unlink(temporary.c_str());
    const InputFile to(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (to.get() < 0)
        return fail(Reason::OutputDenied, "cannot write " + target.string() + ": " + std::strerror(errno),
                    "check the folder's permissions");
    auto snapshot = copyBytes(from.get(), to.get(), input, target, progress);
    if (snapshot && ::rename(temporary.c_str(), target.c_str()) != 0)
        snapshot = fail(Reason::OutputDenied, "cannot write " + target.string() + ": " + std::strerror(errno));
    if (!snapshot) {
        ::unlink(temporary.c_str());
        return snapshot;
    }
    const std::filesystem::path parent = target.parent_path().empty() ? "." : target.parent_path();
    if (auto synced = systemFiles().syncDirectory(parent); !synced) return tl::unexpected(synced.error());
    return snapshot;
}

} // namespace aiflow
