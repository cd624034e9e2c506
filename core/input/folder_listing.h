// A folder of pictures as an input: its listing, one JSON line for each picture, and the job's own copy of any input.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace aiflow {

struct FolderEntry {
    std::string file; // relative to the folder, with "/"
    std::int64_t size = 0;
    std::int64_t modifiedNs = 0;
};

// All pictures (jpg, jpeg, png, webp, tif, tiff, bmp) beneath the folder, sorted by the bytes of their relative paths.
// Symbolic links are not followed; hidden files and folders are passed over. InputFileBad: unreadable, or no picture in
// it.
Result<std::vector<FolderEntry>> listFolder(const std::filesystem::path& folder);

// Lines of {"file","id","image","mtime","name","size"}: `name` is the file's stem, `id` its path without the ending
// (with it, where two files would share one). A name that is not UTF-8 gives {"unreadable_name"}: its record is an
// error.
std::string listingLines(const std::vector<FolderEntry>& entries);

// The listing in a file that has no name; the caller closes the descriptor.
Result<int> folderListingInMemory(const std::filesystem::path& folder);

struct InputSnapshot {
    ContentHash hash; // of the copy's bytes
    std::int64_t size = 0;
};

// Copies a file's bytes, or a folder's listing, to `target`: whole and on disk, or not at all.
// `progress` is told the bytes copied so far. OutputDiskFull, OutputDenied, InputFileBad.
Result<InputSnapshot> snapshotInput(const std::filesystem::path& input, const std::filesystem::path& target,
                                    const std::function<void(std::int64_t)>& progress = {});

} // namespace aiflow
