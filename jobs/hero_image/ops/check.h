// Measures a finished hero picture against the rules of a white-background catalogue.
#pragma once

#include "core/base/json_fwd.h"

#include <opencv2/core.hpp>

namespace aiflow::hero {

struct CheckLimits {
    int side = 1000;            // least pixels a side
    double fill = 0.85;         // longest side of the product / canvas
    double whiteShare = 0.995;  // of the pixels outside the product and its shadow's zone: exactly 255
    double sharpness = 0.004;   // variance of the Laplacian / variance of the brightness, at the source's detail
    double clippedShare = 0.01; // of a side of the source frame that the product may touch
    double halo = 0.10;         // of the outline: old background taken along
    double roughness = 0.20;    // of the outline's length: bites, crumbs and fringes beyond a smooth one
};

struct CheckInput {
    cv::Mat hero;   // CV_8UC3, as shipped
    cv::Mat source; // CV_8UC3, the photograph; may be empty
    cv::Mat mask;   // CV_8U, its refined mask; may be empty
};

// {"pass": bool, "reasons": [{"rule", "value", "limit", "ok", "sentence": {"en", "zh"}}]}, every rule that could be
// measured, in a fixed order: size, background, corners, fill, sharpness, clipped, halo, outline.
Json checkHero(const CheckInput& input, const CheckLimits& limits);

} // namespace aiflow::hero
