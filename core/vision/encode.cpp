#include "core/vision/encode.h"

#include "core/vision/mat.h"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace aiflow {

namespace {

struct Coding {
    const char* ending;
    const char* mediaType;
    std::vector<int> flags;
};

Coding codingFor(const EncodeOptions& options)
{
    const int quality = std::clamp(options.quality, 1, 100);
    switch (options.format) {
    case FileFormat::Png:
        return {".png", "image/png", {cv::IMWRITE_PNG_COMPRESSION, std::clamp(options.compression, 0, 9)}};
    case FileFormat::Webp:
        return {".webp", "image/webp", {cv::IMWRITE_WEBP_QUALITY, quality}};
    default:
        break;
    }
    // OpenCV 4.6 cannot be asked for 4:4:4, but gives it as soon as the two qualities differ.
    const int chroma = quality == 100 ? 99 : quality + 1;
    return {".jpg",
            "image/jpeg",
            {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_LUMA_QUALITY, quality, cv::IMWRITE_JPEG_CHROMA_QUALITY,
             chroma, cv::IMWRITE_JPEG_OPTIMIZE, 1}};
}

cv::Mat toBgr(const Image& image, FileFormat format)
{
    const cv::Mat view = viewOf(image);
    cv::Mat result;
    if (image.format == PixelFormat::Gray8) return view;
    if (image.format == PixelFormat::Rgb8)
        cv::cvtColor(view, result, cv::COLOR_RGB2BGR);
    else if (format == FileFormat::Jpeg)
        cv::cvtColor(layOnWhite(view), result, cv::COLOR_RGB2BGR);
    else
        cv::cvtColor(view, result, cv::COLOR_RGBA2BGRA);
    return result;
}

} // namespace

std::optional<FileFormat> fileFormatFromName(std::string_view name) noexcept
{
    if (name == "jpeg" || name == "jpg") return FileFormat::Jpeg;
    if (name == "png") return FileFormat::Png;
    if (name == "webp") return FileFormat::Webp;
    return std::nullopt;
}

Result<Blob> encodePicture(const Image& image, const EncodeOptions& options)
{
    const Coding coding = codingFor(options);
    try {
        std::vector<unsigned char> buffer;
        if (!cv::imencode(coding.ending, toBgr(image, options.format), buffer, coding.flags))
            return fail(Reason::Internal, std::string("the picture cannot be written as ") + coding.mediaType);
        const auto* first = reinterpret_cast<const std::byte*>(buffer.data());
        return Blob{coding.mediaType, std::make_shared<const std::vector<std::byte>>(first, first + buffer.size()), {}};
    } catch (const cv::Exception& error) {
        return fail(Reason::Internal, std::string("the picture cannot be written: ") + error.what());
    }
}

} // namespace aiflow
