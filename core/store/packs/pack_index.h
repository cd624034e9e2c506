// Where the artifacts of a full pack stand: a sorted table beside it that is mapped, not read.
#pragma once

#include "core/store/packs/pack_file.h"

#include <optional>
#include <unordered_map>

namespace aiflow {

using PackTable = std::unordered_map<ContentHash, PackPlace>;

// Immutable. Threads: every method, from any thread.
class PackIndex {
public:
    // The whole file or nothing; durable when it returns.
    static Result<void> write(const std::filesystem::path& file, const PackTable& table);
    // InputFileBad when it is absent or no such table.
    static Result<PackIndex> open(const std::filesystem::path& file);
    PackIndex(PackIndex&& other) noexcept;
    PackIndex& operator=(PackIndex&& other) noexcept;
    ~PackIndex();

    std::optional<PackPlace> find(const ContentHash& hash) const noexcept;

private:
    struct Entry {
        ContentHash hash;
        PackPlace place;
    };
    PackIndex(void* mapped, std::size_t size) noexcept : m_mapped(mapped), m_size(size) {}
    std::span<const Entry> entries() const noexcept;

    void* m_mapped = nullptr;
    std::size_t m_size = 0;
};

} // namespace aiflow
