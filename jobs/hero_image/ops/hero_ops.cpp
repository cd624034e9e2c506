#include "core/base/json.h"
#include "core/compute/op.h"
#include "core/vision/decode.h"
#include "core/vision/encode.h"
#include "core/vision/mat.h"
#include "jobs/hero_image/ops/check.h"
#include "jobs/hero_image/ops/compose.h"
#include "jobs/hero_image/ops/matte.h"
#include "jobs/hero_image/ops/segment.h"

#include <algorithm>
#include <array>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

namespace aiflow {

namespace {

// A mask finer than this helps no canvas, and costs memory with the square of it.
constexpr int kLongestWork = 2048;

cv::Mat rgbOf(const Image& image)
{
    const cv::Mat view = viewOf(image);
    cv::Mat rgb;
    if (image.format == PixelFormat::Rgb8) return view;
    if (image.format == PixelFormat::Gray8)
        cv::cvtColor(view, rgb, cv::COLOR_GRAY2RGB);
    else
        rgb = layOnWhite(view);
    return rgb;
}

cv::Mat sizedTo(const cv::Mat& mat, const cv::Size& size)
{
    if (mat.size() == size) return mat;
    cv::Mat result;
    cv::resize(mat, result, size, 0, 0, mat.cols > size.width ? cv::INTER_AREA : cv::INTER_LINEAR);
    return result;
}

// The network saw nothing: the detector's boxes are the next best opinion.
cv::Mat priorFromBoxes(const Json& boxes, const Image& image)
{
    cv::Mat prior = cv::Mat::zeros(image.height, image.width, CV_8U);
    for (const Json& box : boxes.at("boxes")) {
        const cv::Rect2d area(cv::Point2d(box.at("x1").get<double>(), box.at("y1").get<double>()),
                              cv::Point2d(box.at("x2").get<double>(), box.at("y2").get<double>()));
        prior(cv::Rect(area) & cv::Rect({}, prior.size())).setTo(153);
    }
    return prior;
}

cv::Mat priorOf(const OpCall& call, const Image& image)
{
    const cv::Mat mask = viewOf(*call.inputs.get("mask").image());
    const Json* boxes = call.inputs.get("boxes").json();
    if (boxes != nullptr && cv::countNonZero(mask > 127) == 0) return priorFromBoxes(*boxes, image);
    return mask;
}

Result<Values> refine(const OpCall& call)
{
    const Image& image = *call.inputs.get("image").image();
    const double scale = std::min(1.0, static_cast<double>(kLongestWork) / std::max(image.width, image.height));
    const cv::Size size(std::max(1, cvRound(image.width * scale)), std::max(1, cvRound(image.height * scale)));
    const cv::Mat rgb = sizedTo(rgbOf(image), size);
    const cv::Mat prior = sizedTo(priorOf(call, image), size);
    const hero::Segmentation found = hero::segmentProduct(rgb, prior);
    if (found.mask.empty())
        return fail(Reason::ComputeNoResult, "no product was found in the picture",
                    "use a picture in which the product stands out from its background");
    if (call.stop.stop_requested()) return fail(Reason::Cancelled, "hero.refine: stopped");
    const cv::Mat alpha = hero::softEdge(rgb, hero::withoutSpecks(found.mask, prior));
    Values values;
    values.set("mask", Value(imageOf(sizedTo(alpha, {image.width, image.height}))));
    values.set("method", Value(Json(hero::name(found.method))));
    return values;
}

Result<Values> compose(const OpCall& call)
{
    const Image& image = *call.inputs.get("image").image();
    const double canvas = call.params.at("canvas").get<double>();
    const double fill = call.params.at("fill").get<double>();
    const auto format = call.params.at("format").get<std::string>();
    if (canvas < 64 || canvas > 8000) return fail(Reason::PipelineInvalid, "hero.compose: canvas is 64 to 8000 pixels");
    if (fill < 0.1 || fill > 0.94) return fail(Reason::PipelineInvalid, "hero.compose: fill is 0.1 to 0.94");
    if (format != "jpeg" && format != "png")
        return fail(Reason::PipelineInvalid, "hero.compose: format is jpeg or png");
    const double shadow = std::clamp(call.params.at("shadow").get<double>(), 0.0, 1.0);
    const cv::Mat alpha = sizedTo(viewOf(*call.inputs.get("mask").image()), {image.width, image.height});
    const auto picture = hero::composeHero(rgbOf(image), alpha, {cvRound(canvas), fill, shadow});
    if (!picture) return tl::unexpected(picture.error());
    EncodeOptions coding{format == "png" ? FileFormat::Png : FileFormat::Jpeg, call.params.at("quality").get<int>(), 1};
    const Image made = imageOf(*picture);
    auto file = encodePicture(made, coding);
    if (!file) return tl::unexpected(file.error());
    Values values;
    values.set("file", Value(std::move(*file)));
    values.set("image", Value(made));
    return values;
}

Result<Values> check(const OpCall& call)
{
    const Blob& file = *call.inputs.get("file").blob();
    const auto shipped = makePictureDecoder()->decode(*file.bytes, "the hero picture", {});
    if (!shipped) return tl::unexpected(shipped.error());
    hero::CheckInput input;
    input.hero = viewOf(*shipped);
    if (const Image* image = call.inputs.get("image").image()) input.source = rgbOf(*image);
    if (const Image* mask = call.inputs.get("mask").image()) input.mask = viewOf(*mask);
    hero::CheckLimits limits;
    limits.side = call.params.at("min_side").get<int>();
    limits.fill = call.params.at("min_fill").get<double>();
    const Json report = hero::checkHero(input, limits);
    Values values;
    values.set("report", Value(report));
    values.set("pass", Value(Json(report.at("pass"))));
    return values;
}

constexpr std::array kOps{
    OpEntry{"hero.refine", "2", &refine},
    OpEntry{"hero.compose", "2", &compose},
    OpEntry{"hero.check", "2", &check},
};

} // namespace

} // namespace aiflow

extern "C" __attribute__((visibility("default"))) const aiflow::OpModule* aiflow_op_module_v1()
{
    static constexpr aiflow::OpModule kModule{aiflow::kOpModuleAbi, aiflow::kOps};
    cv::setNumThreads(1); // the engine's graph spreads the work; nested pools only disturb it
    return &kModule;
}
