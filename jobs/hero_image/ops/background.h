// How even the background is, and how far every pixel is from it: the ground of classical cutting out.
#pragma once

#include <opencv2/core.hpp>

namespace aiflow::hero {

struct Background {
    double evenShare = 0; // of the frame's border: how much of it is one smooth run of colour, 0..1
    double noise = 0;     // spread of that run, in CIE Lab units
    cv::Mat distance;     // CV_32F, Lab distance of each pixel from the background at its place
    cv::Mat lightness;    // CV_32F, lighter (positive) or darker than the background
    cv::Mat tint;         // CV_32F, distance in colour alone

    // White sweeps, even walls: here what differs from them says more than a small network.
    bool even() const noexcept { return evenShare >= 0.80 && noise <= 3.0; }
    // Pixels nearer than this cannot be told from the background.
    double nearLimit() const noexcept;
};

// `lab`: CV_32FC3. `prior`: CV_8U, 255 = surely product; such pixels are no samples of the background.
Background measureBackground(const cv::Mat& lab, const cv::Mat& prior);

// Pixels (255) that a soft shadow on the background would explain: darker, of the same tint, without a sharp edge.
cv::Mat shadowPlaces(const cv::Mat& lab, const Background& background, const cv::Mat& prior);

} // namespace aiflow::hero
