// Artifacts: bytes named by their SHA-256, shared by all jobs of a state directory.
#pragma once

#include "core/base/file_system.h"
#include "core/base/hash.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

struct ArtifactRef {
    ContentHash hash;
    std::string mediaType;
    std::int64_t size = 0;
};

// Files artifacts/ab/cdef.... Writing the same bytes twice writes once.
// Threads: every method, from any thread; also safe for many processes.
class ArtifactStore {
public:
    static Result<std::unique_ptr<ArtifactStore>> open(const std::filesystem::path& folder, FileSystem& files);
    virtual ~ArtifactStore() = default;

    // Durable when it returns (file and folder are synced), unless it was there already.
    virtual Result<ArtifactRef> put(std::string mediaType, std::span<const std::byte> bytes) = 0;
    // InputFileBad when absent; Internal when the bytes no longer have their hash.
    virtual Result<std::vector<std::byte>> get(const ContentHash& hash) = 0;
    virtual bool contains(const ContentHash& hash) = 0;
    virtual std::filesystem::path pathOf(const ContentHash& hash) const = 0;
};

} // namespace aiflow
