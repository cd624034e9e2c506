#include "core/store/output_folder.h"

#include "core/base/text.h"
#include "core/store/job_directory.h"
#include "core/store/owner_lock.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <mutex>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unordered_map>

namespace aiflow {

namespace {

tl::unexpected<Error> writeError(const std::filesystem::path& path, int problem)
{
    const bool full = problem == ENOSPC || problem == EDQUOT;
    return fail(full ? Reason::OutputDiskFull : Reason::OutputDenied,
                "cannot write " + path.string() + ": " + std::strerror(problem),
                full ? "free some space, then resume" : "check the folder's permissions, then resume");
}

class Folder {
public:
    explicit Folder(int file) noexcept : m_file(file) {}
    ~Folder()
    {
        if (m_file >= 0) ::close(m_file);
    }
    Folder(Folder&& other) noexcept : m_file(std::exchange(other.m_file, -1)) {}
    Folder& operator=(Folder&& other) noexcept
    {
        std::swap(m_file, other.m_file);
        return *this;
    }
    int get() const noexcept { return m_file; }
    bool good() const noexcept { return m_file >= 0; }

    // A folder in it, made when absent; never one that a symbolic link leads to.
    Folder enter(const std::string& name) const
    {
        if (::mkdirat(m_file, name.c_str(), 0755) == 0)
            ::fchmodat(m_file, name.c_str(), 0755, 0);
        else if (errno != EEXIST)
            return Folder(-1);
        open_how how{};
        how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        return Folder(static_cast<int>(::syscall(SYS_openat2, m_file, name.c_str(), &how, sizeof how)));
    }

private:
    int m_file;
};

// With missing parents, for everybody to see whatever the umask says.
Result<void> makeVisibleFolders(const std::filesystem::path& path)
{
    std::filesystem::path built;
    for (const auto& part : path) {
        built /= part;
        if (::mkdir(built.c_str(), 0755) == 0)
            ::chmod(built.c_str(), 0755);
        else if (struct stat s{}; errno != EEXIST && (::stat(built.c_str(), &s) != 0 || !S_ISDIR(s.st_mode)))
            return writeError(built, ENOTDIR);
    }
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return writeError(path, errno);
    return S_ISDIR(s.st_mode) ? Result<void>{} : writeError(path, ENOTDIR);
}

std::filesystem::path withSuffix(const std::filesystem::path& name, const std::string& suffix)
{
    const std::filesystem::path file = name.filename();
    const std::string wished = file.stem().string() + "-" + suffix + file.extension().string();
    // A name at its limit makes room for the suffix instead of losing it.
    std::string stem = file.stem().string();
    std::string fitting = wished;
    while (fitting.size() > 200 && !stem.empty()) {
        do stem.pop_back();
        while (!stem.empty() && !isValidUtf8(stem));
        fitting = stem + "-" + suffix + file.extension().string();
    }
    return name.parent_path() / safeOutputName(fitting);
}

// Whose a name is; items are odd numbers.
constexpr std::uint64_t kProgram = 0, kItem = 1, kFolder = 2;

class SafeOutputFolder final : public OutputFolder {
public:
    SafeOutputFolder(std::filesystem::path path, Folder folder, ArtifactStore& artifacts)
        : m_path(std::move(path)), m_folder(std::move(folder)), m_artifacts(artifacts)
    {
        // What the program itself writes here.
        for (const char* name : {"results.csv", "failures.csv", "results.jsonl", "report.html", "report.json"})
            m_owners.emplace(keyOf(name), kProgram);
    }

    Result<std::filesystem::path> place(std::string_view wishedName, const ArtifactRef& artifact,
                                        std::string_view itemId) override
    {
        const std::filesystem::path name = claim(wishedName, itemId);
        Folder folder(::fcntl(m_folder.get(), F_DUPFD_CLOEXEC, 0));
        for (const auto& part : name.parent_path()) {
            if (folder.good()) folder = folder.enter(part.string());
        }
        if (!folder.good()) return writeError(m_path / name, errno);
        if (holds(folder, name.filename(), artifact)) return name;
        return write(folder, name, artifact).map([&name] { return name; });
    }

    std::filesystem::path claim(std::string_view wishedName, std::string_view itemId) override
    {
        const std::uint64_t owner = xxh3(itemId) | kItem;
        const std::lock_guard lock(m_mutex);
        std::filesystem::path wished = safeOutputName(wishedName);
        if (!claimFolders(wished.parent_path())) wished = flattened(wished);
        if (isFor(wished, owner)) return wished;
        const std::string id(itemId.substr(0, 64));
        std::filesystem::path name = withSuffix(wished, id);
        for (int number = 2; !isFor(name, owner); ++number)
            name = withSuffix(wished, id + "-" + std::to_string(number));
        return name;
    }

    Result<void> sync() override { return ::syncfs(m_folder.get()) == 0 ? Result<void>{} : writeError(m_path, errno); }

    const std::filesystem::path& path() const override { return m_path; }

private:
    // Names that differ in case or width only would be one file for some systems and most people.
    static std::uint64_t keyOf(const std::filesystem::path& name) { return xxh3(foldForMatching(name.string())); }

    // False: one of them is an item's file.
    bool claimFolders(const std::filesystem::path& folders)
    {
        std::filesystem::path folder;
        for (const auto& part : folders) {
            folder /= part;
            if (!isFor(folder, kFolder)) return false;
        }
        return true;
    }

    static std::filesystem::path flattened(const std::filesystem::path& name)
    {
        std::string flat;
        for (const auto& part : name) flat += (flat.empty() ? "" : "_") + part.string();
        return safeOutputName(flat);
    }

    bool isFor(const std::filesystem::path& name, std::uint64_t owner)
    {
        return m_owners.emplace(keyOf(name), owner).first->second == owner;
    }

    // Goes by the open folder, so that nobody can swap the way to it.
    static std::filesystem::path through(const Folder& folder, const std::filesystem::path& file)
    {
        return std::filesystem::path("/proc/self/fd") / std::to_string(folder.get()) / file;
    }

    static bool holds(const Folder& folder, const std::filesystem::path& file, const ArtifactRef& artifact)
    {
        struct stat s {};
        if (::fstatat(folder.get(), file.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) return false;
        if (!S_ISREG(s.st_mode) || s.st_size != artifact.size) return false;
        const auto hash = sha256File(through(folder, file));
        return hash && *hash == artifact.hash;
    }

    Result<void> write(const Folder& folder, const std::filesystem::path& name, const ArtifactRef& artifact)
    {
        const std::filesystem::path file = name.filename();
        auto copied = m_artifacts.copyTo(artifact.hash, through(folder, file));
        if (!copied) {
            Error error = std::move(copied.error());
            const std::string inside = through(folder, {}).string();
            if (const auto at = error.message.find(inside); at != std::string::npos)
                error.message.replace(at, inside.size(), (m_path / name.parent_path() / "").string());
            return tl::unexpected(std::move(error));
        }
        if (::fchmodat(folder.get(), file.c_str(), 0644, 0) != 0) return writeError(m_path / name, errno);
        return {};
    }

    const std::filesystem::path m_path;
    const Folder m_folder;
    ArtifactStore& m_artifacts;
    std::mutex m_mutex;
    std::unordered_map<std::uint64_t, std::uint64_t> m_owners; // guarded; name and item by their hashes
};

class OwnedOutput final : public OutputLock {
public:
    explicit OwnedOutput(OwnerLock lock) : m_lock(std::move(lock)) {}

private:
    const OwnerLock m_lock;
};

} // namespace

Result<std::unique_ptr<OutputFolder>> OutputFolder::open(const std::filesystem::path& folder, ArtifactStore& artifacts)
{
    if (auto made = makeVisibleFolders(folder); !made) return tl::unexpected(std::move(made.error()));
    Folder opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.good()) return writeError(folder, errno);
    return std::make_unique<SafeOutputFolder>(folder, std::move(opened), artifacts);
}

Result<std::unique_ptr<OutputLock>> OutputLock::take(const std::filesystem::path& output, const JobId& job)
{
    if (auto made = makeVisibleFolders(output); !made) return tl::unexpected(std::move(made.error()));
    auto lock = OwnerLock::take(output / ".aiflow.lock", "folder " + output.string() + " is written", job.text());
    if (!lock) return tl::unexpected(std::move(lock.error()));
    return std::make_unique<OwnedOutput>(std::move(*lock));
}

// ---- CSV

namespace {

constexpr std::array<std::string_view, 11> kFormulaStarts{
    "=", "+", "-", "@", "\t", "\r", "\n", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};

bool isPlainNumber(std::string_view text)
{
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    // "inf" and "nan" are numbers to from_chars only.
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc() && end == text.data() + text.size();
}

bool looksLikeFormula(std::string_view cell)
{
    const auto first = cell.find_first_not_of(' ');
    if (first == std::string_view::npos) return false;
    const std::string_view rest = cell.substr(first);
    for (const std::string_view start : kFormulaStarts) {
        if (rest.starts_with(start)) return !isPlainNumber(rest);
    }
    return false;
}

bool needsQuotes(std::string_view cell)
{
    return cell.find_first_of(",\"\r\n\t;") != std::string_view::npos || cell.starts_with(' ') || cell.ends_with(' ');
}

void append(std::string_view cell, bool neutralise, std::string& text)
{
    const bool quoted = needsQuotes(cell);
    if (quoted) text += '"';
    if (neutralise) text += '\'';
    for (const char c : cell) {
        if (c == '"') text += '"';
        text += c;
    }
    if (quoted) text += '"';
}

} // namespace

void CsvWriter::row(const std::vector<std::string>& cells)
{
    if (!m_begun) m_text += "\xEF\xBB\xBF";
    m_begun = true;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) m_text += ',';
        append(cells[i], m_neutralise && looksLikeFormula(cells[i]), m_text);
    }
    // One empty cell would be an empty line, which readers pass over.
    if (cells.size() == 1 && cells[0].empty()) m_text += "\"\"";
    m_text += "\r\n";
}

} // namespace aiflow
