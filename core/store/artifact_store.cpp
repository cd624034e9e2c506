#include "core/store/artifact_store.h"

#include "core/base/failpoint.h"
#include "core/store/packs/artifact_packs.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace aiflow {

namespace {

// An artifact is an answer or a picture; what is larger was not made by us.
constexpr Bytes kLargest = gibibytes(4);

tl::unexpected<Error> writeError(const std::filesystem::path& path, int problem)
{
    const bool full = problem == ENOSPC || problem == EDQUOT;
    return fail(full ? Reason::OutputDiskFull : Reason::OutputDenied,
                "cannot write " + path.string() + ": " + std::strerror(problem),
                full ? "free some space, then resume" : "check the folder's permissions, then resume");
}

Result<void> syncFile(const std::filesystem::path& path)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return writeError(path, errno);
    const int synced = ::fsync(file);
    const int problem = errno;
    ::close(file);
    return synced == 0 ? Result<void>{} : writeError(path, problem);
}

class FolderOfArtifacts final : public ArtifactStore {
public:
    FolderOfArtifacts(std::filesystem::path folder, FileSystem& files)
        : m_folder(std::move(folder)), m_files(files), m_packs(m_folder / "packs")
    {
    }

    Result<ArtifactRef> put(std::string mediaType, std::span<const std::byte> bytes) override
    {
        ArtifactRef artifact{sha256(bytes), std::move(mediaType), static_cast<std::int64_t>(bytes.size())};
        if (bytes.size() <= ArtifactPacks::kLargest)
            return m_packs.put(artifact.hash, bytes).map([&] { return std::move(artifact); });
        const std::filesystem::path file = pathOf(artifact.hash);
        // A name appears by rename only, so a file of the right size is whole.
        if (const auto there = m_files.status(file); there && there->size == artifact.size) return artifact;
        if (auto made = makeFolder(file.parent_path()); !made) return tl::unexpected(std::move(made.error()));
        AIFLOW_FAILPOINT("before_artifact");
        AIFLOW_FAILPOINT_RESULT("artifact");
        if (auto written = m_files.writeDurably(file, bytes); !written)
            return tl::unexpected(std::move(written.error()));
        AIFLOW_FAILPOINT("after_artifact");
        return artifact;
    }

    Result<void> sync() override { return m_packs.sync(); }

    Result<ArtifactRef> adopt(const std::filesystem::path& file, const ContentHash& hash,
                              std::string mediaType) override
    {
        const auto status = m_files.status(file);
        if (!status) return tl::unexpected(status.error());
        ArtifactRef artifact{hash, std::move(mediaType), status->size};
        const std::filesystem::path target = pathOf(hash);
        if (const auto there = m_files.status(target); there && there->size == artifact.size) {
            (void)m_files.remove(file);
            return artifact;
        }
        if (auto made = makeFolder(target.parent_path()); !made) return tl::unexpected(std::move(made.error()));
        AIFLOW_FAILPOINT("before_adopt");
        AIFLOW_FAILPOINT_RESULT("adopt");
        if (auto synced = syncFile(file); !synced) return tl::unexpected(std::move(synced.error()));
        if (::rename(file.c_str(), target.c_str()) != 0) return writeError(target, errno);
        if (auto synced = m_files.syncDirectory(target.parent_path()); !synced)
            return tl::unexpected(std::move(synced.error()));
        AIFLOW_FAILPOINT("after_adopt");
        return artifact;
    }

    Result<std::vector<std::byte>> get(const ContentHash& hash) override
    {
        const std::filesystem::path file = pathOf(hash);
        if (!m_files.exists(file)) {
            auto packed = m_packs.get(hash);
            if (!packed) return tl::unexpected(std::move(packed.error()));
            if (*packed) return std::move(**packed);
        }
        auto bytes = m_files.readFile(file, kLargest);
        if (!bytes) return bytes;
        if (sha256(*bytes) == hash) return bytes;
        return fail(Reason::Internal, file.string() + " no longer has the bytes that it was written with",
                    "check the disk; delete the file and resume: it is made again");
    }

    bool contains(const ContentHash& hash) override { return m_files.exists(pathOf(hash)) || m_packs.contains(hash); }

    Result<void> copyTo(const ContentHash& hash, const std::filesystem::path& target) override
    {
        if (const auto file = fileOf(hash)) return m_files.copyAtomically(*file, target);
        const auto bytes = get(hash);
        if (!bytes) return tl::unexpected(bytes.error());
        return m_files.writeAtomically(target, *bytes);
    }

    std::optional<std::filesystem::path> fileOf(const ContentHash& hash) const override
    {
        std::filesystem::path file = pathOf(hash);
        return m_files.exists(file) ? std::optional(std::move(file)) : std::nullopt;
    }

private:
    std::filesystem::path pathOf(const ContentHash& hash) const
    {
        const std::string digits = hash.hex();
        return m_folder / digits.substr(0, 2) / digits.substr(2);
    }

    Result<void> makeFolder(const std::filesystem::path& folder)
    {
        if (m_files.exists(folder)) return {};
        auto made = m_files.makeDirectories(folder);
        return made ? m_files.syncDirectory(m_folder) : made;
    }

    const std::filesystem::path m_folder;
    FileSystem& m_files;
    ArtifactPacks m_packs;
};

} // namespace

Result<std::unique_ptr<ArtifactStore>> ArtifactStore::open(const std::filesystem::path& folder, FileSystem& files)
{
    if (auto made = files.makeDirectories(folder); !made) return tl::unexpected(std::move(made.error()));
    return std::make_unique<FolderOfArtifacts>(folder, files);
}

} // namespace aiflow
