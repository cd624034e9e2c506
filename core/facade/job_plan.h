// What a job is to do, settled before its folder exists: pipeline, checked input, options.
#pragma once

#include "aiflow/engine.h"
#include "core/facade/client/job_options.h"
#include "core/facade/installed_files.h"
#include "core/facade/toolbox.h"
#include "core/input/column_map.h"
#include "core/input/record_reader.h"
#include "core/pipeline/config_file.h"
#include "core/pipeline/pipeline.h"
#include "core/store/job_directory.h"

#include <filesystem>
#include <string>
#include <vector>

namespace aiflow {

struct JobPlan {
    JobOptions options;
    Pipeline pipeline;
    InputDescription input; // of the file as given
    std::optional<ColumnMap> columns;
    std::filesystem::path
        inputFile; // what is to be copied into the job: the file, the folder, what standard input gave
    ContentHash inputHash;
    bool temporaryInput = false; // inputFile is ours to remove
    std::filesystem::path inputRoot;
    std::filesystem::path output;
    Preparation preparation;
};

// Checks everything that a `batch` needs. Errors as JobSession::batch.
Result<JobPlan> planBatch(const InstalledFiles& files, const Configuration& configuration, const Toolbox& tools,
                          const std::filesystem::path& state, const BatchRequest& request,
                          const CheckProgress& progress);
// The same of a job that exists. Its rows come from its snapshot. JobChanged when its pipeline, or its input where that
// is still there, is another now.
Result<JobPlan> planAgain(Toolbox& tools, const JobDescription& job, const std::filesystem::path& jobFolder);

} // namespace aiflow
