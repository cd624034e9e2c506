// Puts a network's masks of parts of a picture together into one mask of the whole.
#pragma once

#include "core/compute/image.h"
#include "core/inference/resample.h"
#include "core/inference/tensor.h"

#include <vector>

namespace aiflow {

// The longest side of a mask. A network's grid over the whole frame holds less, one over a crop may hold more: what is
// lost there comes back when the mask is refined at the picture's full size.
inline constexpr int kMaskSide = 640;

// A mask of a picture, with the picture's aspect and at most kMaskSide pixels on the longer side.
class MaskCanvas {
public:
    MaskCanvas(int pictureWidth, int pictureHeight);
    // Keeps at each pixel within `place.from` the larger of what is there and what the grid says.
    void draw(const OutputTensor& grid, const Placement& place);
    // Takes over what crops of the same picture show better: within them the larger of both, for a network loses thin
    // and pale parts more often than it invents some. Without them this mask stays, unless it is next to empty there.
    void sharpen(const MaskCanvas& close);
    // The share of this mask that lies where `other` was drawn to; 1 for an empty mask.
    double shareWithin(const MaskCanvas& other) const;
    Image toImage() const;

private:
    int m_width;
    int m_height;
    double m_scaleX; // picture pixels for each of ours
    double m_scaleY;
    std::vector<float> m_values;
    std::vector<bool> m_drawn;
};

} // namespace aiflow
