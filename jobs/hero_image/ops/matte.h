// Soft edges and clean colours: how much of an edge pixel is product, and what colour that part has.
#pragma once

#include <opencv2/core.hpp>

namespace aiflow::hero {

// `rgb`: CV_8UC3, `mask`: CV_8U, 0 or 255. Gives CV_8U alpha: the mask itself away from its edge, and in a band around
// the edge the share that explains the pixel as a mixture of the colours on both sides.
cv::Mat softEdge(const cv::Mat& rgb, const cv::Mat& mask);

// CV_8UC3: the product's own colour everywhere, also where the old background shines through (alpha 1 to 254) and
// beyond the edge, so that nothing of the old background comes along.
cv::Mat productColour(const cv::Mat& rgb, const cv::Mat& alpha);

} // namespace aiflow::hero
