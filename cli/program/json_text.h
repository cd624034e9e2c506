// Machine output: what the commands give to scripts.
#pragma once

#include "aiflow/engine.h"
#include "aiflow/job_client.h"
#include "aiflow/messages.h"
#include "aiflow/workspace.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Each a whole JSON text of one line, without its end; "v" is 1.
std::string statusJson(const JobSnapshot& snapshot);
std::string listJson(std::span<const JobSnapshot> jobs);
// The final object of `batch`, `resume` and `retry`: the snapshot's members, and "outcome", "files", "tasks", ...
std::string reportJson(const JobReport& report);
std::string errorJson(const Error& error, int exitCode);
std::string exportJson(const ExportSummary& summary);
std::string pipelinesJson(std::span<const PipelineLine> pipelines);
std::string checkJson(std::span<const Error> errors);
std::string opsJson(std::span<const OpLine> ops);
std::string modelsJson(std::span<const ModelLine> models);
std::string configJson(std::span<const ConfigLine> lines);
std::string doctorJson(std::span<const DoctorCheck> checks);

} // namespace aiflow
