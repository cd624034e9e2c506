#include "core/facade/rehearsal/rehearsal_folder.h"

#include "core/base/file_system.h"

#include <charconv>
#include <csignal>
#include <string>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr const char* kKept = ".kept";

// Of a process that is gone: its name begins with the process's id.
bool isLeftBehind(const fs::path& folder)
{
    const std::string name = folder.filename().string();
    int pid = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (code != std::errc() || pid <= 0 || *end != '-') return false;
    if (systemFiles().exists(folder / kKept)) return false;
    return ::kill(pid, 0) != 0 && errno == ESRCH;
}

void removeLeftBehind(const fs::path& rehearsals)
{
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(rehearsals, problem))
        if (isLeftBehind(entry.path())) fs::remove_all(entry.path(), problem);
}

} // namespace

Result<std::unique_ptr<RehearsalFolder>> RehearsalFolder::make(const fs::path& state, bool keep)
{
    const fs::path rehearsals = state / "rehearsals";
    removeLeftBehind(rehearsals);
    fs::path path;
    for (int number = 1; path.empty() || systemFiles().exists(path); ++number)
        path = rehearsals / (std::to_string(::getpid()) + "-" + std::to_string(number));
    if (auto made = systemFiles().makeDirectories(path); !made) return tl::unexpected(made.error());
    if (keep)
        if (auto marked = systemFiles().writeAtomically(path / kKept, {}); !marked)
            return tl::unexpected(marked.error());
    return std::unique_ptr<RehearsalFolder>(new RehearsalFolder(std::move(path), keep));
}

RehearsalFolder::~RehearsalFolder()
{
    std::error_code problem;
    if (!m_keep) fs::remove_all(m_path, problem);
}

} // namespace aiflow
