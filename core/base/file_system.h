// The disk as an interface, so that tests can fill it, break it and cut its power.
#pragma once

#include "aiflow/result.h"
#include "core/base/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct FileStatus {
    std::int64_t size = 0;
    std::int64_t modifiedNs = 0; // since the epoch
    std::uint64_t inode = 0;
    bool isDirectory = false;
    bool isRegular = false;
};

// Errors: OutputDiskFull, OutputDenied for writing; InputImageMissing is never used here: reading gives InputFileBad
// with the system's words. Paths are always in the message. Threads: every method, from any thread. All methods block.
class FileSystem {
public:
    virtual ~FileSystem() = default;

    virtual Result<std::vector<std::byte>> readFile(const std::filesystem::path& path, Bytes limit) = 0;
    virtual Result<FileStatus> status(const std::filesystem::path& path) = 0;
    virtual bool exists(const std::filesystem::path& path) = 0;
    // Reads a regular file beneath `root` without ever leaving it: no symbolic link, no "..", no device, no FIFO
    // (openat2 with RESOLVE_BENEATH). `relative` that leads outside: InputFieldBad. Not there: InputImageMissing.
    virtual Result<std::vector<std::byte>> readBeneath(const std::filesystem::path& root,
                                                       const std::filesystem::path& relative, Bytes limit) = 0;
    virtual Result<FileStatus> statusBeneath(const std::filesystem::path& root,
                                             const std::filesystem::path& relative) = 0;

    // The whole file or nothing: temporary file, fsync, rename over `path`, fsync of the folder.
    virtual Result<void> writeDurably(const std::filesystem::path& path, std::span<const std::byte> data) = 0;
    // As above without the two fsyncs: for what can be made again.
    virtual Result<void> writeAtomically(const std::filesystem::path& path, std::span<const std::byte> data) = 0;
    virtual Result<void> copyAtomically(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    // With missing parents; mode 0700 for the new ones.
    virtual Result<void> makeDirectories(const std::filesystem::path& path) = 0;
    virtual Result<void> remove(const std::filesystem::path& path) = 0;
    virtual Result<void> syncDirectory(const std::filesystem::path& path) = 0;
    virtual Result<Bytes> freeSpace(const std::filesystem::path& path) = 0;
};

// The machine's own.
FileSystem& systemFiles();
// Removes from `folder` and what is beneath it the temporary files of systemFiles() whose processes died.
void removeLeftTemporaries(const std::filesystem::path& folder);

} // namespace aiflow
