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

// The alpha, enlarged, with an edge of about two pixels: steps and dents of a source pixel are rounded off, but what is
// too thin for that keeps its form.
cv::Mat enlargedAlpha(const cv::Mat& alpha, const cv::Size& size, double scale)
{
    constexpr double kRounding = 1.0; // in pixels of the source
    const auto enlarged = [&](const cv::Mat& part, double blur) {
        cv::Mat result;
        part.convertTo(result, CV_32F, 1.0 / 255.0);
        cv::resize(result, result, size, 0, 0, cv::INTER_LINEAR);
        cv::GaussianBlur(result, result, {}, blur * scale);
        const double gain = std::max(1.0, blur * scale * 2.5 / 2.0);
        return cv::Mat(cv::max(cv::min((result - 0.5) * gain + 0.5, 1.0), 0.0));
    };
    cv::Mat broad;
    cv::morphologyEx(alpha, broad, cv::MORPH_OPEN, cv::getStructuringElement(cv::MORPH_ELLIPSE, {5, 5}));
    cv::Mat thin = alpha - broad > 110; // a corner of a broad part is not thin
    cv::morphologyEx(thin, thin, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
    cv::Mat labels;
    cv::Mat facts;
    cv::Mat centres;
    const int count = cv::connectedComponentsWithStats(thin, labels, facts, centres, 8, CV_32S);
    cv::Mat kept = cv::Mat::zeros(alpha.size(), CV_8U);
    for (int i = 1; i < count; ++i)
        if (facts.at<int>(i, cv::CC_STAT_AREA) >= 8) kept.setTo(255, labels == i);
    cv::dilate(kept, kept, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
    cv::Mat slender = cv::Mat::zeros(alpha.size(), CV_8U);
    alpha.copyTo(slender, kept);
    cv::Mat result;
    cv::Mat(cv::max(enlarged(alpha, kRounding), enlarged(slender, 0.4))).convertTo(result, CV_8U, 255.0);
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
    result.alpha = enlargedAlpha(layer.alpha, size, scale);
    if (scale > 1.15) result.colour = sharpened(result.colour, scale);
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
