#include "jobs/hero_image/ops/matte.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace aiflow::hero {

namespace {

cv::Mat boxMean(const cv::Mat& mat, int radius)
{
    cv::Mat result;
    cv::blur(mat, result, {2 * radius + 1, 2 * radius + 1}, {-1, -1}, cv::BORDER_REPLICATE);
    return result;
}

// Each pixel's average colour of its surroundings, counted by weight. `total` receives the weight found.
cv::Mat weightedColour(const cv::Mat& colour, const cv::Mat& weight, int radius, cv::Mat& total)
{
    cv::Mat three;
    cv::merge(std::vector<cv::Mat>{weight, weight, weight}, three);
    total = boxMean(weight, radius);
    cv::Mat sum = boxMean(colour.mul(three), radius);
    cv::Mat divisor;
    cv::merge(std::vector<cv::Mat>{total, total, total}, divisor);
    return sum / (divisor + 1e-6);
}

cv::Mat cubed(const cv::Mat& weight) { return weight.mul(weight).mul(weight); } // mixed pixels hardly count

// Trust grows with the distance from the edge, so that mixed pixels hardly count; thin parts keep a little.
cv::Mat depthWeight(const cv::Mat& mask, double full)
{
    cv::Mat distance;
    cv::distanceTransform(mask, distance, cv::DIST_L2, 3);
    return cubed(cv::min(distance / full, 1.0));
}

// From near to far: the nearest colour that is known by weight wins, the next ring fills what is still unknown.
cv::Mat spreadColour(const cv::Mat& colour, const cv::Mat& weight, int base)
{
    cv::Mat spread = cv::Mat::zeros(colour.size(), CV_32FC3);
    cv::Mat known = cv::Mat::zeros(colour.size(), CV_32F);
    for (int radius : {base, 3 * base, 9 * base, 27 * base}) {
        cv::Mat total;
        const cv::Mat mean = weightedColour(colour, weight, radius, total);
        for (int y = 0; y < colour.rows; ++y)
            for (int x = 0; x < colour.cols; ++x) {
                float& have = known.at<float>(y, x);
                const float found = std::min(1.0F, total.at<float>(y, x) * 20) * (1 - have);
                if (found <= 0) continue;
                auto& pixel = spread.at<cv::Vec3f>(y, x);
                pixel = (pixel * have + mean.at<cv::Vec3f>(y, x) * found) / (have + found);
                have += found;
            }
    }
    return spread;
}

struct Sides {
    cv::Mat front; // CV_32FC3
    cv::Mat back;
};

float shareOf(const cv::Vec3f& pixel, const cv::Vec3f& front, const cv::Vec3f& back, float fallback)
{
    constexpr float kTooAlike = 14; // of 255: the two sides cannot be told apart by colour
    const cv::Vec3f span = front - back;
    const float length = span.dot(span);
    const float mixed = std::clamp((pixel - back).dot(span) / std::max(length, 1.0F), 0.0F, 1.0F);
    const float trust = std::clamp(std::sqrt(length) / kTooAlike - 0.5F, 0.0F, 1.0F);
    return trust * mixed + (1 - trust) * fallback;
}

int bandRadius(const cv::Size& size) { return std::clamp(std::max(size.width, size.height) / 300, 2, 8); }

cv::Mat explainedAlpha(const cv::Mat& colour, const Sides& sides, const cv::Mat& mask, const cv::Mat& band)
{
    cv::Mat smooth;
    cv::GaussianBlur(mask, smooth, {}, 1.0);
    cv::Mat alpha(mask.size(), CV_32F);
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x) {
            float& value = alpha.at<float>(y, x);
            value = mask.at<std::uint8_t>(y, x) != 0 ? 1.0F : 0.0F;
            if (band.at<std::uint8_t>(y, x) == 0) continue;
            value = shareOf(colour.at<cv::Vec3f>(y, x), sides.front.at<cv::Vec3f>(y, x), sides.back.at<cv::Vec3f>(y, x),
                            static_cast<float>(smooth.at<std::uint8_t>(y, x)) / 255.0F);
        }
    return alpha;
}

// CV_32F: the mask, and in a band of this radius around its edge the share of product in each pixel.
cv::Mat mixtureIn(const cv::Mat& rgb, const cv::Mat& mask, int radius)
{
    const cv::Mat ball = cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * radius + 1, 2 * radius + 1});
    cv::Mat inner;
    cv::Mat outer;
    cv::erode(mask, inner, ball);
    cv::dilate(mask, outer, ball);
    cv::Mat colour;
    rgb.convertTo(colour, CV_32F);
    cv::Mat total;
    const int reach = 2 * radius + 1;
    const Sides sides{weightedColour(colour, depthWeight(mask, radius + 1.0), reach, total),
                      weightedColour(colour, depthWeight(~mask, radius + 1.0), reach, total)};
    return explainedAlpha(colour, sides, mask, outer & ~inner);
}

} // namespace

cv::Mat softEdge(const cv::Mat& rgb, const cv::Mat& mask)
{
    const int radius = bandRadius(mask.size());
    cv::Mat alpha = mixtureIn(rgb, mask, radius);
    // Beyond a pixel or two from the cut, mixtures are texture that happens to fit.
    cv::Mat inside;
    cv::Mat outside;
    cv::distanceTransform(mask, inside, cv::DIST_L2, 3);
    cv::distanceTransform(~mask, outside, cv::DIST_L2, 3);
    const double width = 1.0 + radius * 0.5;
    const cv::Mat least = (inside - width) / 1.5;
    const cv::Mat most = 1.0 - (outside - width) / 1.5;
    alpha = cv::max(alpha, cv::min(cv::max(least, 0.0), 1.0));
    alpha = cv::min(alpha, cv::min(cv::max(most, 0.0), 1.0));
    cv::Mat result;
    const cv::Mat stretched = (alpha - 0.04) / 0.92; // noise at both ends becomes plain background or plain product
    stretched.convertTo(result, CV_8U, 255.0);
    return result;
}

cv::Mat productColour(const cv::Mat& rgb, const cv::Mat& alpha)
{
    cv::Mat colour;
    rgb.convertTo(colour, CV_32F);
    cv::Mat share;
    alpha.convertTo(share, CV_32F, 1.0 / 255.0);
    const int base = bandRadius(alpha.size());
    const cv::Mat front = spreadColour(colour, cubed(share), base);
    const cv::Mat back = spreadColour(colour, cubed(1.0 - share), base);
    cv::Mat result(rgb.size(), CV_8UC3);
    for (int y = 0; y < rgb.rows; ++y)
        for (int x = 0; x < rgb.cols; ++x) {
            const float a = share.at<float>(y, x);
            const cv::Vec3f guess = front.at<cv::Vec3f>(y, x);
            // What the two estimates do not explain of the pixel is the product's own texture.
            const cv::Vec3f rest = colour.at<cv::Vec3f>(y, x) - guess * a - back.at<cv::Vec3f>(y, x) * (1 - a);
            result.at<cv::Vec3b>(y, x) = a >= 1 ? rgb.at<cv::Vec3b>(y, x) : cv::Vec3b(guess + rest * a);
        }
    return result;
}

} // namespace aiflow::hero
