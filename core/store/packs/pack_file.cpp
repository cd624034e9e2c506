#include "core/store/packs/pack_file.h"

#include "core/base/failpoint.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

// Stands before the bytes of each artifact; numbers in the machine's order.
struct Head {
    std::uint32_t mark = 0;
    std::uint32_t size = 0;
    std::array<std::uint8_t, 32> hash{};
};
static_assert(sizeof(Head) == 40);
constexpr std::uint32_t kMark = 0x50414641; // "AFAP"
constexpr std::int64_t kHeadSize = sizeof(Head);
// More than ever waits to be synced: what lies before was on the disk when a power cut came.
constexpr std::int64_t kVerified = 8LL * 1024 * 1024;

tl::unexpected<Error> writeError(const std::filesystem::path& path, int problem)
{
    const bool full = problem == ENOSPC || problem == EDQUOT || problem == EFBIG;
    return fail(full ? Reason::OutputDiskFull : Reason::OutputDenied,
                "cannot write " + path.string() + ": " + std::strerror(problem),
                full ? "free some space, then resume" : "check the folder's permissions, then resume");
}

tl::unexpected<Error> readError(const std::filesystem::path& path, int problem)
{
    return fail(Reason::InputFileBad, "cannot read " + path.string() + ": " + std::strerror(problem));
}

bool readWhole(int file, void* into, std::size_t size, std::int64_t offset)
{
    auto* at = static_cast<char*>(into);
    while (size > 0) {
        const ssize_t count = ::pread(file, at, size, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        offset += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

} // namespace

PackFile::PackFile(PackFile&& other) noexcept
    : m_path(std::move(other.m_path)), m_file(std::exchange(other.m_file, -1)), m_size(other.m_size)
{
}

PackFile& PackFile::operator=(PackFile&& other) noexcept
{
    std::swap(m_path, other.m_path);
    std::swap(m_file, other.m_file);
    std::swap(m_size, other.m_size);
    return *this;
}

PackFile::~PackFile()
{
    if (m_file >= 0) ::close(m_file);
}

Result<PackFile> PackFile::open(const std::filesystem::path& file)
{
    PackFile pack(file, ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (pack.m_file < 0) return readError(file, errno);
    return pack;
}

Result<PackFile> PackFile::own(const std::filesystem::path& file)
{
    PackFile pack(file, ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (pack.m_file < 0) return writeError(file, errno);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    if (::fcntl(pack.m_file, F_OFD_SETLK, &range) != 0)
        return fail(Reason::JobLocked, "another process writes " + file.string());
    return pack;
}

Result<void> PackFile::scan(const Found& found, bool verify)
{
    struct stat s {};
    if (::fstat(m_file, &s) != 0) return readError(m_path, errno);
    const std::int64_t end = s.st_size;
    Head head;
    while (m_size + kHeadSize <= end && readWhole(m_file, &head, sizeof head, m_size)) {
        const std::int64_t next = m_size + kHeadSize + head.size;
        if (head.mark != kMark || next > end || next > UINT32_MAX) return {};
        const PackPlace place{static_cast<std::uint32_t>(m_size + kHeadSize), head.size};
        const ContentHash hash{head.hash};
        if (verify && next > end - kVerified && !isAsHashed(hash, place)) return {};
        found(hash, place);
        m_size = next;
    }
    return {};
}

bool PackFile::isAsHashed(const ContentHash& hash, PackPlace place) const
{
    const auto bytes = read(place);
    return bytes && sha256(*bytes) == hash;
}

Result<void> PackFile::cutTornEnd()
{
    struct stat s {};
    if (::fstat(m_file, &s) != 0 || (s.st_size > m_size && ::ftruncate(m_file, m_size) != 0))
        return writeError(m_path, errno);
    return {};
}

Result<PackPlace> PackFile::append(const ContentHash& hash, std::span<const std::byte> bytes)
{
    AIFLOW_FAILPOINT("before_artifact");
    AIFLOW_FAILPOINT_RESULT("artifact");
    Head head{kMark, static_cast<std::uint32_t>(bytes.size()), hash.bytes};
    // The bytes are only read.
    std::array<iovec, 2> pieces{{{&head, sizeof head}, {const_cast<std::byte*>(bytes.data()), bytes.size()}}};
    const auto whole = static_cast<ssize_t>(sizeof head + bytes.size());
    ssize_t written = 0;
    do written = ::pwritev(m_file, pieces.data(), static_cast<int>(pieces.size()), m_size);
    while (written < 0 && errno == EINTR);
    if (written != whole) {
        const int problem = written < 0 ? errno : ENOSPC;
        std::ignore = ::ftruncate(m_file, m_size);
        return writeError(m_path, problem);
    }
    AIFLOW_FAILPOINT("after_artifact");
    const PackPlace place{static_cast<std::uint32_t>(m_size + kHeadSize), head.size};
    m_size += whole;
    return place;
}

Result<void> PackFile::sync()
{
    AIFLOW_FAILPOINT("before_pack_sync");
    AIFLOW_FAILPOINT_RESULT("pack_sync");
    if (::fdatasync(m_file) != 0) return writeError(m_path, errno);
    AIFLOW_FAILPOINT("after_pack_sync");
    return {};
}

Result<std::vector<std::byte>> PackFile::read(PackPlace place) const
{
    std::vector<std::byte> bytes(place.size);
    if (readWhole(m_file, bytes.data(), bytes.size(), place.offset)) return bytes;
    return readError(m_path, errno);
}

} // namespace aiflow
