#include "core/inference/families.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

// Raised when how inputs are made or outputs are read changes the results of the same model file.
constexpr const char* kProcessingVersion = "1";

std::string shapeText(const TensorShape& shape)
{
    std::string text;
    for (const std::int64_t size : shape) {
        if (!text.empty()) text += 'x';
        text += std::to_string(size);
    }
    return text.empty() ? "a single number" : text;
}

// Everything of the entry that can change a result, and nothing else.
std::string settingsHash(const ModelEntry& model)
{
    const ModelInputSpec& input = model.input;
    Hasher hasher;
    hasher.addField(model.sha256).addField(model.method).addField(model.precision);
    for (const int number : {input.width, input.height, input.letterbox ? 1 : 0, input.pad, input.range})
        hasher.addNumber(number);
    for (const double share : {model.scoreThreshold, model.iouThreshold, model.labelThreshold})
        hasher.addField(std::to_string(share));
    for (const std::string& label : model.labels) hasher.addField(label);
    return hasher.finish().hex().substr(0, 12);
}

} // namespace

Bytes PreparedCall::size() const
{
    Bytes total;
    for (const InputTensor& tensor : m_tensors) total += Bytes(static_cast<std::int64_t>(tensor.data.size()));
    return total;
}

std::unique_ptr<ModelFamily> makeFamily(const ModelEntry& model)
{
    switch (model.family) {
    case ModelFamilyKind::Detect:
        return makeDetectFamily(model);
    case ModelFamilyKind::Segment:
        return makeSegmentFamily(model);
    case ModelFamilyKind::Embed:
        return makeEmbedFamily(model);
    case ModelFamilyKind::Classify:
        return makeClassifyFamily(model);
    }
    return nullptr;
}

Signature describe(const ModelEntry& model, const ModelFamily& family)
{
    Signature signature = family.signature();
    signature.name = model.name;
    signature.version = model.version + "." + kProcessingVersion + "-" + settingsHash(model);
    if (!model.description.empty()) signature.description = model.description;
    return signature;
}

Result<Image> imageInput(const Values& inputs, std::string_view port, const ModelEntry& model)
{
    const Image* image = inputs.get(port).image();
    if (image != nullptr && !image->empty()) return *image;
    return fail(Reason::InputImageBad,
                "the model \"" + model.name + "\" got no picture in \"" + std::string(port) + "\"");
}

Parameter numberParameter(std::string name, double defaultValue, std::string description)
{
    return {std::move(name), PortType::Number, std::make_shared<const Json>(defaultValue), std::move(description)};
}

tl::unexpected<Error> wrongShape(const ModelEntry& model, const OutputTensor& output, std::string_view expected)
{
    return fail(Reason::Internal,
                "the model \"" + model.name + "\" gave " + shapeText(output.shape) + " instead of " +
                    std::string(expected),
                "check family, method and labels of the model in " + (model.folder / "models.json").string());
}

} // namespace aiflow
