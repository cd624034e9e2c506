// What the kinds of models have in common: inputs become tensors on the caller's thread, outputs become values.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/base/signature.h"
#include "core/compute/value.h"
#include "core/inference/model_lane.h"
#include "core/inference/model_manifest.h"
#include "core/inference/tensor.h"

#include <memory>
#include <span>
#include <vector>

namespace aiflow {

// The tensors of one call and the knowledge of how to read what comes back for them.
class PreparedCall : public PreparedInput {
public:
    Bytes size() const override;
    const std::vector<InputTensor>& tensors() const noexcept { return m_tensors; }
    // One output for each tensor, all numbers finite. Internal when a shape is not the family's.
    virtual Result<Values> finish(std::span<const OutputTensor> outputs) const = 0;

protected:
    std::vector<InputTensor> m_tensors;
};

// Threads: every method, from any thread.
class ModelFamily {
public:
    virtual ~ModelFamily() = default;
    // Ports and parameters; name and version are filled in by describe().
    virtual Signature signature() const = 0;
    // `params` has all defaults. InputImageBad, InputFieldBad.
    virtual Result<std::unique_ptr<PreparedCall>> prepare(const Values& inputs, const Json& params) const = 0;
};

// The entry must outlive the family.
std::unique_ptr<ModelFamily> makeFamily(const ModelEntry& model);
std::unique_ptr<ModelFamily> makeDetectFamily(const ModelEntry& model);
std::unique_ptr<ModelFamily> makeSegmentFamily(const ModelEntry& model);
std::unique_ptr<ModelFamily> makeEmbedFamily(const ModelEntry& model);
std::unique_ptr<ModelFamily> makeClassifyFamily(const ModelEntry& model);

// The family's signature under the model's name; its version covers the file, the manifest's settings and our own code.
Signature describe(const ModelEntry& model, const ModelFamily& family);

// The picture of a port. InputImageBad when there is none or it is empty.
Result<Image> imageInput(const Values& inputs, std::string_view port, const ModelEntry& model);
Parameter numberParameter(std::string name, double defaultValue, std::string description);
// Internal: the output has not the shape that the family reads.
tl::unexpected<Error> wrongShape(const ModelEntry& model, const OutputTensor& output, std::string_view expected);

} // namespace aiflow
