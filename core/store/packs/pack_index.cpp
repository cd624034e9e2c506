#include "core/store/packs/pack_index.h"

#include "core/base/file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

struct Head {
    std::array<char, 8> mark{};
    std::uint64_t count = 0;
};
constexpr std::array<char, 8> kMark{'A', 'F', 'I', 'N', 'D', 'E', 'X', '1'};

} // namespace

Result<void> PackIndex::write(const std::filesystem::path& file, const PackTable& table)
{
    std::vector<Entry> sorted;
    sorted.reserve(table.size());
    for (const auto& [hash, place] : table) sorted.push_back({hash, place});
    std::ranges::sort(sorted, {}, &Entry::hash);
    const Head head{kMark, sorted.size()};
    std::vector<std::byte> bytes(sizeof head + sorted.size() * sizeof(Entry));
    std::memcpy(bytes.data(), &head, sizeof head);
    if (!sorted.empty()) std::memcpy(bytes.data() + sizeof head, sorted.data(), sorted.size() * sizeof(Entry));
    return systemFiles().writeDurably(file, bytes);
}

Result<PackIndex> PackIndex::open(const std::filesystem::path& file)
{
    const auto bad = [&file](const std::string& why) {
        return fail(Reason::InputFileBad, "cannot use " + file.string() + ": " + why);
    };
    const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0) return bad(std::strerror(errno));
    struct stat s {};
    const auto size = ::fstat(opened, &s) == 0 ? static_cast<std::size_t>(s.st_size) : 0;
    void* mapped = size < sizeof(Head) ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, opened, 0);
    ::close(opened);
    if (mapped == MAP_FAILED) return bad("it is too short");
    PackIndex index(mapped, size);
    Head head;
    std::memcpy(&head, mapped, sizeof head);
    if (head.mark != kMark || head.count != (size - sizeof head) / sizeof(Entry))
        return bad("it is no index of a pack");
    return index;
}

PackIndex::PackIndex(PackIndex&& other) noexcept
    : m_mapped(std::exchange(other.m_mapped, nullptr)), m_size(std::exchange(other.m_size, 0))
{
}

PackIndex& PackIndex::operator=(PackIndex&& other) noexcept
{
    std::swap(m_mapped, other.m_mapped);
    std::swap(m_size, other.m_size);
    return *this;
}

PackIndex::~PackIndex()
{
    if (m_mapped != nullptr) ::munmap(m_mapped, m_size);
}

std::span<const PackIndex::Entry> PackIndex::entries() const noexcept
{
    static_assert(sizeof(Entry) == 40 && sizeof(Head) % alignof(Entry) == 0);
    const auto* first = reinterpret_cast<const Entry*>(static_cast<const char*>(m_mapped) + sizeof(Head));
    return {first, (m_size - sizeof(Head)) / sizeof(Entry)};
}

std::optional<PackPlace> PackIndex::find(const ContentHash& hash) const noexcept
{
    const auto all = entries();
    const auto at = std::ranges::lower_bound(all, hash, {}, &Entry::hash);
    if (at == all.end() || at->hash != hash) return std::nullopt;
    return at->place;
}

} // namespace aiflow
