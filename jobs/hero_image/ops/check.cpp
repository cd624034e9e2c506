#include "jobs/hero_image/ops/check.h"

#include "core/base/json.h"
#include "jobs/hero_image/ops/shadow.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>
#include <string>

namespace aiflow::hero {

namespace {

struct Finding {
    const char* rule;
    double value;
    double limit;
    bool ok;
    std::string en;
    std::string zh;
};

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

cv::Mat grayOf(const cv::Mat& rgb)
{
    cv::Mat gray;
    cv::cvtColor(rgb, gray, cv::COLOR_RGB2GRAY);
    return gray;
}

// Whatever is not white: the product, and the darker part of its shadow.
cv::Rect productBounds(const cv::Mat& hero)
{
    constexpr int kFaint = 244; // JPEG's ripples beside an edge are lighter
    cv::Mat darkest;
    cv::Mat channels[3];
    cv::split(hero, channels);
    darkest = cv::min(channels[0], cv::min(channels[1], channels[2]));
    cv::Mat seen = darkest < kFaint;
    cv::morphologyEx(seen, seen, cv::MORPH_OPEN, cv::getStructuringElement(cv::MORPH_RECT, {2, 2}));
    return cv::boundingRect(seen);
}

Finding checkSize(const cv::Mat& hero, const CheckLimits& limits)
{
    const int side = std::min(hero.cols, hero.rows);
    return {"size",
            static_cast<double>(side),
            static_cast<double>(limits.side),
            side >= limits.side,
            fmt::format("The picture has {} x {} pixels; at least {} a side are needed.", hero.cols, hero.rows,
                        limits.side),
            fmt::format("图片为 {} x {} 像素，每边至少需要 {} 像素。", hero.cols, hero.rows, limits.side)};
}

// The ground that must be white: outside the product's box (with room for JPEG's blocks) and the shadow's zone.
cv::Mat groundOf(const cv::Mat& hero, const cv::Rect& bounds)
{
    cv::Mat ground(hero.size(), CV_8U, cv::Scalar(255));
    const int room = std::max(17, std::max(hero.cols, hero.rows) / 100);
    const cv::Rect frame({}, hero.size());
    const cv::Rect around(bounds.x - room, bounds.y - room, bounds.width + 2 * room, bounds.height + 2 * room);
    ground(around & frame).setTo(0);
    ground(shadowZone(bounds, hero.size()) & frame).setTo(0);
    return ground;
}

Finding checkBackground(const cv::Mat& hero, const cv::Rect& bounds, const CheckLimits& limits)
{
    // With a product that fills the canvas the outermost pixels are all the ground there is.
    cv::Mat ground = groundOf(hero, bounds);
    cv::rectangle(ground, cv::Rect({}, hero.size()), cv::Scalar(255), 2);
    cv::Mat white;
    cv::inRange(hero, cv::Scalar::all(255), cv::Scalar::all(255), white);
    const double share = static_cast<double>(cv::countNonZero(white & ground)) / std::max(1, cv::countNonZero(ground));
    return {"background",
            share,
            limits.whiteShare,
            share >= limits.whiteShare,
            fmt::format("{} of the background is pure white (255); {} is needed.", percent(share),
                        percent(limits.whiteShare)),
            fmt::format("背景中纯白（255）占 {}，要求 {}。", percent(share), percent(limits.whiteShare))};
}

Finding checkCorners(const cv::Mat& hero)
{
    const int side = std::max(1, std::min(hero.cols, hero.rows) / 50);
    double darkest = 255;
    for (const cv::Point at : {cv::Point(0, 0), cv::Point(hero.cols - side, 0), cv::Point(0, hero.rows - side),
                               cv::Point(hero.cols - side, hero.rows - side)}) {
        double least = 255;
        cv::minMaxLoc(hero(cv::Rect(at, cv::Size(side, side))).clone().reshape(1), &least);
        darkest = std::min(darkest, least);
    }
    return {"corners",
            darkest,
            255,
            darkest >= 255,
            fmt::format("The darkest pixel in the four corners is {:.0f}; it must be 255.", darkest),
            fmt::format("四角最暗像素为 {:.0f}，必须为 255。", darkest)};
}

Finding checkFill(const cv::Mat& hero, const cv::Rect& bounds, const CheckLimits& limits)
{
    const double across = static_cast<double>(bounds.width) / hero.cols;
    const double fill = std::max(across, static_cast<double>(bounds.height) / hero.rows);
    return {
        "fill",
        fill,
        limits.fill,
        fill >= limits.fill,
        fmt::format("The product takes {} of the frame; at least {} is needed.", percent(fill), percent(limits.fill)),
        fmt::format("商品占画面 {}，至少需要 {}。", percent(fill), percent(limits.fill))};
}

Finding checkSharpness(const cv::Mat& hero, const cv::Rect& bounds, const CheckLimits& limits)
{
    // At 700 pixels, so that an enlarged small photograph is judged by the detail that it has.
    cv::Mat gray = grayOf(hero(bounds));
    const double scale = std::min(1.0, 700.0 / std::max(gray.cols, gray.rows));
    cv::resize(gray, gray, {}, scale, scale, cv::INTER_AREA);
    cv::Mat laplacian;
    cv::Laplacian(gray, laplacian, CV_32F, 1);
    cv::Scalar mean;
    cv::Scalar edges;
    cv::Scalar tones;
    cv::meanStdDev(laplacian, mean, edges);
    cv::meanStdDev(gray, mean, tones);
    const double value = edges[0] * edges[0] / std::max(1.0, tones[0] * tones[0]);
    return {"sharpness",
            value,
            limits.sharpness,
            value >= limits.sharpness,
            fmt::format("Sharpness is {:.4f}; at least {:.4f} is needed.", value, limits.sharpness),
            fmt::format("清晰度为 {:.4f}，至少需要 {:.4f}。", value, limits.sharpness)};
}

double touchedShare(const cv::Mat& mask)
{
    const std::array sides{mask.row(0), mask.row(mask.rows - 1), mask.col(0), mask.col(mask.cols - 1)};
    double most = 0;
    for (const cv::Mat& side : sides)
        most = std::max(most, static_cast<double>(cv::countNonZero(side > 127)) / static_cast<double>(side.total()));
    return most;
}

Finding checkClipped(const cv::Mat& mask, const CheckLimits& limits)
{
    const double share = touchedShare(mask);
    return {"clipped",
            share,
            limits.clippedShare,
            share <= limits.clippedShare,
            fmt::format("The product touches {} of a side of the photograph; more than {} means that it is cut off.",
                        percent(share), percent(limits.clippedShare)),
            fmt::format("商品贴到原图一边的 {}，超过 {} 表示被裁切。", percent(share), percent(limits.clippedShare))};
}

cv::Mat ringColour(const cv::Mat& colour, const cv::Mat& place, int radius, cv::Mat& found)
{
    cv::Mat weight;
    place.convertTo(weight, CV_32F, 1.0 / 255.0);
    cv::Mat three;
    cv::merge(std::vector<cv::Mat>{weight, weight, weight}, three);
    cv::Mat sum;
    const cv::Size window(2 * radius + 1, 2 * radius + 1);
    cv::blur(colour.mul(three), sum, window);
    cv::blur(weight, found, window);
    cv::merge(std::vector<cv::Mat>{found, found, found}, three);
    return sum / (three + 1e-6);
}

// Of the pixels that the mask calls product, right at its outline: how many have the colour of the old background?
double haloShare(const cv::Mat& source, const cv::Mat& mask)
{
    constexpr float kApart = 40; // where both sides look alike nothing can be said
    const int unit = std::clamp(std::max(mask.cols, mask.rows) / 300, 2, 8);
    cv::Mat inside;
    cv::Mat outside;
    cv::distanceTransform(mask > 127, inside, cv::DIST_L2, 3);
    cv::distanceTransform(mask <= 127, outside, cv::DIST_L2, 3);
    const cv::Mat rim = (mask > 200) & (inside > 0) & (inside <= 0.75 * unit);
    const cv::Mat deep = (inside > 2.0 * unit) & (inside < 5.0 * unit);
    const cv::Mat far = (outside > 2.0 * unit) & (outside < 5.0 * unit);
    cv::Mat colour;
    source.convertTo(colour, CV_32F);
    cv::Mat foundFront;
    cv::Mat foundBack;
    const cv::Mat front = ringColour(colour, deep, 4 * unit, foundFront);
    const cv::Mat back = ringColour(colour, far, 4 * unit, foundBack);
    std::int64_t judged = 0;
    std::int64_t old = 0;
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x) {
            if (rim.at<std::uint8_t>(y, x) == 0 || foundFront.at<float>(y, x) < 0.02F ||
                foundBack.at<float>(y, x) < 0.02F)
                continue;
            const cv::Vec3f span = front.at<cv::Vec3f>(y, x) - back.at<cv::Vec3f>(y, x);
            const float length = span.dot(span);
            if (length < kApart * kApart) continue;
            ++judged;
            const cv::Vec3f off = colour.at<cv::Vec3f>(y, x) - back.at<cv::Vec3f>(y, x);
            // Near the old background in all respects, not merely along the line between the two.
            if (off.dot(span) / length < 0.25F && off.dot(off) < 0.1F * length) ++old;
        }
    return judged == 0 ? 0 : static_cast<double>(old) / static_cast<double>(judged);
}

Finding checkHalo(const CheckInput& input, const CheckLimits& limits)
{
    const double share = haloShare(input.source, input.mask);
    return {"halo",
            share,
            limits.halo,
            share <= limits.halo,
            fmt::format("{} of the outline shows the old background; at most {} may.", percent(share),
                        percent(limits.halo)),
            fmt::format("轮廓中有 {} 残留旧背景，最多允许 {}。", percent(share), percent(limits.halo))};
}

cv::Mat rimOf(const cv::Mat& mask)
{
    cv::Mat inner;
    cv::erode(mask, inner, cv::getStructuringElement(cv::MORPH_CROSS, {3, 3}));
    return mask & ~inner;
}

// How much longer the outline is than a smooth one beside it. Thin parts have no smooth outline and are left out.
double roughnessOf(const cv::Mat& mask)
{
    constexpr double kSide = 500; // every product is judged at this size
    constexpr double kBeside = 6; // pixels at that size
    const cv::Rect bounds = boundsOf(mask, 128);
    if (bounds.empty()) return 0;
    const double scale = kSide / std::max(bounds.width, bounds.height);
    cv::Mat sized;
    cv::resize(mask(bounds), sized, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    cv::copyMakeBorder(sized, sized, 16, 16, 16, 16, cv::BORDER_CONSTANT, cv::Scalar(0));
    cv::Mat smooth;
    cv::GaussianBlur(sized, smooth, {}, 4);
    const cv::Mat sharp = sized > 127;
    const cv::Mat even = smooth > 127;
    const cv::Mat evenRim = rimOf(even);
    cv::Mat beside;
    cv::distanceTransform(~evenRim, beside, cv::DIST_L2, 3);
    const double length = cv::countNonZero(evenRim);
    return length == 0 ? 0 : std::max(0.0, cv::countNonZero(rimOf(sharp) & (beside < kBeside)) / length - 1);
}

Finding checkOutline(const cv::Mat& mask, const CheckLimits& limits)
{
    const double value = roughnessOf(mask);
    return {
        "outline",
        value,
        limits.roughness,
        value <= limits.roughness,
        fmt::format("The outline is {} longer than a smooth one; more than {} means that it is ragged or bitten.",
                    percent(value), percent(limits.roughness)),
        fmt::format("轮廓比平滑轮廓长 {}，超过 {} 表示边缘毛糙或缺损。", percent(value), percent(limits.roughness))};
}

Json toJson(const Finding& finding)
{
    return {{"rule", finding.rule},
            {"value", std::round(finding.value * 1e4) / 1e4},
            {"limit", finding.limit},
            {"ok", finding.ok},
            {"sentence", {{"en", finding.en}, {"zh", finding.zh}}}};
}

} // namespace

Json checkHero(const CheckInput& input, const CheckLimits& limits)
{
    std::vector<Finding> findings{checkSize(input.hero, limits)};
    const cv::Rect bounds = productBounds(input.hero);
    findings.push_back(checkBackground(input.hero, bounds, limits));
    findings.push_back(checkCorners(input.hero));
    findings.push_back(checkFill(input.hero, bounds, limits));
    if (!bounds.empty()) findings.push_back(checkSharpness(input.hero, bounds, limits));
    if (!input.mask.empty()) findings.push_back(checkClipped(input.mask, limits));
    if (!input.mask.empty() && input.source.size() == input.mask.size()) findings.push_back(checkHalo(input, limits));
    if (!input.mask.empty()) findings.push_back(checkOutline(input.mask, limits));
    Json reasons = Json::array();
    for (const Finding& finding : findings) reasons.push_back(toJson(finding));
    const bool pass = std::ranges::all_of(findings, &Finding::ok);
    return {{"pass", pass}, {"reasons", reasons}};
}

} // namespace aiflow::hero
