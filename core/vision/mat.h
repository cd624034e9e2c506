// Where the plain image type and OpenCV's meet. Channels stay in the order R, G, B, A on both sides.
#pragma once

#include "core/compute/image.h"

namespace cv {
class Mat;
}

namespace aiflow {

// The same pixels, not a copy: valid while `image` lives, and never to be written to.
cv::Mat viewOf(const Image& image);

// Shares the Mat's pixels (8 bits; 1, 3 or 4 channels), which must not be written to afterwards.
Image imageOf(const cv::Mat& mat);

// Three channels from four: what is transparent becomes white.
cv::Mat layOnWhite(const cv::Mat& rgba);

} // namespace aiflow
