// Makes the GPU lane: a manifest, a device and a batcher behind the ModelLane interface.
#pragma once

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/inference/device.h"
#include "core/inference/model_lane.h"
#include "core/inference/model_manifest.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace aiflow {

struct ModelLaneSettings {
    std::string device = "auto";       // for models whose manifest says auto: "auto", "cpu", "cuda", "cuda:1"
    int threads = 1;                   // of one run on a CPU; more only on cores that nothing else uses
    Bytes batchBytes = mebibytes(256); // of inputs in one batch
};

// The lane of a job: models of the folders' models.json, run by the LibTorch module, which is looked for in
// `moduleFolders` (aiflow_torch.so, the first wins) when the first model is needed. Starts two threads, loads nothing.
// ConfigInvalid: a manifest that cannot be read. `log` and `clock` must outlive the lane.
Result<std::unique_ptr<ModelLane>> makeModelLane(const std::vector<std::filesystem::path>& manifestFolders,
                                                 const std::vector<std::filesystem::path>& moduleFolders,
                                                 const ModelLaneSettings& settings, const Clock& clock, Log& log);

// The same with any device; for tests and benches.
using MakeDevice = std::function<std::unique_ptr<Device>(const ModelManifest&)>;
std::unique_ptr<ModelLane> makeModelLane(std::unique_ptr<ModelManifest> manifest, const MakeDevice& makeDevice,
                                         const ModelLaneSettings& settings, const Clock& clock, Log& log);

} // namespace aiflow
