#include "core/store/packs/artifact_packs.h"

#include "core/base/file_system.h"
#include "core/base/random.h"

#include <algorithm>
#include <set>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostUnsynced = 4LL * 1024 * 1024;
constexpr std::size_t kMostInAPack = 65'536;

fs::path indexOf(fs::path pack) { return pack.replace_extension(".index"); }

} // namespace

Result<void> ArtifactPacks::put(const ContentHash& hash, std::span<const std::byte> bytes)
{
    bool syncNow = false;
    {
        const std::lock_guard lock(m_mutex);
        if (!m_looked) refresh();
        if (findKnown(hash)) return {};
        if (!m_own || m_own->file.size() >= PackFile::kFull || m_own->table.size() >= kMostInAPack)
            if (auto ready = own(); !ready) return ready;
        auto place = m_own->file.append(hash, bytes);
        if (!place) return tl::unexpected(std::move(place.error()));
        m_own->table.emplace(hash, *place);
        m_unsynced += static_cast<std::int64_t>(bytes.size()) + 64;
        syncNow = m_unsynced > kMostUnsynced;
    }
    return syncNow ? sync() : Result<void>{};
}

Result<void> ArtifactPacks::sync()
{
    const std::lock_guard syncing(m_syncing);
    std::shared_ptr<Pack> pack;
    std::int64_t upTo = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (m_unsynced == 0) return {};
        pack = m_own;
        upTo = std::exchange(m_unsynced, 0);
    }
    auto synced = pack->file.sync();
    if (!synced) {
        // What it did not write must not be believed by a later sync of the same file.
        const std::lock_guard lock(m_mutex);
        m_unsynced += upTo;
        if (m_own == pack) m_own.reset();
    }
    return synced;
}

bool ArtifactPacks::contains(const ContentHash& hash) { return find(hash).has_value(); }

Result<std::optional<std::vector<std::byte>>> ArtifactPacks::get(const ContentHash& hash)
{
    const auto found = find(hash);
    if (!found) return std::nullopt;
    auto bytes = found->pack->file.read(found->place);
    if (!bytes) return tl::unexpected(std::move(bytes.error()));
    if (sha256(*bytes) == hash) return std::optional(std::move(*bytes));
    return fail(Reason::Internal,
                found->pack->file.path().string() + " no longer has the bytes that it was written with",
                "check the disk; delete the file and resume: what it held is made again");
}

std::optional<ArtifactPacks::Place> ArtifactPacks::find(const ContentHash& hash)
{
    const std::lock_guard lock(m_mutex);
    if (auto known = findKnown(hash)) return known;
    refresh();
    return findKnown(hash);
}

std::optional<ArtifactPacks::Place> ArtifactPacks::findKnown(const ContentHash& hash) const
{
    for (auto pack = m_packs.rbegin(); pack != m_packs.rend(); ++pack) {
        if ((*pack)->index) {
            if (const auto place = (*pack)->index->find(hash)) return Place{*pack, *place};
        } else if (const auto place = (*pack)->table.find(hash); place != (*pack)->table.end()) {
            return Place{*pack, place->second};
        }
    }
    return std::nullopt;
}

// What other processes have appended meanwhile.
void ArtifactPacks::refresh()
{
    m_looked = true;
    std::set<fs::path> known;
    for (const auto& pack : m_packs) known.insert(pack->file.path());
    std::error_code none;
    std::vector<fs::path> fresh;
    for (const auto& entry : fs::directory_iterator(m_folder, none))
        if (entry.path().extension() == ".pack" && !known.contains(entry.path())) fresh.push_back(entry.path());
    std::ranges::sort(fresh); // names begin with the time
    for (const auto& pack : m_packs) {
        if (pack == m_own || pack->index) continue;
        if (auto index = PackIndex::open(indexOf(pack->file.path())); index) {
            pack->index = std::move(*index);
            pack->table.clear();
        } else {
            std::ignore = pack->file.scan([&](const ContentHash& hash, PackPlace at) { pack->table[hash] = at; });
        }
    }
    for (const fs::path& file : fresh) meet(file);
}

// One that cannot be read is passed over: what it held counts as absent and is made again.
void ArtifactPacks::meet(const fs::path& file)
{
    auto opened = PackFile::open(file);
    if (!opened) return;
    auto pack = std::make_shared<Pack>(Pack{std::move(*opened), std::nullopt, {}});
    if (auto index = PackIndex::open(indexOf(file)); index)
        pack->index = std::move(*index);
    else
        std::ignore = pack->file.scan([&](const ContentHash& hash, PackPlace at) { pack->table[hash] = at; });
    m_packs.push_back(std::move(pack));
}

// A pack to append to: one that nobody appends to and that is not full, else a new one.
Result<void> ArtifactPacks::own()
{
    if (m_own)
        if (auto finished = finishPack(); !finished) return finished;
    const auto packs = m_packs;
    for (const auto& pack : packs)
        if (!pack->index && takeOver(pack->file.path())) return {};
    if (auto made = systemFiles().makeDirectories(m_folder); !made) return made;
    SystemRandom random;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string name = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    auto taken = takeOver(m_folder / (name + "-" + random.hex(8) + ".pack"));
    return taken ? systemFiles().syncDirectory(m_folder) : taken;
}

Result<void> ArtifactPacks::takeOver(const fs::path& file)
{
    auto opened = PackFile::own(file);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    auto pack = std::make_shared<Pack>(Pack{std::move(*opened), std::nullopt, {}});
    const auto note = [&](const ContentHash& hash, PackPlace at) { pack->table[hash] = at; };
    auto ready = pack->file.scan(note, true);
    if (ready) ready = pack->file.cutTornEnd();
    // Its writer may have died before its last sync.
    if (ready && pack->file.size() > 0) ready = pack->file.sync();
    if (!ready) return ready;
    std::erase_if(m_packs, [&](const auto& known) { return known->file.path() == file; });
    m_packs.push_back(pack);
    m_own = std::move(pack);
    if (m_own->file.size() < PackFile::kFull && m_own->table.size() < kMostInAPack) return {};
    auto finished = finishPack();
    return finished ? fail(Reason::JobLocked, file.string() + " is full") : finished;
}

Result<void> ArtifactPacks::finishPack()
{
    const auto pack = std::exchange(m_own, nullptr);
    m_unsynced = 0;
    if (auto synced = pack->file.sync(); !synced) return synced;
    const fs::path file = indexOf(pack->file.path());
    if (auto written = PackIndex::write(file, pack->table); !written) return written;
    auto index = PackIndex::open(file);
    if (!index) return tl::unexpected(std::move(index.error()));
    pack->index = std::move(*index);
    pack->table.clear();
    return {};
}

} // namespace aiflow
