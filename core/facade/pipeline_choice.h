// Finds a pipeline: by name, by file, or by the columns of the input.
#pragma once

#include "aiflow/result.h"
#include "core/facade/installed_files.h"
#include "core/input/column_map.h"
#include "core/pipeline/loader.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// pipeline.yaml of every shipped job, sorted by folder name.
std::vector<std::filesystem::path> shippedPipelines(const InstalledFiles& files);
// A shipped one by its folder's name (hyphens as underscores) or a file. UsageInvalid with the nearest name.
Result<std::filesystem::path> findPipeline(const InstalledFiles& files, const std::string& nameOrFile);

ColumnMapSettings columnSettings(const Pipeline& pipeline,
                                 const std::vector<std::pair<std::string, std::string>>& overrides);

struct PipelineChoice {
    std::filesystem::path file;
    std::string why; // one sentence
};
// The shipped pipeline whose required columns the input has; of several the one that uses most of them.
// UsageInvalid: none fits; names the candidates and what each misses.
Result<PipelineChoice> choosePipeline(const InstalledFiles& files, const StepCatalog& catalog,
                                      const InputDescription& input,
                                      const std::vector<std::pair<std::string, std::string>>& overrides);

} // namespace aiflow
