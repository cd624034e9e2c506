// Where a rehearsal keeps everything: a folder of its own beneath the state directory, gone when the rehearsal is.
#pragma once

#include "aiflow/result.h"

#include <filesystem>
#include <memory>

namespace aiflow {

// Threads: one.
class RehearsalFolder {
public:
    // Removes first what rehearsals left whose processes died. Errors: OutputDenied, OutputDiskFull.
    static Result<std::unique_ptr<RehearsalFolder>> make(const std::filesystem::path& state, bool keep);
    ~RehearsalFolder();
    RehearsalFolder(const RehearsalFolder&) = delete;
    RehearsalFolder& operator=(const RehearsalFolder&) = delete;

    const std::filesystem::path& path() const noexcept { return m_path; }
    bool kept() const noexcept { return m_keep; }

private:
    RehearsalFolder(std::filesystem::path path, bool keep) : m_path(std::move(path)), m_keep(keep) {}

    std::filesystem::path m_path;
    bool m_keep;
};

} // namespace aiflow
