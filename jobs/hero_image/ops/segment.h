// Decides for every pixel whether it is product: the network's coarse mask, the background's evenness and GrabCut
// are held against each other, and the better answer is taken.
#pragma once

#include <opencv2/core.hpp>

namespace aiflow::hero {

enum class Method { Flood, GrabCut, Prior };

struct Segmentation {
    cv::Mat mask; // CV_8U, 0 or 255; empty: no product was found
    Method method = Method::Prior;
    double evenShare = 0; // of the background, see Background
    double agreement = 0; // overlap with the network's mask, 0..1
};

const char* name(Method method) noexcept;

// `rgb`: CV_8UC3. `prior`: CV_8U of the same size, the network's opinion, 0..255.
Segmentation segmentProduct(const cv::Mat& rgb, const cv::Mat& prior);

// The mask less its small loose pieces, except where the network sees product.
cv::Mat withoutSpecks(const cv::Mat& mask, const cv::Mat& prior);

} // namespace aiflow::hero
