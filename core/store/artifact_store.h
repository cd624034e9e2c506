// Artifacts: bytes named by their SHA-256, shared by all jobs of a state directory.
#pragma once

#include "core/base/file_system.h"
#include "core/base/hash.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

struct ArtifactRef {
    ContentHash hash;
    std::string mediaType;
    std::int64_t size = 0;
};

// Large ones are files artifacts/ab/cdef..., small ones (up to 64 KiB) stand in packs, many to a file. Writing the same
// bytes twice writes once. Threads: every method, from any thread; also safe for many processes.
class ArtifactStore {
public:
    static Result<std::unique_ptr<ArtifactStore>> open(const std::filesystem::path& folder, FileSystem& files);
    virtual ~ArtifactStore() = default;

    // A large one is durable when it returns. A small one survives this process at once and a power cut after the next
    // sync(): a journal that is told so (Journal::Settings::beforeCommit) syncs before each commit, so that what a
    // record names is durable before the record.
    virtual Result<ArtifactRef> put(std::string mediaType, std::span<const std::byte> bytes) = 0;
    // One sync of the disk for all small ones that were put before; nothing is done when there are none.
    virtual Result<void> sync() = 0;
    // Takes a file of the same file system that has this hash: it is renamed, not copied, and is durable then.
    virtual Result<ArtifactRef> adopt(const std::filesystem::path& file, const ContentHash& hash,
                                      std::string mediaType) = 0;
    // InputFileBad when absent; Internal when the bytes no longer have their hash.
    virtual Result<std::vector<std::byte>> get(const ContentHash& hash) = 0;
    virtual bool contains(const ContentHash& hash) = 0;
    // The whole file or nothing, not synced. Errors as get(), and of writing.
    virtual Result<void> copyTo(const ContentHash& hash, const std::filesystem::path& target) = 0;
    // Of a large one, to be read piece by piece; nothing when it stands in a pack, or nowhere.
    virtual std::optional<std::filesystem::path> fileOf(const ContentHash& hash) const = 0;
};

} // namespace aiflow
