// Writes what a job made, for people and for the next program: results.csv, failures.csv, items.csv, JSONL, files.
#pragma once

#include "aiflow/job_client.h"
#include "core/store/job_directory.h"

#include <filesystem>

namespace aiflow {

// Reads the job's journal and the snapshot of its input; safe beside a running job. Lists are written whole or not at
// all; a list without rows is written when it is asked for, except failures.csv, which is removed when nothing failed.
// Errors: JobNotFound, InputFileBad (snapshot damaged), OutputDenied, OutputDiskFull.
Result<ExportSummary> exportJobFiles(const JobEntry& job, const std::filesystem::path& state,
                                     const ExportRequest& request);

} // namespace aiflow
