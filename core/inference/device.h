// Where models run: one implementation for LibTorch, one for tests, later one for each further runtime.
#pragma once

#include "aiflow/result.h"
#include "core/inference/tensor.h"

#include <span>
#include <string>
#include <vector>

namespace aiflow {

struct ModelEntry;

struct DeviceInfo {
    std::string name;             // "CPU", "NVIDIA H100"
    std::string kind;             // "cpu", "cuda"
    std::string precision;        // "float", "half"
    std::string runtime;          // "LibTorch 1.13.1"
    std::int64_t memoryBytes = 0; // 0: unknown
};

// Threads: all calls on one thread, the lane's device thread.
class Device {
public:
    virtual ~Device() = default;

    // Makes the model ready, once; later calls cost nothing. ComputeModelMissing: the file, the module or the
    // device is not there, or cannot be used.
    virtual Result<void> load(const ModelEntry& model) = 0;
    // Runs until further runs of this shape take their normal time. Errors show in run().
    virtual void warmUp(const ModelEntry& model, const InputTensor& like) = 0;
    // One batch of equal shapes; as many outputs as inputs, in their order. ComputeOom: a smaller batch may do.
    virtual Result<std::vector<OutputTensor>> run(const ModelEntry& model,
                                                  std::span<const InputTensor* const> batch) = 0;
    // Of a loaded model.
    virtual DeviceInfo info(const ModelEntry& model) const = 0;
};

} // namespace aiflow
