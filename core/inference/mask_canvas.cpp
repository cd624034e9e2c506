#include "core/inference/mask_canvas.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

// When so much of a mask lies within the crops, what lies without is no part of the product.
constexpr double kAlone = 0.97;

// The two neighbours on the grid for one position of the canvas.
struct Between {
    int low = 0;
    int high = 0;
    float share = 0; // of high
};

// For the canvas positions [first, first + size) along one axis.
std::vector<Between> positions(int first, int last, double pictureScale, int from, double gridScale, int to, int toSize)
{
    std::vector<Between> all;
    for (int i = first; i < last; ++i) {
        const double at = ((i + 0.5) * pictureScale - from) * gridScale + to - 0.5;
        const double held = std::clamp(at, to * 1.0, to + toSize - 1.0);
        const int low = static_cast<int>(held);
        all.push_back({low, std::min(low + 1, to + toSize - 1), static_cast<float>(held - low)});
    }
    return all;
}

int canvasSide(int side, int longest)
{
    if (longest <= kMaskSide) return side;
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(side) * kMaskSide / longest)));
}

} // namespace

MaskCanvas::MaskCanvas(int pictureWidth, int pictureHeight)
    : m_width(canvasSide(pictureWidth, std::max(pictureWidth, pictureHeight))),
      m_height(canvasSide(pictureHeight, std::max(pictureWidth, pictureHeight))),
      m_scaleX(static_cast<double>(pictureWidth) / m_width), m_scaleY(static_cast<double>(pictureHeight) / m_height),
      m_values(static_cast<std::size_t>(m_width) * static_cast<std::size_t>(m_height)), m_drawn(m_values.size())
{
}

void MaskCanvas::draw(const OutputTensor& grid, const Placement& place)
{
    const auto first = [](int from, double scale) { return static_cast<int>(std::ceil(from / scale - 0.5)); };
    const int left = std::max(0, first(place.from.x, m_scaleX));
    const int right = std::min(m_width, first(place.from.x + place.from.width, m_scaleX));
    const int top = std::max(0, first(place.from.y, m_scaleY));
    const int bottom = std::min(m_height, first(place.from.y + place.from.height, m_scaleY));
    const auto columns = positions(left, right, m_scaleX, place.from.x, place.scaleX(), place.to.x, place.to.width);
    const auto rows = positions(top, bottom, m_scaleY, place.from.y, place.scaleY(), place.to.y, place.to.height);
    for (int y = top; y < bottom; ++y) {
        const Between& row = rows[static_cast<std::size_t>(y - top)];
        const float* above = grid.values + static_cast<std::ptrdiff_t>(row.low) * place.inputWidth;
        const float* below = grid.values + static_cast<std::ptrdiff_t>(row.high) * place.inputWidth;
        std::size_t at =
            static_cast<std::size_t>(y) * static_cast<std::size_t>(m_width) + static_cast<std::size_t>(left);
        for (const Between& column : columns) {
            const float upper = above[column.low] + (above[column.high] - above[column.low]) * column.share;
            const float lower = below[column.low] + (below[column.high] - below[column.low]) * column.share;
            m_values[at] = std::max(m_values[at], upper + (lower - upper) * row.share);
            m_drawn[at++] = true;
        }
    }
}

double MaskCanvas::shareWithin(const MaskCanvas& other) const
{
    double all = 0;
    double inside = 0;
    for (std::size_t i = 0; i < m_values.size(); ++i) {
        all += m_values[i];
        if (other.m_drawn[i]) inside += m_values[i];
    }
    return all > 0 ? inside / all : 1;
}

void MaskCanvas::sharpen(const MaskCanvas& close)
{
    const bool alone = shareWithin(close) >= kAlone;
    for (std::size_t i = 0; i < m_values.size(); ++i) {
        if (close.m_drawn[i])
            m_values[i] = std::max(m_values[i], close.m_values[i]);
        else if (alone)
            m_values[i] = 0;
    }
}

Image MaskCanvas::toImage() const
{
    NewImage made = makeImage(m_width, m_height, PixelFormat::Gray8);
    for (std::size_t i = 0; i < m_values.size(); ++i)
        made.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(m_values[i], 0.0F, 1.0F) * 255.0F));
    return made.image;
}

} // namespace aiflow
