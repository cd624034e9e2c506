#include "core/vision/mat.h"

#include <opencv2/core.hpp>
#include <stdexcept>

namespace aiflow {

cv::Mat viewOf(const Image& image)
{
    auto* pixels = const_cast<std::uint8_t*>(image.pixels.get()); // cv::Mat knows no read-only view
    return {image.height, image.width, CV_8UC(channels(image.format)), pixels, static_cast<std::size_t>(image.stride)};
}

Image imageOf(const cv::Mat& mat)
{
    const int count = mat.channels();
    if (mat.empty() || mat.depth() != CV_8U || count == 2 || count > 4)
        throw std::invalid_argument("an image needs 8 bits a channel, and 1, 3 or 4 channels");
    // A view of foreign memory must be copied: nothing would keep that memory alive.
    const auto owner = std::make_shared<const cv::Mat>(mat.u == nullptr ? mat.clone() : mat);
    const auto format = count == 1 ? PixelFormat::Gray8 : count == 3 ? PixelFormat::Rgb8 : PixelFormat::Rgba8;
    return {mat.cols, mat.rows, format, static_cast<std::ptrdiff_t>(owner->step[0]), {owner, owner->data}};
}

cv::Mat layOnWhite(const cv::Mat& rgba)
{
    cv::Mat rgb(rgba.size(), CV_8UC3);
    rgba.forEach<cv::Vec4b>([&rgb](const cv::Vec4b& from, const int* at) {
        auto& to = rgb.at<cv::Vec3b>(at[0], at[1]);
        const int alpha = from[3];
        for (int c = 0; c < 3; ++c)
            to[c] = static_cast<std::uint8_t>((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    });
    return rgb;
}

} // namespace aiflow
