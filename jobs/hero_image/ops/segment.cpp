#include "jobs/hero_image/ops/segment.h"

#include "jobs/hero_image/ops/background.h"
#include "jobs/hero_image/ops/cut.h"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace aiflow::hero {

namespace {

constexpr int kCutSide = 900; // the graph's cost grows faster than its pixels

cv::Mat ball(int radius) { return cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * radius + 1, 2 * radius + 1}); }

cv::Mat eroded(const cv::Mat& mask, int radius)
{
    cv::Mat result;
    cv::erode(mask, result, ball(radius));
    return result;
}

cv::Mat dilated(const cv::Mat& mask, int radius)
{
    cv::Mat result;
    cv::dilate(mask, result, ball(radius));
    return result;
}

double overlap(const cv::Mat& one, const cv::Mat& other)
{
    const int both = cv::countNonZero(one & other);
    const int either = cv::countNonZero(one | other);
    return either == 0 ? 0 : static_cast<double>(both) / either;
}

// How much of `part` lies in `whole`.
double share(const cv::Mat& part, const cv::Mat& whole)
{
    const int all = cv::countNonZero(part);
    return all == 0 ? 1 : static_cast<double>(cv::countNonZero(part & whole)) / all;
}

// Drops specks: pieces smaller than `least` of the largest one.
cv::Mat largePieces(const cv::Mat& mask, double least)
{
    cv::Mat labels;
    cv::Mat facts;
    cv::Mat centres;
    const int count = cv::connectedComponentsWithStats(mask, labels, facts, centres, 8, CV_32S);
    int largest = 0;
    for (int i = 1; i < count; ++i) largest = std::max(largest, facts.at<int>(i, cv::CC_STAT_AREA));
    std::vector<std::uint8_t> keep(static_cast<std::size_t>(count), 0);
    for (int i = 1; i < count; ++i)
        if (facts.at<int>(i, cv::CC_STAT_AREA) >= std::max(9.0, least * largest))
            keep[static_cast<std::size_t>(i)] = 255;
    cv::Mat result(mask.size(), CV_8U);
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x)
            result.at<std::uint8_t>(y, x) = keep[static_cast<std::size_t>(labels.at<int>(y, x))];
    return result;
}

// Fills what is enclosed by the product and `real` does not vouch for.
cv::Mat withoutFalseHoles(const cv::Mat& mask, const cv::Mat& real)
{
    cv::Mat framed;
    cv::copyMakeBorder(mask, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, cv::Scalar(0));
    cv::floodFill(framed, {0, 0}, cv::Scalar(128), nullptr, {}, {}, 4);
    const cv::Mat holes = framed(cv::Rect(1, 1, mask.cols, mask.rows)) == 0;
    return mask | (holes & ~real);
}

// The smoothest outline spans gaps between thin parts; what looks exactly like the background there is background.
cv::Mat withoutPockets(const cv::Mat& mask, const Background& background, const cv::Mat& prior)
{
    const cv::Mat alike = (background.distance < background.nearLimit()) & mask;
    cv::Mat labels;
    cv::Mat facts;
    cv::Mat centres;
    const int count = cv::connectedComponentsWithStats(alike, labels, facts, centres, 4, CV_32S);
    const double least = std::max(12.0, static_cast<double>(mask.total()) * 4e-5);
    cv::Mat result = mask.clone();
    for (int i = 1; i < count; ++i) {
        if (facts.at<int>(i, cv::CC_STAT_AREA) < least) continue;
        const cv::Mat piece = labels == i;
        const bool doubted = cv::mean(prior, piece)[0] < 166;
        if (doubted && cv::mean(background.distance, piece)[0] < 0.4 * background.nearLimit()) result.setTo(0, piece);
    }
    return result;
}

// Products are photographed whole: a side of the frame is background unless most of it is taken for product.
void frameAsBackground(cv::Mat& labels, const cv::Mat& prior)
{
    const int depth = std::max(2, std::min(prior.cols, prior.rows) / 60);
    const std::array sides{cv::Rect(0, 0, prior.cols, depth), cv::Rect(0, prior.rows - depth, prior.cols, depth),
                           cv::Rect(0, 0, depth, prior.rows), cv::Rect(prior.cols - depth, 0, depth, prior.rows)};
    for (const cv::Rect& side : sides)
        if (cv::countNonZero(prior(side) > 127) * 2 < side.area()) labels(side).setTo(cv::GC_BGD);
}

cv::Mat grabCutLabels(const cv::Mat& prior)
{
    const int margin = std::max(2, std::max(prior.cols, prior.rows) / 60);
    cv::Mat labels(prior.size(), CV_8U, cv::Scalar(cv::GC_PR_BGD));
    labels.setTo(cv::GC_BGD, ~dilated(prior > 13, 3 * margin));
    labels.setTo(cv::GC_PR_FGD, prior > 127);
    labels.setTo(cv::GC_FGD, eroded(prior > 235, margin));
    frameAsBackground(labels, prior);
    return labels;
}

cv::Mat cutByGrabCut(const cv::Mat& rgb, const cv::Mat& prior)
{
    constexpr double kLongSide = 480; // the graph's cost grows faster than its pixels
    const double scale = std::min(1.0, kLongSide / std::max(rgb.cols, rgb.rows));
    cv::Mat small;
    cv::Mat smallPrior;
    cv::resize(rgb, small, {}, scale, scale, cv::INTER_AREA);
    cv::resize(prior, smallPrior, small.size(), 0, 0, cv::INTER_AREA);
    cv::Mat labels = grabCutLabels(smallPrior);
    const cv::Mat certain = (labels == cv::GC_FGD) | (labels == cv::GC_PR_FGD);
    const int inside = cv::countNonZero(certain);
    if (inside < 50 || inside > static_cast<int>(certain.total()) - 50) return {};
    cv::theRNG().state = 12345; // its clustering starts at random: the same picture must give the same mask
    cv::Mat back;
    cv::Mat front;
    cv::grabCut(small, labels, {}, back, front, 4, cv::GC_INIT_WITH_MASK);
    cv::Mat mask = ((labels == cv::GC_FGD) | (labels == cv::GC_PR_FGD));
    cv::resize(mask, mask, rgb.size(), 0, 0, cv::INTER_CUBIC);
    return mask > 127;
}

cv::Mat tidied(const cv::Mat& mask, const cv::Mat& prior)
{
    const cv::Mat holes = (prior < 77) & ~mask;
    return withoutFalseHoles(largePieces(mask, 0.05), holes);
}

// How much colour changes across the mask's outline, on average: a good cut runs along edges of the picture.
double edgeStrength(const cv::Mat& lab, const cv::Mat& mask)
{
    const int reach = std::max(2, std::max(lab.cols, lab.rows) / 240);
    cv::Mat smooth;
    cv::GaussianBlur(lab, smooth, {}, reach * 0.5);
    double sum = 0;
    std::int64_t count = 0;
    for (int y = reach; y < mask.rows - reach; ++y)
        for (int x = reach; x < mask.cols - reach; ++x) {
            const bool here = mask.at<std::uint8_t>(y, x) != 0;
            if (here != (mask.at<std::uint8_t>(y, x + 1) != 0)) {
                sum += cv::norm(smooth.at<cv::Vec3f>(y, x - reach + 1) - smooth.at<cv::Vec3f>(y, x + reach));
                ++count;
            }
            if (here != (mask.at<std::uint8_t>(y + 1, x) != 0)) {
                sum += cv::norm(smooth.at<cv::Vec3f>(y - reach + 1, x) - smooth.at<cv::Vec3f>(y + reach, x));
                ++count;
            }
        }
    return count == 0 ? 0 : sum / static_cast<double>(count);
}

bool usable(const cv::Mat& mask)
{
    const double part = static_cast<double>(cv::countNonZero(mask)) / static_cast<double>(mask.total());
    return part > 0.002 && part < 0.985;
}

cv::Mat toLab(const cv::Mat& rgb)
{
    cv::Mat lab;
    rgb.convertTo(lab, CV_32F, 1.0 / 255.0);
    cv::cvtColor(lab, lab, cv::COLOR_RGB2Lab);
    return lab;
}

} // namespace

cv::Mat withoutSpecks(const cv::Mat& mask, const cv::Mat& prior)
{
    // Crumbs of the old shadow lie apart from the product once the edge has settled, and the network sees nothing
    // there.
    return largePieces(mask, 0.004) | (largePieces(mask, 0.0005) & (prior > 100));
}

const char* name(Method method) noexcept
{
    return method == Method::Flood ? "flood" : method == Method::GrabCut ? "grabcut" : "network";
}

Segmentation segmentProduct(const cv::Mat& rgb, const cv::Mat& prior)
{
    const cv::Mat lab = toLab(rgb);
    const cv::Mat opinion = prior > 127;
    const cv::Mat core = eroded(prior > 230, std::max(1, std::max(rgb.cols, rgb.rows) / 100));
    const Background background = measureBackground(lab, prior);
    Segmentation best;
    best.evenShare = background.evenShare;
    if (background.even()) {
        const cv::Mat cut = smoothestCut(lab, evidenceOnEvenGround(lab, background, prior), kCutSide);
        const cv::Mat flood = withoutPockets(largePieces(cut, 0.002), background, prior);
        // Where the flood ran through most of what the network is sure of, the edges were too weak for it.
        if (usable(flood) && share(core, flood) > 0.6) {
            best.mask = flood;
            best.method = Method::Flood;
            best.agreement = overlap(flood, opinion);
            return best;
        }
    }
    if (!usable(opinion)) return best;
    best.mask = tidied(opinion, prior);
    best.agreement = 1;
    const cv::Mat grab = cutByGrabCut(rgb, prior);
    if (!grab.empty() && usable(grab)) {
        const cv::Mat tidy = tidied(smoothestCut(lab, evidenceFromColours(grab, prior), kCutSide), prior);
        const double agreement = overlap(tidy, opinion);
        const bool betterCut = agreement > 0.8 || edgeStrength(lab, tidy) > 1.15 * edgeStrength(lab, best.mask);
        if (agreement > 0.45 && share(core, tidy) > 0.8 && betterCut) {
            best.mask = tidy;
            best.method = Method::GrabCut;
            best.agreement = agreement;
        }
    }
    return best;
}

} // namespace aiflow::hero
