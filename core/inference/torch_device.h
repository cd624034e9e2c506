// Runs models through the LibTorch module, which is loaded when the first model is.
#pragma once

#include "core/inference/device.h"
#include "core/inference/model_manifest.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aiflow {

struct TorchSettings {
    std::filesystem::path module; // aiflow_torch.so
    std::string device = "auto";  // stands in for "auto" of the manifest: "auto", "cpu", "cuda", "cuda:1"
    int threads = 1;              // of one run on a CPU
};

// Entries that name one file share one loaded model. The manifest must outlive the device.
std::unique_ptr<Device> makeTorchDevice(const ModelManifest& manifest, TorchSettings settings);

} // namespace aiflow
