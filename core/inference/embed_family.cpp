// One row of numbers for a picture: an embedding as it is, or a score for each label.
#include "core/base/json.h"
#include "core/inference/families.h"
#include "core/inference/resample.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aiflow {

namespace {

InputTensor drawWhole(const ModelEntry& model, const Image& image)
{
    const PixelArea whole{0, 0, image.width, image.height};
    const Placement placement = model.input.letterbox ? letterboxed(whole, model.input.width, model.input.height)
                                                      : stretched(whole, model.input.width, model.input.height);
    return drawPlanes(image, placement, model.input.pad);
}

// The picture with everything that is not the product in white: the same product on another background looks alike.
Image withoutBackground(const Image& image, const Image& mask)
{
    NewImage made = makeImage(image.width, image.height, PixelFormat::Rgba8);
    const int step = channels(image.format);
    std::uint8_t* out = made.pixels;
    for (int y = 0; y < image.height; ++y) {
        const std::uint8_t* pixel = image.row(y);
        const std::uint8_t* cover =
            mask.row(static_cast<int>(static_cast<std::int64_t>(y) * mask.height / image.height));
        for (int x = 0; x < image.width; ++x, pixel += step, out += 4) {
            for (int c = 0; c < 3; ++c) out[c] = pixel[step == 1 ? 0 : c];
            out[3] = cover[static_cast<std::int64_t>(x) * mask.width / image.width];
        }
    }
    return made.image;
}

class RowCall : public PreparedCall {
public:
    RowCall(const ModelEntry& model, const Image& image) : m_model(model)
    {
        m_tensors.push_back(drawWhole(model, image));
    }

protected:
    const ModelEntry& m_model;
};

class EmbedCall final : public RowCall {
public:
    using RowCall::RowCall;
    Result<Values> finish(std::span<const OutputTensor> outputs) const override
    {
        if (outputs.front().shape.size() != 1) return wrongShape(m_model, outputs.front(), "one row of numbers");
        Json vector = Json::array();
        for (const float number : outputs.front().span()) vector.push_back(number);
        Values values;
        values.set("vector", Value(std::move(vector)));
        return values;
    }
};

class ClassifyCall final : public RowCall {
public:
    using RowCall::RowCall;
    Result<Values> finish(std::span<const OutputTensor> outputs) const override
    {
        const auto scores = outputs.front().span();
        if (outputs.front().shape.size() != 1 || scores.size() != m_model.labels.size() || scores.empty())
            return wrongShape(m_model, outputs.front(),
                              "one score for each of " + std::to_string(m_model.labels.size()) + " labels");
        const auto best = std::ranges::max_element(scores);
        double sum = 0;
        for (const float score : scores) sum += std::exp(static_cast<double>(score) - *best);
        Values values;
        values.set("label", Value(Json(m_model.labels[static_cast<std::size_t>(best - scores.begin())])));
        values.set("score", Value(Json(1.0 / sum)));
        return values;
    }
};

class EmbedFamily final : public ModelFamily {
public:
    explicit EmbedFamily(const ModelEntry& model) : m_model(model) {}

    Signature signature() const override
    {
        Signature signature;
        signature.inputs = {{"image", PortType::Image, true, false}, {"mask", PortType::Mask, false, false}};
        signature.outputs = {{"vector", PortType::Vector, false, true}};
        signature.description = "A vector that is near the vectors of similar pictures.";
        return signature;
    }
    Result<std::unique_ptr<PreparedCall>> prepare(const Values& inputs, const Json&) const override
    {
        const auto image = imageInput(inputs, "image", m_model);
        if (!image) return tl::unexpected(image.error());
        const Image* mask = inputs.get("mask").image();
        if (mask == nullptr || mask->empty()) return std::make_unique<EmbedCall>(m_model, *image);
        if (mask->format != PixelFormat::Gray8)
            return fail(Reason::InputImageBad,
                        "the mask for the model \"" + m_model.name + "\" has more than one channel");
        return std::make_unique<EmbedCall>(m_model, withoutBackground(*image, *mask));
    }

private:
    const ModelEntry& m_model;
};

class ClassifyFamily final : public ModelFamily {
public:
    explicit ClassifyFamily(const ModelEntry& model) : m_model(model) {}

    Signature signature() const override
    {
        Signature signature;
        signature.inputs = {{"image", PortType::Image, true, false}};
        signature.outputs = {{"label", PortType::Text, false, true}, {"score", PortType::Number, false, true}};
        signature.description = "The label that fits the picture best, and how sure that is.";
        return signature;
    }
    Result<std::unique_ptr<PreparedCall>> prepare(const Values& inputs, const Json&) const override
    {
        const auto image = imageInput(inputs, "image", m_model);
        if (!image) return tl::unexpected(image.error());
        return std::make_unique<ClassifyCall>(m_model, *image);
    }

private:
    const ModelEntry& m_model;
};

} // namespace

std::unique_ptr<ModelFamily> makeEmbedFamily(const ModelEntry& model) { return std::make_unique<EmbedFamily>(model); }

std::unique_ptr<ModelFamily> makeClassifyFamily(const ModelEntry& model)
{
    return std::make_unique<ClassifyFamily>(model);
}

} // namespace aiflow
