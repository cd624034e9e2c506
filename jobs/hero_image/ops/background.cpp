#include "jobs/hero_image/ops/background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace aiflow::hero {

namespace {

constexpr int kTerms = 6; // 1, x, y, x², xy, y²: enough for a lit sweep, too few to follow a product
using Terms = std::array<double, kTerms>;

struct Sample {
    Terms terms{};
    cv::Vec3f colour;
    double weight = 1;
};

Terms termsAt(int x, int y, const cv::Size& size)
{
    const double u = 2.0 * x / std::max(1, size.width - 1) - 1.0;
    const double v = 2.0 * y / std::max(1, size.height - 1) - 1.0;
    return {1, u, v, u * u, u * v, v * v};
}

double medianOf(std::vector<double> values)
{
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

std::vector<Sample> borderSamples(const cv::Mat& lab, const cv::Mat& prior)
{
    constexpr int kWanted = 4000;
    const int depth = std::max(2, std::min(lab.cols, lab.rows) / 40);
    const int step = std::max(1, static_cast<int>(std::sqrt(2.0 * (lab.cols + lab.rows) * depth / kWanted)));
    std::vector<Sample> samples;
    for (int y = 0; y < lab.rows; y += step)
        for (int x = 0; x < lab.cols; x += step) {
            const bool inside = x >= depth && y >= depth && x < lab.cols - depth && y < lab.rows - depth;
            if (inside || prior.at<std::uint8_t>(y, x) > 127) continue;
            samples.push_back({termsAt(x, y, lab.size()), lab.at<cv::Vec3f>(y, x), 1});
        }
    return samples;
}

class Surface {
public:
    cv::Vec3f at(const Terms& terms) const
    {
        cv::Vec3d colour(0, 0, 0);
        for (int i = 0; i < kTerms; ++i)
            colour += terms[static_cast<std::size_t>(i)] * m_rows[static_cast<std::size_t>(i)];
        return cv::Vec3f(colour);
    }
    void fit(const std::vector<Sample>& samples)
    {
        cv::Matx<double, kTerms, kTerms> left = cv::Matx<double, kTerms, kTerms>::eye() * 1e-6;
        cv::Matx<double, kTerms, 3> right = cv::Matx<double, kTerms, 3>::zeros();
        for (const Sample& sample : samples)
            for (int i = 0; i < kTerms; ++i) {
                const double scaled = sample.weight * sample.terms[static_cast<std::size_t>(i)];
                for (int j = 0; j < kTerms; ++j) left(i, j) += scaled * sample.terms[static_cast<std::size_t>(j)];
                for (int c = 0; c < 3; ++c) right(i, c) += scaled * sample.colour[c];
            }
        const auto solved = left.solve(right, cv::DECOMP_CHOLESKY);
        for (int i = 0; i < kTerms; ++i)
            m_rows[static_cast<std::size_t>(i)] = {solved(i, 0), solved(i, 1), solved(i, 2)};
    }

private:
    std::array<cv::Vec3d, kTerms> m_rows{};
};

cv::Vec3f medianColour(const std::vector<Sample>& samples)
{
    cv::Vec3f median;
    for (int c = 0; c < 3; ++c) {
        std::vector<double> values;
        for (const Sample& sample : samples) values.push_back(sample.colour[c]);
        median[c] = static_cast<float>(medianOf(std::move(values)));
    }
    return median;
}

// Fits again and again, each time trusting what lies near the last surface: a product at the border falls out.
Surface fitRobustly(std::vector<Sample>& samples)
{
    const cv::Vec3f median = medianColour(samples);
    for (Sample& sample : samples) sample.weight = cv::norm(sample.colour - median) < 25 ? 1 : 1e-3;
    Surface surface;
    for (int round = 0; round < 8; ++round) {
        surface.fit(samples);
        std::vector<double> residuals;
        for (const Sample& sample : samples) residuals.push_back(cv::norm(sample.colour - surface.at(sample.terms)));
        const double reach = std::max(2.0, 4.0 * medianOf(residuals));
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double ratio = std::min(1.0, residuals[i] / reach);
            samples[i].weight = (1 - ratio * ratio) * (1 - ratio * ratio) + 1e-6;
        }
    }
    return surface;
}

void measurePixels(const cv::Mat& lab, const Surface& surface, Background& background)
{
    background.distance.create(lab.size(), CV_32F);
    background.lightness.create(lab.size(), CV_32F);
    background.tint.create(lab.size(), CV_32F);
    for (int y = 0; y < lab.rows; ++y)
        for (int x = 0; x < lab.cols; ++x) {
            const cv::Vec3f off = lab.at<cv::Vec3f>(y, x) - surface.at(termsAt(x, y, lab.size()));
            background.distance.at<float>(y, x) = static_cast<float>(cv::norm(off));
            background.lightness.at<float>(y, x) = off[0];
            background.tint.at<float>(y, x) = std::hypot(off[1], off[2]);
        }
}

void judgeBorder(const std::vector<Sample>& samples, const Surface& surface, Background& background)
{
    std::vector<double> residuals;
    for (const Sample& sample : samples) residuals.push_back(cv::norm(sample.colour - surface.at(sample.terms)));
    background.noise = medianOf(residuals);
    const double limit = std::max(3.0, 4.0 * background.noise);
    const auto near = std::ranges::count_if(residuals, [limit](double residual) { return residual <= limit; });
    background.evenShare = samples.empty() ? 0 : static_cast<double>(near) / static_cast<double>(samples.size());
}

// How steeply the brightness changes, in Lab units a pixel.
cv::Mat slopeOf(const cv::Mat& lab)
{
    cv::Mat lightness;
    cv::extractChannel(lab, lightness, 0);
    cv::GaussianBlur(lightness, lightness, {}, 1.0);
    cv::Mat across;
    cv::Mat down;
    cv::Sobel(lightness, across, CV_32F, 1, 0, 3, 0.125);
    cv::Sobel(lightness, down, CV_32F, 0, 1, 3, 0.125);
    cv::Mat slope;
    cv::magnitude(across, down, slope);
    return slope;
}

} // namespace

double Background::nearLimit() const noexcept { return std::clamp(5.0 * noise, 2.0, 6.0); }

Background measureBackground(const cv::Mat& lab, const cv::Mat& prior)
{
    Background background;
    std::vector<Sample> samples = borderSamples(lab, prior);
    // A product that covers nearly all of the border leaves nothing to learn from.
    if (samples.size() < 64) {
        background.noise = 100;
        background.distance = cv::Mat(lab.size(), CV_32F, cv::Scalar(100));
        background.lightness = cv::Mat::zeros(lab.size(), CV_32F);
        background.tint = background.distance.clone();
        return background;
    }
    const Surface surface = fitRobustly(samples);
    judgeBorder(samples, surface, background);
    measurePixels(lab, surface, background);
    return background;
}

cv::Mat shadowPlaces(const cv::Mat& lab, const Background& background, const cv::Mat& prior)
{
    // Soft shadows pass, the sharp edges of things do not. Where the network sees no product, steeper and deeper ones
    // do.
    const cv::Mat slope = slopeOf(lab);
    cv::Mat certain; // less its rim, where the network's grid is too coarse to be believed
    cv::erode(prior > 217, certain, cv::getStructuringElement(cv::MORPH_ELLIPSE, {5, 5}));
    const double steep = 0.9 + 1.5 * background.noise;
    const cv::Mat soft = (background.tint < 4.5) & (background.lightness > -45) & (slope < steep) & ~certain;
    cv::Mat deep = (background.tint < 9) & (background.lightness > -60) & (slope < 3 * steep) & (prior < 50);
    // A broad shadow, not a gray table leg.
    const int leg = std::max(3, std::max(lab.cols, lab.rows) / 90);
    const auto ball = cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * leg + 1, 2 * leg + 1});
    cv::morphologyEx(deep, deep, cv::MORPH_OPEN, ball);
    return (soft | deep) & (background.lightness < 1.0);
}

} // namespace aiflow::hero
