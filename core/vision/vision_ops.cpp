#include "core/base/json.h"
#include "core/compute/op.h"
#include "core/vision/decode.h"
#include "core/vision/encode.h"
#include "core/vision/mat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

namespace aiflow {

namespace {

constexpr int kMaxSide = 16'384;

tl::unexpected<Error> badParam(std::string message) { return fail(Reason::PipelineInvalid, std::move(message)); }

Values imageWithSize(Image image)
{
    Values values;
    values.set("width", Value(Json(image.width)));
    values.set("height", Value(Json(image.height)));
    values.set("image", Value(std::move(image)));
    return values;
}

Result<Values> load(const OpCall& call)
{
    const Blob& file = *call.inputs.get("file").blob();
    const auto alpha = call.params.at("alpha").get<std::string>();
    if (alpha != "white" && alpha != "keep")
        return badParam("image.load: alpha is \"white\" or \"keep\", not " + alpha);
    DecodeOptions options;
    options.keepAlpha = alpha == "keep";
    options.allowTiffAndBmp = call.params.at("allow_tiff_bmp").get<bool>();
    auto image = makePictureDecoder()->decode(*file.bytes, file.name.empty() ? "the picture" : file.name, options);
    if (!image) return tl::unexpected(image.error());
    return imageWithSize(std::move(*image));
}

Result<Values> encode(const OpCall& call)
{
    const auto word = call.params.at("format").get<std::string>();
    const auto format = fileFormatFromName(word);
    if (!format) return badParam("image.encode: format is jpeg, png or webp, not " + word);
    EncodeOptions options{*format, call.params.at("quality").get<int>(), call.params.at("compression").get<int>()};
    auto blob = encodePicture(*call.inputs.get("image").image(), options);
    if (!blob) return tl::unexpected(blob.error());
    Values values;
    values.set("file", Value(std::move(*blob)));
    return values;
}

struct Target {
    cv::Size scaled;
    cv::Size cut; // what is kept of the scaled image, from its middle
};

Result<Target> targetOf(const Image& image, const Json& params)
{
    const double width = params.at("width").get<double>();
    const double height = params.at("height").get<double>();
    const auto fit = params.at("fit").get<std::string>();
    if (fit != "inside" && fit != "cover" && fit != "exact")
        return badParam("image.resize: fit is inside, cover or exact, not " + fit);
    if (width < 0 || height < 0 || width > kMaxSide || height > kMaxSide || (width < 1 && height < 1))
        return badParam("image.resize: width and height are 0 to 16384, and not both 0");
    const double across = width < 1 ? height / image.height : width / image.width;
    const double down = height < 1 ? across : height / image.height;
    if (fit == "exact") {
        const cv::Size size(std::max(1, cvRound(image.width * across)), std::max(1, cvRound(image.height * down)));
        return Target{size, size};
    }
    double scale = fit == "inside" ? std::min(across, down) : std::max(across, down);
    if (!params.at("enlarge").get<bool>()) scale = std::min(scale, 1.0);
    Target target;
    target.scaled = {std::max(1, cvRound(image.width * scale)), std::max(1, cvRound(image.height * scale))};
    if (target.scaled.width > kMaxSide || target.scaled.height > kMaxSide)
        return badParam("image.resize: the result would be longer than 16384 pixels");
    target.cut = target.scaled;
    if (fit == "cover" && width >= 1) target.cut.width = std::min(target.cut.width, cvRound(width));
    if (fit == "cover" && height >= 1) target.cut.height = std::min(target.cut.height, cvRound(height));
    return target;
}

Result<Values> resize(const OpCall& call)
{
    const Image& image = *call.inputs.get("image").image();
    const auto target = targetOf(image, call.params);
    if (!target) return tl::unexpected(target.error());
    const bool shrinks = target->scaled.width < image.width || target->scaled.height < image.height;
    cv::Mat scaled;
    cv::resize(viewOf(image), scaled, target->scaled, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LANCZOS4);
    const cv::Rect middle((scaled.cols - target->cut.width) / 2, (scaled.rows - target->cut.height) / 2,
                          target->cut.width, target->cut.height);
    return imageWithSize(imageOf(scaled(middle)));
}

constexpr std::array kOps{
    OpEntry{"image.load", "1", &load},
    OpEntry{"image.encode", "1", &encode},
    OpEntry{"image.resize", "1", &resize},
};

} // namespace

} // namespace aiflow

extern "C" __attribute__((visibility("default"))) const aiflow::OpModule* aiflow_op_module_v1()
{
    static constexpr aiflow::OpModule kModule{aiflow::kOpModuleAbi, aiflow::kOps};
    cv::setNumThreads(1); // the engine's graph spreads the work; nested pools only disturb it
    return &kModule;
}
