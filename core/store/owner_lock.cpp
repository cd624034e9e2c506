#include "core/store/owner_lock.h"

#include "core/base/json.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

constexpr std::size_t kLongestNote = 4096;

struct flock wholeFile(short type)
{
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    return range;
}

struct Note {
    OwnerInfo owner;
    std::string job;
};

Note readNote(int file)
{
    std::array<char, kLongestNote> text{};
    const ssize_t size = ::pread(file, text.data(), text.size(), 0);
    Note note;
    // The owner may be writing it at this moment: an unreadable note is an unknown owner.
    const auto json = parseJson({text.data(), static_cast<std::size_t>(size > 0 ? size : 0)});
    if (!json || !json->is_object()) return note;
    try {
        note.owner.pid = json->value("pid", std::int64_t{0});
        note.owner.host = json->value("host", std::string());
        note.owner.since = WallTime(std::chrono::microseconds(json->value("since", std::int64_t{0})));
        note.job = json->value("job", std::string());
    } catch (const std::exception&) {
        return {};
    }
    return note;
}

Result<void> writeNote(int file, const std::filesystem::path& path, std::string_view job)
{
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const Json note{{"pid", ::getpid()},
                    {"host", host.data()},
                    {"since", SystemClock().wall().time_since_epoch().count()},
                    {"job", std::string(job)}};
    const std::string text = dumpJson(note) + "\n";
    if (::ftruncate(file, 0) == 0 && ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()))
        return {};
    const int problem = errno;
    return fail(problem == ENOSPC ? Reason::OutputDiskFull : Reason::OutputDenied,
                "cannot write " + path.string() + ": " + std::strerror(problem), "check the disk, then try again");
}

tl::unexpected<Error> lockedError(std::string_view what, const Note& note)
{
    std::string words(what);
    if (note.owner.pid == 0)
        words += " by another process";
    else
        words += " by process " + std::to_string(note.owner.pid) + " on host " + note.owner.host + " since " +
                 toClockText(note.owner.since);
    if (!note.job.empty()) words += " (job " + note.job + ")";
    return fail(Reason::JobLocked, words, "attach to it, or wait until it has finished");
}

struct FileSystemKind {
    unsigned long type;
    const char* name;
};

constexpr std::array<FileSystemKind, 11> kNetworkDisks{{{0x6969, "NFS"},
                                                        {0x517B, "SMB"},
                                                        {0xFF534D42, "CIFS"},
                                                        {0xFE534D42, "SMB2"},
                                                        {0x01021997, "9p"},
                                                        {0x65735546, "FUSE"},
                                                        {0x5346414F, "AFS"},
                                                        {0x00C36400, "Ceph"},
                                                        {0x73757245, "Coda"},
                                                        {0x564C, "NCP"},
                                                        {0x0BD00BD0, "Lustre"}}};

} // namespace

OwnerLock::OwnerLock(OwnerLock&& other) noexcept : m_file(std::exchange(other.m_file, -1)) {}

OwnerLock& OwnerLock::operator=(OwnerLock&& other) noexcept
{
    std::swap(m_file, other.m_file);
    return *this;
}

OwnerLock::~OwnerLock()
{
    if (m_file >= 0) ::close(m_file);
}

Result<OwnerLock> OwnerLock::take(const std::filesystem::path& file, std::string_view what, std::string_view job)
{
    OwnerLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.m_file < 0)
        return fail(Reason::OutputDenied, "cannot open " + file.string() + ": " + std::strerror(errno),
                    "check the folder's permissions");
    // The lock belongs to the open file, not to the process: a library that opens and closes the file cannot lose it.
    struct flock range = wholeFile(F_WRLCK);
    if (::fcntl(lock.m_file, F_OFD_SETLK, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES) return lockedError(what, readNote(lock.m_file));
        return fail(Reason::OutputDenied, "cannot lock " + file.string() + ": " + std::strerror(errno),
                    "use a folder on a local disk");
    }
    if (auto noted = writeNote(lock.m_file, file, job); !noted) return tl::unexpected(std::move(noted.error()));
    return lock;
}

std::optional<OwnerInfo> OwnerLock::owner(const std::filesystem::path& file)
{
    const OwnerLock view(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (view.m_file < 0) return std::nullopt;
    struct flock range = wholeFile(F_RDLCK);
    if (::fcntl(view.m_file, F_OFD_GETLK, &range) != 0 || range.l_type == F_UNLCK) return std::nullopt;
    return readNote(view.m_file).owner;
}

std::optional<std::string> networkFileSystemOf(const std::filesystem::path& path)
{
    std::filesystem::path there = path;
    struct statfs disk {};
    while (::statfs(there.empty() ? "." : there.c_str(), &disk) != 0) {
        if (errno != ENOENT || there.empty() || there == there.parent_path()) return std::nullopt;
        there = there.parent_path();
    }
    for (const auto& [type, name] : kNetworkDisks) {
        // Some kernels give the number with its sign.
        if ((static_cast<unsigned long>(disk.f_type) & 0xFFFFFFFFUL) == type) return name;
    }
    return std::nullopt;
}

Result<void> requireLocalDisk(const std::filesystem::path& path)
{
    const auto network = networkFileSystemOf(path);
    if (!network) return {};
    const char* allowed = std::getenv("AIFLOW_ALLOW_NETWORK_FS");
    if (allowed != nullptr && std::string_view(allowed) == "1") return {};
    return fail(Reason::OutputDenied,
                path.string() + " is on " + *network + ", where locks and syncing cannot be relied on",
                "choose a local disk with --state-dir, or set AIFLOW_ALLOW_NETWORK_FS=1 at your own risk");
}

} // namespace aiflow
