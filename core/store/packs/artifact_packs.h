// All packs of a state directory: this process appends to one of them and finds small artifacts in every one.
#pragma once

#include "core/store/packs/pack_index.h"

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace aiflow {

// A pack is full at 64 MiB; then its index is written beside it. One that is not full is gone on with by the next
// process that needs one, after its torn end was cut off. Threads: every method, from any thread.
class ArtifactPacks {
public:
    static constexpr std::size_t kLargest = 64 * 1024; // bytes of an artifact

    // Touches nothing: an absent folder is made by the first put().
    explicit ArtifactPacks(std::filesystem::path folder) : m_folder(std::move(folder)) {}

    // Survives this process at once, a power cut after the next sync().
    Result<void> put(const ContentHash& hash, std::span<const std::byte> bytes);
    // Everything that was put before is durable. Cheap when nothing was.
    Result<void> sync();
    bool contains(const ContentHash& hash);
    // Nothing when no pack has it. Internal when its bytes no longer have the hash.
    Result<std::optional<std::vector<std::byte>>> get(const ContentHash& hash);

private:
    struct Pack {
        PackFile file;
        std::optional<PackIndex> index; // of a full one; else `table` is filled as it grows
        PackTable table;
    };
    struct Place {
        std::shared_ptr<Pack> pack;
        PackPlace place;
    };
    using Lock = std::unique_lock<std::mutex>;

    std::optional<Place> find(const ContentHash& hash);
    std::optional<Place> findKnown(const ContentHash& hash) const;
    void refresh();
    void meet(const std::filesystem::path& file);
    Result<void> own();
    Result<void> takeOver(const std::filesystem::path& file);
    Result<void> finishPack();

    const std::filesystem::path m_folder;
    std::mutex m_syncing; // one sync at a time; before m_mutex
    std::mutex m_mutex;
    // Guarded by m_mutex.
    std::vector<std::shared_ptr<Pack>> m_packs; // the newest last
    std::shared_ptr<Pack> m_own;
    bool m_looked = false;
    std::int64_t m_unsynced = 0; // bytes in m_own
};

} // namespace aiflow
