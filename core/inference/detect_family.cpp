// Objects and where they are: rows of four corners and a score for each label.
#include "core/base/json.h"
#include "core/inference/families.h"
#include "core/inference/resample.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace aiflow {

namespace {

constexpr std::size_t kMostBoxes = 100;

struct Box {
    double x1 = 0;
    double y1 = 0;
    double x2 = 0;
    double y2 = 0;
    double score = 0;
    std::size_t label = 0;

    double area() const noexcept { return std::max(0.0, x2 - x1) * std::max(0.0, y2 - y1); }
};

double overlap(const Box& a, const Box& b)
{
    const Box both{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2), 0, 0};
    const double shared = both.area();
    return shared > 0 ? shared / (a.area() + b.area() - shared) : 0;
}

// Of boxes with one label that overlap more than `iou`, the best stays. Best first.
std::vector<Box> keepBest(std::vector<Box> boxes, double iou)
{
    std::ranges::stable_sort(boxes, std::ranges::greater(), &Box::score);
    std::vector<Box> kept;
    for (const Box& box : boxes) {
        const bool covered = std::ranges::any_of(
            kept, [&](const Box& other) { return other.label == box.label && overlap(other, box) > iou; });
        if (!covered) kept.push_back(box);
        if (kept.size() == kMostBoxes) break;
    }
    return kept;
}

class DetectCall final : public PreparedCall {
public:
    DetectCall(const ModelEntry& model, const Image& image, double score, double iou)
        : m_model(model), m_width(image.width), m_height(image.height), m_score(score), m_iou(iou)
    {
        const PixelArea whole{0, 0, image.width, image.height};
        m_placement = model.input.letterbox ? letterboxed(whole, model.input.width, model.input.height)
                                            : stretched(whole, model.input.width, model.input.height);
        m_tensors.push_back(drawPlanes(image, m_placement, model.input.pad));
    }

    Result<Values> finish(std::span<const OutputTensor> outputs) const override
    {
        const OutputTensor& output = outputs.front();
        if (output.shape.size() != 2 || output.shape[1] != static_cast<std::int64_t>(4 + m_model.labels.size()))
            return wrongShape(m_model, output,
                              "rows of 4 corners and " + std::to_string(m_model.labels.size()) + " scores");
        Json list = Json::array();
        for (const Box& box : keepBest(candidates(output), m_iou)) list.push_back(toJson(box));
        Values values;
        values.set("boxes", Value(Json{{"boxes", std::move(list)}}));
        return values;
    }

private:
    std::vector<Box> candidates(const OutputTensor& output) const
    {
        const auto columns = static_cast<std::size_t>(output.shape[1]);
        std::vector<Box> boxes;
        for (const float* row = output.values; row != output.values + elementCount(output.shape); row += columns) {
            const float* best = std::max_element(row + 4, row + columns);
            if (*best < m_score) continue;
            const Box box = inPicture(row, *best, static_cast<std::size_t>(best - row - 4));
            if (box.area() >= 1) boxes.push_back(box);
        }
        return boxes;
    }
    Box inPicture(const float* corners, double score, std::size_t label) const
    {
        const auto x = [this](double at) {
            return std::clamp((at - m_placement.to.x) / m_placement.scaleX(), 0.0, m_width);
        };
        const auto y = [this](double at) {
            return std::clamp((at - m_placement.to.y) / m_placement.scaleY(), 0.0, m_height);
        };
        return {x(corners[0]), y(corners[1]), x(corners[2]), y(corners[3]), score, label};
    }
    Json toJson(const Box& box) const
    {
        const auto round = [](double value, double steps) { return std::round(value * steps) / steps; };
        return Json{{"x1", round(box.x1, 100)},
                    {"y1", round(box.y1, 100)},
                    {"x2", round(box.x2, 100)},
                    {"y2", round(box.y2, 100)},
                    {"score", round(box.score, 10000)},
                    {"label", box.score > m_model.labelThreshold ? m_model.labels[box.label] : ""}};
    }

    const ModelEntry& m_model;
    double m_width;
    double m_height;
    double m_score;
    double m_iou;
    Placement m_placement;
};

class DetectFamily final : public ModelFamily {
public:
    explicit DetectFamily(const ModelEntry& model) : m_model(model) {}

    Signature signature() const override
    {
        Signature signature;
        signature.inputs = {{"image", PortType::Image, true, false}};
        signature.outputs = {{"boxes", PortType::Boxes, false, true}};
        signature.params = {numberParameter("score", m_model.scoreThreshold, "boxes below this score are left out"),
                            numberParameter("iou", m_model.iouThreshold,
                                            "of boxes with one label that overlap more than this, the best stays")};
        signature.description = "Finds objects and where they are.";
        return signature;
    }

    Result<std::unique_ptr<PreparedCall>> prepare(const Values& inputs, const Json& params) const override
    {
        const auto image = imageInput(inputs, "image", m_model);
        if (!image) return tl::unexpected(image.error());
        return std::make_unique<DetectCall>(m_model, *image, params.at("score").get<double>(),
                                            params.at("iou").get<double>());
    }

private:
    const ModelEntry& m_model;
};

} // namespace

std::unique_ptr<ModelFamily> makeDetectFamily(const ModelEntry& model) { return std::make_unique<DetectFamily>(model); }

} // namespace aiflow
