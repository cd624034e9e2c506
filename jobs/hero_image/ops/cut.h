// The smoothest outline that agrees with all that is known of each pixel, found as a minimal cut of a graph.
#pragma once

#include <opencv2/core.hpp>

namespace aiflow::hero {

struct Background;

// CV_32F, for every pixel: positive speaks for product, negative for background. `prior` is the network's opinion.
// On an even background what differs from it is product, unless a soft shadow explains it.
cv::Mat evidenceOnEvenGround(const cv::Mat& lab, const Background& background, const cv::Mat& prior);

// The same where the background tells nothing: the network's opinion and a cut by colours (CV_8U, 0 or 255).
cv::Mat evidenceFromColours(const cv::Mat& colourCut, const cv::Mat& prior);

// `lab`: CV_32FC3. Gives CV_8U, 0 or 255. The outline is short, runs along edges of the picture, and gives way to
// strong evidence only: no bites, crumbs or fringes. Works at `longSide` pixels at most.
cv::Mat smoothestCut(const cv::Mat& lab, const cv::Mat& evidence, int longSide);

} // namespace aiflow::hero
