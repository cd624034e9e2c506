#include "core/base/file_system.h"

#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace aiflow {

namespace {

// Closes its file descriptor.
class Descriptor {
public:
    explicit Descriptor(int value) noexcept : m_value(value) {}
    ~Descriptor()
    {
        if (m_value >= 0) ::close(m_value);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return m_value; }
    bool good() const noexcept { return m_value >= 0; }

private:
    int m_value;
};

tl::unexpected<Error> writeError(const std::filesystem::path& path, int problem)
{
    const std::string words = "cannot write " + path.string() + ": " + std::strerror(problem);
    if (problem == ENOSPC || problem == EDQUOT)
        return fail(Reason::OutputDiskFull, words, "free some space, then resume");
    return fail(Reason::OutputDenied, words, "check the folder's permissions, then resume");
}

tl::unexpected<Error> readError(const std::filesystem::path& path, int problem)
{
    return fail(Reason::InputFileBad, "cannot read " + path.string() + ": " + std::strerror(problem));
}

FileStatus fromStat(const struct stat& s)
{
    FileStatus status;
    status.size = s.st_size;
    status.modifiedNs = static_cast<std::int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec;
    status.inode = s.st_ino;
    status.isDirectory = S_ISDIR(s.st_mode);
    status.isRegular = S_ISREG(s.st_mode);
    return status;
}

Result<std::vector<std::byte>> readAll(int file, const std::filesystem::path& path, Bytes limit)
{
    struct stat s {};
    if (::fstat(file, &s) != 0) return readError(path, errno);
    if (!S_ISREG(s.st_mode)) return fail(Reason::InputFileBad, path.string() + " is not a regular file");
    if (s.st_size > limit.count())
        return fail(Reason::InputFileBad,
                    path.string() + " is too large: " + toText(Bytes(s.st_size)) + ", the limit is " + toText(limit));
    std::vector<std::byte> data(static_cast<std::size_t>(s.st_size));
    std::size_t filled = 0;
    while (filled < data.size()) {
        const ssize_t count = ::read(file, data.data() + filled, data.size() - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return readError(path, errno);
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    data.resize(filled);
    return data;
}

Result<void> writeAll(int file, const std::filesystem::path& path, std::span<const std::byte> data)
{
    while (!data.empty()) {
        const ssize_t count = ::write(file, data.data(), data.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return writeError(path, errno);
        data = data.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

// Opens beneath `root` without following anything that leads out of it.
Result<int> openBeneath(const std::filesystem::path& root, const std::filesystem::path& relative)
{
    const std::string wished = relative.string();
    if (wished.empty()) return fail(Reason::InputImageMissing, "no file name given");
    if (wished.find('\0') != std::string::npos)
        return fail(Reason::InputFieldBad, "the file name holds a NUL character");
    if (relative.is_absolute())
        return fail(Reason::InputFieldBad, wished + " is an absolute path",
                    "give the path relative to " + root.string() + ", or set --input-root");
    const Descriptor folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.good()) return readError(root, errno);
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long file = ::syscall(SYS_openat2, folder.get(), wished.c_str(), &how, sizeof how);
    if (file >= 0) return static_cast<int>(file);
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return fail(Reason::InputImageMissing, wished + " not found", "looked in " + root.string());
    case EXDEV:
        return fail(Reason::InputFieldBad, wished + " leads outside " + root.string());
    case ELOOP:
        return fail(Reason::InputFieldBad, wished + " is or passes a symbolic link");
    case ENAMETOOLONG:
        return fail(Reason::InputFieldBad, "the file name is too long: " + wished.substr(0, 80) + "...");
    default:
        return readError(root / relative, errno);
    }
}

class PosixFileSystem final : public FileSystem {
public:
    Result<std::vector<std::byte>> readFile(const std::filesystem::path& path, Bytes limit) override
    {
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!file.good()) return readError(path, errno);
        return readAll(file.get(), path, limit);
    }

    Result<FileStatus> status(const std::filesystem::path& path) override
    {
        struct stat s {};
        if (::stat(path.c_str(), &s) != 0) return readError(path, errno);
        return fromStat(s);
    }

    bool exists(const std::filesystem::path& path) override { return ::access(path.c_str(), F_OK) == 0; }

    Result<std::vector<std::byte>> readBeneath(const std::filesystem::path& root, const std::filesystem::path& relative,
                                               Bytes limit) override
    {
        const auto opened = openBeneath(root, relative);
        if (!opened) return tl::unexpected(opened.error());
        const Descriptor file(*opened);
        return readAll(file.get(), relative, limit);
    }

    Result<FileStatus> statusBeneath(const std::filesystem::path& root, const std::filesystem::path& relative) override
    {
        const auto opened = openBeneath(root, relative);
        if (!opened) return tl::unexpected(opened.error());
        const Descriptor file(*opened);
        struct stat s {};
        if (::fstat(file.get(), &s) != 0) return readError(relative, errno);
        if (!S_ISREG(s.st_mode)) return fail(Reason::InputFieldBad, relative.string() + " is not a regular file");
        return fromStat(s);
    }

    Result<void> writeDurably(const std::filesystem::path& path, std::span<const std::byte> data) override
    {
        return replace(path, data, true);
    }

    Result<void> writeAtomically(const std::filesystem::path& path, std::span<const std::byte> data) override
    {
        return replace(path, data, false);
    }

    Result<void> copyAtomically(const std::filesystem::path& from, const std::filesystem::path& to) override
    {
        const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
        if (!source.good()) return readError(from, errno);
        struct stat s {};
        if (::fstat(source.get(), &s) != 0) return readError(from, errno);
        const std::filesystem::path temporary = temporaryFor(to);
        {
            const Descriptor target(
                ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
            if (!target.good()) return writeError(to, errno);
            off_t left = s.st_size;
            while (left > 0) {
                const ssize_t count =
                    ::copy_file_range(source.get(), nullptr, target.get(), nullptr, static_cast<std::size_t>(left), 0);
                if (count < 0 && errno == EINTR) continue;
                if (count <= 0) break;
                left -= count;
            }
            if (left > 0) {
                // Some file systems cannot copy inside the kernel.
                ::lseek(source.get(), 0, SEEK_SET);
                if (::ftruncate(target.get(), 0) != 0) return discard(temporary, to, errno);
                ::lseek(target.get(), 0, SEEK_SET);
                auto data = readAll(source.get(), from, Bytes(s.st_size));
                if (!data) return tl::unexpected(data.error());
                if (auto written = writeAll(target.get(), to, *data); !written) {
                    ::unlink(temporary.c_str());
                    return written;
                }
            }
        }
        if (::rename(temporary.c_str(), to.c_str()) != 0) return discard(temporary, to, errno);
        return {};
    }

    Result<void> makeDirectories(const std::filesystem::path& path) override
    {
        std::filesystem::path built;
        for (const auto& part : path) {
            built /= part;
            if (::mkdir(built.c_str(), 0700) == 0 || errno == EEXIST) continue;
            const int problem = errno;
            struct stat s {};
            if (::stat(built.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) continue;
            return writeError(built, problem);
        }
        struct stat s {};
        if (::stat(path.c_str(), &s) != 0) return writeError(path, errno);
        if (!S_ISDIR(s.st_mode)) return writeError(path, ENOTDIR);
        return {};
    }

    Result<void> remove(const std::filesystem::path& path) override
    {
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) return writeError(path, errno);
        return {};
    }

    Result<void> syncDirectory(const std::filesystem::path& path) override
    {
        const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder.good() || ::fsync(folder.get()) != 0) return writeError(path, errno);
        return {};
    }

    Result<Bytes> freeSpace(const std::filesystem::path& path) override
    {
        struct statvfs s {};
        if (::statvfs(path.c_str(), &s) != 0) return readError(path, errno);
        return Bytes(static_cast<std::int64_t>(s.f_bavail) * static_cast<std::int64_t>(s.f_frsize));
    }

private:
    std::filesystem::path temporaryFor(const std::filesystem::path& path)
    {
        return path.parent_path() /
               (".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(m_counter.fetch_add(1)));
    }

    static Result<void> discard(const std::filesystem::path& temporary, const std::filesystem::path& path, int problem)
    {
        ::unlink(temporary.c_str());
        return writeError(path, problem);
    }

    Result<void> replace(const std::filesystem::path& path, std::span<const std::byte> data, bool durable)
    {
        const std::filesystem::path temporary = temporaryFor(path);
        {
            const Descriptor file(
                ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (!file.good()) return writeError(path, errno);
            if (auto written = writeAll(file.get(), path, data); !written) {
                ::unlink(temporary.c_str());
                return written;
            }
            // A failed fsync is final: the bytes must be written again elsewhere, so the file goes away.
            if (durable && ::fdatasync(file.get()) != 0) return discard(temporary, path, errno);
        }
        if (::rename(temporary.c_str(), path.c_str()) != 0) return discard(temporary, path, errno);
        return durable ? syncDirectory(path.parent_path().empty() ? "." : path.parent_path()) : Result<void>{};
    }

    std::atomic<std::uint64_t> m_counter{0};
};

} // namespace

FileSystem& systemFiles()
{
    static PosixFileSystem files;
    return files;
}

namespace {

// ".tmp-<process>-<number>" of a process that is gone.
bool isLeftTemporary(const std::string& name)
{
    int process = 0, end = 0;
    std::uint64_t number = 0;
    if (std::sscanf(name.c_str(), ".tmp-%d-%" SCNu64 "%n", &process, &number, &end) != 2) return false;
    return static_cast<std::size_t>(end) == name.size() && process > 0 && ::kill(process, 0) != 0 && errno == ESRCH;
}

} // namespace

void removeLeftTemporaries(const std::filesystem::path& folder)
{
    namespace fs = std::filesystem;
    std::error_code problem, ignored;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, problem);
    for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem))
        if (isLeftTemporary(entry->path().filename().string()) && entry->is_regular_file(ignored))
            fs::remove(entry->path(), ignored);
}

} // namespace aiflow
