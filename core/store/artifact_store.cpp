#include "core/store/artifact_store.h"

#include "core/base/failpoint.h"

namespace aiflow {

namespace {

// An artifact is an answer or a picture; what is larger was not made by us.
constexpr Bytes kLargest = gibibytes(4);

class FolderOfArtifacts final : public ArtifactStore {
public:
    FolderOfArtifacts(std::filesystem::path folder, FileSystem& files) : m_folder(std::move(folder)), m_files(files) {}

    Result<ArtifactRef> put(std::string mediaType, std::span<const std::byte> bytes) override
    {
        ArtifactRef artifact{sha256(bytes), std::move(mediaType), static_cast<std::int64_t>(bytes.size())};
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

    Result<std::vector<std::byte>> get(const ContentHash& hash) override
    {
        const std::filesystem::path file = pathOf(hash);
        auto bytes = m_files.readFile(file, kLargest);
        if (!bytes) return bytes;
        if (sha256(*bytes) == hash) return bytes;
        return fail(Reason::Internal, file.string() + " no longer has the bytes that it was written with",
                    "check the disk; delete the file and resume: it is made again");
    }

    bool contains(const ContentHash& hash) override { return m_files.exists(pathOf(hash)); }

    std::filesystem::path pathOf(const ContentHash& hash) const override
    {
        const std::string digits = hash.hex();
        return m_folder / digits.substr(0, 2) / digits.substr(2);
    }

private:
    Result<void> makeFolder(const std::filesystem::path& folder)
    {
        if (m_files.exists(folder)) return {};
        auto made = m_files.makeDirectories(folder);
        return made ? m_files.syncDirectory(m_folder) : made;
    }

    const std::filesystem::path m_folder;
    FileSystem& m_files;
};

} // namespace

Result<std::unique_ptr<ArtifactStore>> ArtifactStore::open(const std::filesystem::path& folder, FileSystem& files)
{
    if (auto made = files.makeDirectories(folder); !made) return tl::unexpected(std::move(made.error()));
    return std::make_unique<FolderOfArtifacts>(folder, files);
}

} // namespace aiflow
