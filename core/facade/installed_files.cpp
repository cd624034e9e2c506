#include "core/facade/installed_files.h"

#include <cstdlib>

namespace aiflow {

namespace fs = std::filesystem;

Result<InstalledFiles> InstalledFiles::locate(const std::optional<fs::path>& shareOverride)
{
    std::error_code problem;
    const fs::path program = fs::read_symlink("/proc/self/exe", problem);
    InstalledFiles files;
    // Tests and tools of the build tree live one folder beside bin/: both see ../lib and ../share.
    const fs::path prefix = program.parent_path().parent_path();
    files.modules = prefix / "lib" / "aiflow";
    files.share = prefix / "share" / "aiflow";
    if (const char* named = std::getenv("AIFLOW_RESOURCES"); named != nullptr && *named != '\0') files.share = named;
    if (shareOverride) files.share = *shareOverride;
    if (!fs::is_directory(files.jobs(), problem))
        return fail(Reason::ConfigInvalid, "AIFlow's own files were not found in " + files.share.string(),
                    "install AIFlow again, or name their folder: export AIFLOW_RESOURCES=...");
    return files;
}

} // namespace aiflow
