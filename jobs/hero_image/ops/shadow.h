// A soft contact shadow under the product, as if it stood on a white table under a large lamp.
#pragma once

#include <opencv2/core.hpp>

namespace aiflow::hero {

// `alpha`: CV_8U, the product on the canvas. Gives CV_32F darkness, 0 (none) to `strength`. It lies beneath the lower
// outline of the product, and is exactly 0 beyond `reach()` of the product's bounding box.
cv::Mat contactShadow(const cv::Mat& alpha, double strength);

// The zone in which a shadow may be, around a product with these bounds: sideways and downwards, in canvas pixels.
cv::Rect shadowZone(const cv::Rect& bounds, const cv::Size& canvas);

// The smallest rectangle around everything that is at least `least` of 255; empty when nothing is.
cv::Rect boundsOf(const cv::Mat& alpha, int least);

} // namespace aiflow::hero
