// Puts the cut-out product on a pure white canvas.
#pragma once

#include "aiflow/result.h"

#include <opencv2/core.hpp>

namespace aiflow::hero {

struct ComposeOptions {
    int canvas = 2000;   // pixels, square
    double fill = 0.90;  // longest side of the product's bounding box / canvas
    double shadow = 0.5; // darkest place of the contact shadow, 0..1
};

// `rgb`: CV_8UC3, `alpha`: CV_8U of the same size. Gives CV_8UC3. Every pixel outside the product and the shadow's zone
// is 255. ComputeNoResult: the mask shows no product.
Result<cv::Mat> composeHero(const cv::Mat& rgb, const cv::Mat& alpha, const ComposeOptions& options);

} // namespace aiflow::hero
