// Where the program's own files are: the same layout in the build tree and after installation.
#pragma once

#include "aiflow/result.h"

#include <filesystem>
#include <optional>

namespace aiflow {

// prefix/bin/aiflow-cli, prefix/lib/aiflow (modules, op manifests), prefix/share/aiflow (jobs, models, samples,
// schemas).
struct InstalledFiles {
    std::filesystem::path modules;
    std::filesystem::path share;

    std::filesystem::path jobs() const { return share / "jobs"; }
    std::filesystem::path models() const { return share / "models"; }
    std::filesystem::path samples() const { return share / "samples"; }
    std::filesystem::path examples() const { return share / "examples"; }

    // From the running program's own place; `share` may be named by the caller or by AIFLOW_RESOURCES.
    // ConfigInvalid when nothing is there.
    static Result<InstalledFiles> locate(const std::optional<std::filesystem::path>& shareOverride);
};

} // namespace aiflow
