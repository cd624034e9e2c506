// Pictures to the size and layout that a network wants: planes of red, green and blue, smoothed as they shrink.
#pragma once

#include "core/compute/image.h"
#include "core/inference/tensor.h"

namespace aiflow {

// A part of a picture, in its pixels.
struct PixelArea {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
    friend bool operator==(const PixelArea&, const PixelArea&) = default;
};

// Where a part of a picture came to lie within a network's input.
struct Placement {
    PixelArea from; // of the picture
    PixelArea to;   // of the input
    int inputWidth = 0;
    int inputHeight = 0;

    double scaleX() const noexcept { return static_cast<double>(to.width) / from.width; }
    double scaleY() const noexcept { return static_cast<double>(to.height) / from.height; }
};

// The whole input, aspect ignored.
Placement stretched(PixelArea from, int inputWidth, int inputHeight);
// As large as fits with the aspect kept, in the middle.
Placement letterboxed(PixelArea from, int inputWidth, int inputHeight);

// As the level of the free part: the drawn part's outermost pixels again and again.
inline constexpr int kRepeatEdges = -1;

// Draws `placement.from` of the image into 3 x height x width, 0..255; what stays free has the level `pad`. Grey
// becomes three equal planes, what is transparent becomes white. `from` must lie within the image.
InputTensor drawPlanes(const Image& image, const Placement& placement, int pad);

} // namespace aiflow
