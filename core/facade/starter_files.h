// The files that `init` writes and the samples that `config example` prints.
#pragma once

#include "aiflow/workspace.h"
#include "core/facade/installed_files.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace aiflow {

// A commented aiflow.yaml and pipelines/cutout/pipeline.yaml, from share/aiflow/starter. What is there is kept.
Result<InitSummary> writeStarterFiles(const InstalledFiles& files, const std::filesystem::path& folder);
// "crontab", "systemd-service", "systemd-timer", from share/aiflow/examples. UsageInvalid names the kinds.
Result<std::string> exampleText(const InstalledFiles& files, std::string_view kind);

} // namespace aiflow
