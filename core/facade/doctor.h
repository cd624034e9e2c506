// Looks at everything a job will need before one needs it.
#pragma once

#include "aiflow/workspace.h"
#include "core/facade/installed_files.h"

#include <vector>

namespace aiflow {

// Reads only, but for one file that it writes into the state directory and removes again.
std::vector<DoctorCheck> checkEnvironment(const InstalledFiles& files, const std::filesystem::path& state);

} // namespace aiflow
