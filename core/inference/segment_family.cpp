// The product's mask: once over the whole frame, once sharper in each box that holds it, put together.
#include "core/base/json.h"
#include "core/inference/families.h"
#include "core/inference/mask_canvas.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

constexpr double kBoxMargin = 0.12;   // of the box's size, on each side
constexpr double kNearlyWhole = 0.85; // a crop of more of the frame shows nothing that the frame does not
constexpr std::size_t kMostCrops = 4;
constexpr double kLeastInside = 0.5; // of the frame's mask, for the boxes to be believed

double area(const PixelArea& part) { return static_cast<double>(part.width) * part.height; }

std::optional<PixelArea> enlarged(const Json& box, const Image& image)
{
    const auto number = [&](const char* key) { return box.at(key).get<double>(); };
    const double marginX = (number("x2") - number("x1")) * kBoxMargin;
    const double marginY = (number("y2") - number("y1")) * kBoxMargin;
    const int left = static_cast<int>(std::floor(std::clamp(number("x1") - marginX, 0.0, image.width * 1.0)));
    const int top = static_cast<int>(std::floor(std::clamp(number("y1") - marginY, 0.0, image.height * 1.0)));
    const int right = static_cast<int>(std::ceil(std::clamp(number("x2") + marginX, 0.0, image.width * 1.0)));
    const int bottom = static_cast<int>(std::ceil(std::clamp(number("y2") + marginY, 0.0, image.height * 1.0)));
    if (right - left < 8 || bottom - top < 8) return std::nullopt;
    return PixelArea{left, top, right - left, bottom - top};
}

bool isBox(const Json& box)
{
    return box.is_object() && std::ranges::all_of(std::array{"x1", "y1", "x2", "y2"}, [&](const char* key) {
               const auto it = box.find(key);
               return it != box.end() && it->is_number() && std::isfinite(it->get<double>());
           });
}

// The parts of the picture worth a closer look, best first.
Result<std::vector<PixelArea>> cropsFor(const Value& boxes, const Image& image, double score, const ModelEntry& model)
{
    std::vector<PixelArea> crops;
    if (boxes.empty()) return crops;
    const Json* json = boxes.json();
    const bool listed = json != nullptr && json->is_object() && json->contains("boxes") && json->at("boxes").is_array();
    if (!listed || !std::ranges::all_of(json->at("boxes"), isBox))
        return fail(Reason::InputFieldBad, "the boxes for the model \"" + model.name +
                                               "\" are not {\"boxes\": [{\"x1\", \"y1\", \"x2\", \"y2\"}]}");
    for (const Json& box : json->at("boxes")) {
        if (box.value("score", 1.0) < score || crops.size() == kMostCrops) continue;
        const auto crop = enlarged(box, image);
        if (crop && area(*crop) < kNearlyWhole * image.width * image.height) crops.push_back(*crop);
    }
    return crops;
}

class SegmentCall final : public PreparedCall {
public:
    SegmentCall(const ModelEntry& model, const Image& image, const std::vector<PixelArea>& crops)
        : m_model(model), m_width(image.width), m_height(image.height)
    {
        add(image, {0, 0, image.width, image.height});
        for (const PixelArea& crop : crops) add(image, crop);
    }

    Result<Values> finish(std::span<const OutputTensor> outputs) const override
    {
        for (const OutputTensor& output : outputs)
            if (output.shape != TensorShape{1, m_model.input.height, m_model.input.width})
                return wrongShape(m_model, output, "one plane of the input's size");
        MaskCanvas whole(m_width, m_height);
        whole.draw(outputs.front(), m_places.front());
        MaskCanvas close(m_width, m_height);
        for (std::size_t i = 1; i < outputs.size(); ++i) close.draw(outputs[i], m_places[i]);
        if (outputs.size() > 1 && whole.shareWithin(close) >= kLeastInside) whole.sharpen(close);
        Values values;
        values.set("mask", Value(whole.toImage()));
        return values;
    }

private:
    void add(const Image& image, PixelArea part)
    {
        m_places.push_back(m_model.input.letterbox ? letterboxed(part, m_model.input.width, m_model.input.height)
                                                   : stretched(part, m_model.input.width, m_model.input.height));
        m_tensors.push_back(drawPlanes(image, m_places.back(), m_model.input.pad));
    }

    const ModelEntry& m_model;
    int m_width;
    int m_height;
    std::vector<Placement> m_places; // the whole frame, then the crops
};

class SegmentFamily final : public ModelFamily {
public:
    explicit SegmentFamily(const ModelEntry& model) : m_model(model) {}

    Signature signature() const override
    {
        Signature signature;
        signature.inputs = {{"image", PortType::Image, true, false}, {"boxes", PortType::Boxes, false, false}};
        signature.outputs = {{"mask", PortType::Mask, false, true}};
        signature.params = {
            numberParameter("score", m_model.scoreThreshold, "boxes below this score are not looked at")};
        signature.description = "How much of each pixel is the product.";
        return signature;
    }

    Result<std::unique_ptr<PreparedCall>> prepare(const Values& inputs, const Json& params) const override
    {
        const auto image = imageInput(inputs, "image", m_model);
        if (!image) return tl::unexpected(image.error());
        const auto crops = cropsFor(inputs.get("boxes"), *image, params.at("score").get<double>(), m_model);
        if (!crops) return tl::unexpected(crops.error());
        return std::make_unique<SegmentCall>(m_model, *image, *crops);
    }

private:
    const ModelEntry& m_model;
};

} // namespace

std::unique_ptr<ModelFamily> makeSegmentFamily(const ModelEntry& model)
{
    return std::make_unique<SegmentFamily>(model);
}

} // namespace aiflow
