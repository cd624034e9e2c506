#include "jobs/hero_image/ops/cut.h"

#include "jobs/hero_image/ops/background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/imgproc/detail/gcgraph.hpp>

namespace aiflow::hero {

namespace {

constexpr float kMost = 12; // evidence beyond this changes nothing

float logOdds(std::uint8_t opinion, float most)
{
    const float p = (static_cast<float>(opinion) + 0.5F) / 256.0F;
    return std::clamp(std::log(p / (1 - p)), -most, most);
}

// What the cut pays for running between two neighbours: little across an edge of the picture, all of it in plain areas.
class Price {
public:
    explicit Price(const cv::Mat& lab) : m_lab(lab)
    {
        double sum = 0;
        for (int y = 0; y + 1 < lab.rows; ++y)
            for (int x = 0; x + 1 < lab.cols; ++x) sum += std::min(30.0F, step({x, y}, {x + 1, y + 1}));
        const double mean = sum / std::max(1, (lab.rows - 1) * (lab.cols - 1));
        m_softness = static_cast<float>(std::clamp(2.0 * mean * mean, 9.0, 200.0));
    }
    float between(const cv::Point& one, const cv::Point& other, float length) const
    {
        constexpr float kPlain = 30;
        constexpr float kLeast = 0.2F;
        const float apart = step(one, other);
        return (kLeast + kPlain * std::exp(-apart * apart / m_softness)) / length;
    }

private:
    float step(const cv::Point& one, const cv::Point& other) const
    {
        const cv::Vec3f off = m_lab.at<cv::Vec3f>(one) - m_lab.at<cv::Vec3f>(other);
        return std::sqrt(off.dot(off));
    }

    const cv::Mat& m_lab;
    float m_softness = 1;
};

// Pixels with a neighbourhood that is all of one mind take no part in the graph.
cv::Mat openPlaces(const cv::Mat& evidence)
{
    cv::Mat least;
    cv::Mat most;
    const cv::Mat square = cv::getStructuringElement(cv::MORPH_RECT, {9, 9});
    cv::erode(evidence, least, square);
    cv::dilate(evidence, most, square);
    return (least < 6) & (most > -6);
}

cv::Mat cutAt(const cv::Mat& lab, const cv::Mat& evidence)
{
    using Graph = cv::detail::GCGraph<float>;
    const cv::Mat open = openPlaces(evidence);
    cv::Mat nodes(lab.size(), CV_32S, cv::Scalar(-1));
    const int count = cv::countNonZero(open);
    if (count == 0) return evidence > 0;
    Graph graph(static_cast<unsigned>(count), static_cast<unsigned>(count) * 8U);
    const Price price(lab);
    const std::array<cv::Point, 4> steps{cv::Point(-1, 0), cv::Point(-1, -1), cv::Point(0, -1), cv::Point(1, -1)};
    for (int y = 0; y < lab.rows; ++y)
        for (int x = 0; x < lab.cols; ++x) {
            if (open.at<std::uint8_t>(y, x) == 0) continue;
            const int node = graph.addVtx();
            nodes.at<int>(y, x) = node;
            const float known = evidence.at<float>(y, x);
            graph.addTermWeights(node, std::max(0.0F, known), std::max(0.0F, -known));
            for (const cv::Point& step : steps) {
                const cv::Point other(x + step.x, y + step.y);
                if (other.x < 0 || other.y < 0 || other.x >= lab.cols || nodes.at<int>(other) < 0) continue;
                const float toll = price.between({x, y}, other, step.x != 0 && step.y != 0 ? 1.4142F : 1.0F);
                graph.addEdges(node, nodes.at<int>(other), toll, toll);
            }
        }
    graph.maxFlow();
    cv::Mat mask = evidence > 0;
    for (int y = 0; y < lab.rows; ++y)
        for (int x = 0; x < lab.cols; ++x)
            if (const int node = nodes.at<int>(y, x); node >= 0)
                mask.at<std::uint8_t>(y, x) = graph.inSourceSegment(node) ? 255 : 0;
    return mask;
}

} // namespace

cv::Mat evidenceOnEvenGround(const cv::Mat& lab, const Background& background, const cv::Mat& prior)
{
    constexpr int kDenied = 26; // of 255: the network is sure that here is nothing
    const cv::Mat soft = shadowPlaces(lab, background, prior);
    const cv::Mat deep = (prior < kDenied) & (background.tint < 16) & (background.lightness < 0);
    const float near = 0.8F * static_cast<float>(background.nearLimit());
    cv::Mat evidence(lab.size(), CV_32F);
    for (int y = 0; y < lab.rows; ++y)
        for (int x = 0; x < lab.cols; ++x) {
            const float apart = background.distance.at<float>(y, x) / near;
            float ground = std::clamp(apart < 1 ? 5 * (apart - 1) : 2.5F * (apart - 1), -5.0F, 9.0F);
            if (soft.at<std::uint8_t>(y, x) != 0) ground = std::min(ground, 1.0F);
            if (deep.at<std::uint8_t>(y, x) != 0) ground = std::min(ground, 3.0F);
            evidence.at<float>(y, x) = std::clamp(logOdds(prior.at<std::uint8_t>(y, x), 4.0F) + ground, -kMost, kMost);
        }
    return evidence;
}

cv::Mat evidenceFromColours(const cv::Mat& colourCut, const cv::Mat& prior)
{
    cv::Mat evidence(prior.size(), CV_32F);
    for (int y = 0; y < prior.rows; ++y)
        for (int x = 0; x < prior.cols; ++x)
            evidence.at<float>(y, x) =
                logOdds(prior.at<std::uint8_t>(y, x), 4.0F) + (colourCut.at<std::uint8_t>(y, x) != 0 ? 2.0F : -2.0F);
    return evidence;
}

cv::Mat smoothestCut(const cv::Mat& lab, const cv::Mat& evidence, int longSide)
{
    const double scale = std::min(1.0, static_cast<double>(longSide) / std::max(lab.cols, lab.rows));
    if (scale >= 1) return cutAt(lab, evidence);
    cv::Mat smallLab;
    cv::Mat smallEvidence;
    cv::resize(lab, smallLab, {}, scale, scale, cv::INTER_AREA);
    cv::resize(evidence, smallEvidence, smallLab.size(), 0, 0, cv::INTER_AREA);
    cv::Mat mask = cutAt(smallLab, smallEvidence);
    cv::resize(mask, mask, lab.size(), 0, 0, cv::INTER_CUBIC);
    return mask > 127;
}

} // namespace aiflow::hero
