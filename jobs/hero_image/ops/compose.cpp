#include "jobs/hero_image/ops/compose.h"

#include "jobs/hero_image/ops/matte.h"
#include "jobs/hero_image/ops/shadow.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace aiflow::hero {

namespace {

constexpr int kVisibleAlpha = 96; // what belongs to the bounding box: a faint fringe does not

struct Layer {
    cv::Mat colour; // CV_8UC3
    cv::Mat alpha;  // CV_8U
};

cv::Rect grown(const cv::Rect& rect, int by, const cv::Size& limit)
{
    return cv::Rect(rect.x - by, rect.y - by, rect.width + 2 * by, rect.height + 2 * by) & cv::Rect({}, limit);
}

// A little contrast at the size of the enlarged pixels: what interpolation took away, not more.
cv::Mat sharpened(const cv::Mat& colour, double scale)
{
    const double sigma = std::min(3.0, 0.6 * scale);
    const double amount = std::min(0.7, 0.25 + 0.15 * scale);
    cv::Mat soft;
    cv::GaussianBlur(colour, soft, {}, sigma);
    cv::Mat result;
    cv::addWeighted(colour, 1 + amount, soft, -amount, 0, result);
    return result;
}

// Enlarging widens the edge's ramp; this makes it as steep again as it was.
cv::Mat steepened(const cv::Mat& alpha, double scale)
{
    cv::Mat result;
    const double gain = std::clamp(0.75 * scale, 1.0, 3.0);
    alpha.convertTo(result, CV_8U, gain, 127.5 * (1 - gain));
    return result;
}

Layer scaled(const Layer& layer, double scale)
{
    const cv::Size size(std::max(1, cvRound(layer.colour.cols * scale)),
                        std::max(1, cvRound(layer.colour.rows * scale)));
    Layer result;
    if (scale <= 1) {
        cv::resize(layer.colour, result.colour, size, 0, 0, cv::INTER_AREA);
        cv::resize(layer.alpha, result.alpha, size, 0, 0, cv::INTER_AREA);
        return result;
    }
    cv::resize(layer.colour, result.colour, size, 0, 0, cv::INTER_LANCZOS4);
    cv::resize(layer.alpha, result.alpha, size, 0, 0, cv::INTER_CUBIC);
    if (scale > 1.15) {
        result.colour = sharpened(result.colour, scale);
        cv::GaussianBlur(result.alpha, result.alpha, {}, 0.35 * scale);
        result.alpha = steepened(result.alpha, scale);
    }
    return result;
}

cv::Mat onWhite(const Layer& product, const cv::Mat& shadow)
{
    cv::Mat canvas(product.colour.size(), CV_8UC3);
    for (int y = 0; y < canvas.rows; ++y)
        for (int x = 0; x < canvas.cols; ++x) {
            const float a = static_cast<float>(product.alpha.at<std::uint8_t>(y, x)) / 255.0F;
            const float ground = 255.0F * (1 - shadow.at<float>(y, x));
            const cv::Vec3b& own = product.colour.at<cv::Vec3b>(y, x);
            auto& pixel = canvas.at<cv::Vec3b>(y, x);
            for (int c = 0; c < 3; ++c)
                pixel[c] = cv::saturate_cast<std::uint8_t>(static_cast<float>(own[c]) * a + ground * (1 - a));
        }
    return canvas;
}

// The layer on a canvas of its own: its bounding box in the middle.
Layer placed(const Layer& layer, int canvas)
{
    Layer result{cv::Mat(canvas, canvas, CV_8UC3, cv::Scalar::all(255)), cv::Mat::zeros(canvas, canvas, CV_8U)};
    const cv::Rect bounds = boundsOf(layer.alpha, kVisibleAlpha);
    const cv::Point shift(canvas / 2 - (bounds.x + bounds.width / 2), canvas / 2 - (bounds.y + bounds.height / 2));
    const cv::Rect target = cv::Rect(shift, layer.alpha.size()) & cv::Rect(0, 0, canvas, canvas);
    const cv::Rect source(target.tl() - shift, target.size());
    layer.colour(source).copyTo(result.colour(target));
    layer.alpha(source).copyTo(result.alpha(target));
    return result;
}

} // namespace

Result<cv::Mat> composeHero(const cv::Mat& rgb, const cv::Mat& alpha, const ComposeOptions& options)
{
    const cv::Rect bounds = boundsOf(alpha, kVisibleAlpha);
    if (bounds.width < 4 || bounds.height < 4)
        return fail(Reason::ComputeNoResult, "the mask shows no product to put on white",
                    "use a picture in which the product stands out from its background");
    const int longest = std::max(bounds.width, bounds.height);
    const cv::Rect cut = grown(bounds, std::max(4, longest / 25), rgb.size());
    Layer source{rgb(cut).clone(), alpha(cut).clone()};
    const double scale = options.fill * options.canvas / longest;
    // Shrinking first keeps a 50-megapixel source from being worked on at full size.
    if (scale < 0.5) source = scaled(source, 2 * scale);
    const double rest = scale < 0.5 ? 0.5 : scale;
    source.colour = productColour(source.colour, source.alpha);
    const Layer product = placed(scaled(source, rest), options.canvas);
    return onWhite(product, contactShadow(product.alpha, options.shadow));
}

} // namespace aiflow::hero
