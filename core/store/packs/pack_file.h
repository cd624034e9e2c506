// One pack: small artifacts one after another in a file that one process appends to and everybody reads.
#pragma once

#include "core/base/hash.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

namespace aiflow {

struct PackPlace {
    std::uint32_t offset = 0; // of the bytes, not of what stands before them
    std::uint32_t size = 0;
};

// Threads: read() from any thread; the others from one at a time.
class PackFile {
public:
    static constexpr std::int64_t kFull = 64LL * 1024 * 1024; // no more is appended
    using Found = std::function<void(const ContentHash&, PackPlace)>;

    // For reading. InputFileBad.
    static Result<PackFile> open(const std::filesystem::path& file);
    // For appending: made when it is absent, locked until it is closed. JobLocked when another process appends to it.
    static Result<PackFile> own(const std::filesystem::path& file);
    PackFile(PackFile&& other) noexcept;
    PackFile& operator=(PackFile&& other) noexcept;
    ~PackFile();

    // Tells of what has been appended since the last scan, as far as it is whole. With `verify` the hashes of the last
    // bytes are checked too: what a power cut left of them ends the scan.
    Result<void> scan(const Found& found, bool verify = false);
    // The file ends where the last scan ended: what follows is the torn end of a process that died.
    Result<void> cutTornEnd();
    // Errors of writing: OutputDiskFull, OutputDenied. What was not written whole is cut off again.
    Result<PackPlace> append(const ContentHash& hash, std::span<const std::byte> bytes);
    Result<void> sync();
    std::int64_t size() const noexcept { return m_size; }
    // InputFileBad when it is not there any more. The caller checks the hash.
    Result<std::vector<std::byte>> read(PackPlace place) const;
    const std::filesystem::path& path() const noexcept { return m_path; }

private:
    PackFile(std::filesystem::path path, int file) : m_path(std::move(path)), m_file(file) {}
    bool isAsHashed(const ContentHash& hash, PackPlace place) const;

    std::filesystem::path m_path;
    int m_file = -1;
    std::int64_t m_size = 0; // scanned or appended so far
};

} // namespace aiflow
