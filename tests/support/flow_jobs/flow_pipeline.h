// A modelled flow as a pipeline of the engine: real calls, and stand-ins for the work of device and cores that take
// their time without burning any.
#pragma once

#include "core/compute/op_registry.h"
#include "core/engine/item.h"
#include "core/inference/model_lane.h"
#include "core/pipeline/pipeline.h"
#include "tests/support/modelled_flows/modelled_flows.h"

#include <filesystem>
#include <memory>
#include <string>

namespace aiflow::test {

// Ops that the pipeline uses.
void addStandInOps(OpRegistry& ops);
// Durations are divided by `speed`; `job` stands in every request, so that no two jobs ask the same.
Pipeline pipelineOf(const ModelledFlow& flow, double speed, const OpRegistry& ops, const ModelLane& models,
                    const std::string& job, const std::filesystem::path& folder);
// One device: one call at a time, the most urgent first, each for as long as its step says.
std::unique_ptr<ModelLane> standInDevice(const ModelledFlow& flow, double speed);
// Rows "SKU-0", "SKU-1", ...
std::unique_ptr<ItemSource> flowItems(std::int64_t count);

} // namespace aiflow::test
