#include "jobs/hero_image/ops/shadow.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace aiflow::hero {

namespace {

constexpr double kBelow = 0.030; // of the canvas: how far down and sideways a shadow may be seen
constexpr double kBeside = 0.035;
constexpr double kClean = 0.010; // of the canvas: the outermost frame, pure white always
constexpr double kVisible = 1.6 / 255.0;

int part(const cv::Size& canvas, double share) { return cvRound(share * std::max(canvas.width, canvas.height)); }

// One thin stroke along the lower outline; strong where the product is lowest, gone where it hangs above the table.
cv::Mat contactStroke(const cv::Mat& alpha, const cv::Rect& bounds, int thickness)
{
    const double fall = std::max(8.0, 0.22 * std::min(bounds.height, bounds.width * 2));
    cv::Mat stroke = cv::Mat::zeros(alpha.size(), CV_32F);
    for (int x = bounds.x; x < bounds.br().x; ++x) {
        int lowest = bounds.br().y - 1;
        while (lowest >= bounds.y && alpha.at<std::uint8_t>(lowest, x) < 128) --lowest;
        const double raised = bounds.br().y - 1 - lowest;
        if (lowest < bounds.y || raised > fall) continue;
        const auto weight = static_cast<float>(std::pow(1.0 - raised / fall, 1.5));
        for (int y = std::max(0, lowest - 2 * thickness); y <= std::min(alpha.rows - 1, lowest + thickness / 2); ++y)
            stroke.at<float>(y, x) = std::max(stroke.at<float>(y, x), weight);
    }
    return stroke;
}

// Blurs at a quarter of the size: nobody can tell, and wide blurs cost a sixteenth.
cv::Mat blurred(const cv::Mat& stroke, double across, double down)
{
    cv::Mat small;
    cv::resize(stroke, small, {}, 0.25, 0.25, cv::INTER_AREA);
    cv::GaussianBlur(small, small, {}, across / 4, down / 4);
    cv::Mat result;
    cv::resize(small, result, stroke.size(), 0, 0, cv::INTER_CUBIC);
    return result;
}

// 1 well inside the zone, 0 at its rim: what the blur leaves beyond must not reach the white border.
void fadeOut(cv::Mat& shadow, const cv::Rect& zone)
{
    const auto ramp = [](int position, int first, int last, int width) {
        const double inside = std::min(position - first, last - position) / static_cast<double>(std::max(1, width));
        const double bounded = std::clamp(inside, 0.0, 1.0);
        return bounded * bounded * (3 - 2 * bounded);
    };
    const int width = part(shadow.size(), 0.015);
    for (int y = 0; y < shadow.rows; ++y)
        for (int x = 0; x < shadow.cols; ++x) {
            const double keep = ramp(x, zone.x, zone.br().x - 1, width) * ramp(y, zone.y, zone.br().y - 1, width);
            float& value = shadow.at<float>(y, x);
            value = static_cast<float>(std::max(0.0, value * keep - kVisible));
        }
}

} // namespace

cv::Rect boundsOf(const cv::Mat& alpha, int least)
{
    const cv::Mat visible = alpha >= least;
    return cv::boundingRect(visible);
}

cv::Rect shadowZone(const cv::Rect& bounds, const cv::Size& canvas)
{
    const int clean = part(canvas, kClean);
    const cv::Rect allowed(clean, clean, canvas.width - 2 * clean, canvas.height - 2 * clean);
    const int beside = part(canvas, kBeside);
    const int above = std::max(part(canvas, 0.03), bounds.height / 3);
    const cv::Rect zone(bounds.x - beside, bounds.br().y - above, bounds.width + 2 * beside,
                        above + part(canvas, kBelow));
    return zone & allowed;
}

cv::Mat contactShadow(const cv::Mat& alpha, double strength)
{
    const cv::Rect bounds = boundsOf(alpha, 128);
    if (bounds.empty() || strength <= 0) return cv::Mat::zeros(alpha.size(), CV_32F);
    const double unit = std::max(alpha.cols, alpha.rows);
    const int thickness = std::max(2, part(alpha.size(), 0.006));
    const cv::Mat stroke = contactStroke(alpha, bounds, thickness);
    const cv::Mat tight = blurred(stroke, 0.004 * unit, 0.0028 * unit);
    const cv::Mat wide = blurred(stroke, 0.014 * unit, 0.008 * unit);
    cv::Mat shadow = 0.62 * tight + 0.55 * wide;
    shadow = cv::min(shadow, 1.0) * strength;
    fadeOut(shadow, shadowZone(bounds, alpha.size()));
    return shadow;
}

} // namespace aiflow::hero
