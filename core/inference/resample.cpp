#include "core/inference/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

namespace aiflow {

namespace {

// Down the columns weights add up to 256, so that sums of bytes fit into 16 bits; along the rows they may be finer.
constexpr int kDownBits = 8;
constexpr int kAcrossBits = 15;

// For each target position the source positions under a triangle as wide as the shrinking asks, and their weights.
class Taps {
public:
    Taps(int from, int sourceSize, int targetSize, int weightBits)
        : m_scale(static_cast<double>(sourceSize) / targetSize), m_reach(std::max(m_scale, 1.0)),
          m_most(static_cast<int>(std::ceil(m_reach * 2)) + 2), m_weightSum(1 << weightBits)
    {
        m_first.reserve(static_cast<std::size_t>(targetSize));
        m_count.reserve(static_cast<std::size_t>(targetSize));
        m_weights.resize(static_cast<std::size_t>(targetSize) * static_cast<std::size_t>(m_most));
        for (int i = 0; i < targetSize; ++i) append(i, from, sourceSize);
    }
    int first(int target) const noexcept { return m_first[static_cast<std::size_t>(target)]; }
    std::span<const std::uint16_t> weights(int target) const noexcept
    {
        const auto at = static_cast<std::size_t>(target);
        return {m_weights.data() + at * static_cast<std::size_t>(m_most), static_cast<std::size_t>(m_count[at])};
    }

private:
    void append(int target, int from, int sourceSize)
    {
        const double centre = (target + 0.5) * m_scale;
        const int low = std::max(0, static_cast<int>(std::floor(centre - m_reach)));
        const int high = std::min(sourceSize, static_cast<int>(std::ceil(centre + m_reach)));
        double sum = 0;
        for (int i = low; i < high; ++i) sum += share(i, centre);
        // Rounding the running sum keeps the total exact, however many weights there are.
        std::uint16_t* out = m_weights.data() + static_cast<std::size_t>(target) * static_cast<std::size_t>(m_most);
        double running = 0;
        int given = 0;
        for (int i = low; i < high; ++i) {
            running += share(i, centre);
            const int upTo = static_cast<int>(std::lround(running / sum * m_weightSum));
            *out++ = static_cast<std::uint16_t>(upTo - given);
            given = upTo;
        }
        m_first.push_back(from + low);
        m_count.push_back(high - low);
    }
    double share(int source, double centre) const noexcept
    {
        return std::max(0.0, m_reach - std::abs(source + 0.5 - centre));
    }

    double m_scale;
    double m_reach;
    int m_most;
    int m_weightSum;
    std::vector<int> m_first;
    std::vector<int> m_count;
    std::vector<std::uint16_t> m_weights;
};

void overWhite(const std::uint8_t* rgba, std::uint8_t* rgb, int count)
{
    for (int i = 0; i < count; ++i, rgba += 4)
        for (int c = 0; c < 3; ++c)
            *rgb++ = static_cast<std::uint8_t>((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

// The pixels of a row from `x` on as red, green, blue; uses the buffer only when they are not so already.
const std::uint8_t* rgbRow(const Image& image, int x, int y, int count, std::vector<std::uint8_t>& buffer)
{
    const std::uint8_t* row = image.row(y) + static_cast<std::ptrdiff_t>(x) * channels(image.format);
    if (image.format == PixelFormat::Rgb8) return row;
    buffer.resize(static_cast<std::size_t>(count) * 3);
    if (image.format == PixelFormat::Rgba8) {
        overWhite(row, buffer.data(), count);
    } else {
        for (int i = 0; i < count; ++i) std::memset(buffer.data() + static_cast<std::ptrdiff_t>(i) * 3, row[i], 3);
    }
    return buffer.data();
}

void addRow(std::uint16_t* __restrict sums, const std::uint8_t* __restrict row, std::uint16_t weight, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) sums[i] = static_cast<std::uint16_t>(sums[i] + row[i] * weight);
}

// One row of 8.8 fixed-point pixels into one row of each plane.
void shrinkRow(const std::uint16_t* row, const Taps& taps, int width, std::uint8_t* planes, std::size_t planeSize)
{
    constexpr std::uint32_t kHalf = 1U << (kDownBits + kAcrossBits - 1);
    for (int x = 0; x < width; ++x) {
        const std::uint16_t* pixel = row + static_cast<std::ptrdiff_t>(taps.first(x)) * 3;
        std::uint32_t red = kHalf;
        std::uint32_t green = kHalf;
        std::uint32_t blue = kHalf;
        for (const std::uint32_t weight : taps.weights(x)) {
            red += pixel[0] * weight;
            green += pixel[1] * weight;
            blue += pixel[2] * weight;
            pixel += 3;
        }
        planes[x] = static_cast<std::uint8_t>(red >> (kDownBits + kAcrossBits));
        planes[planeSize + static_cast<std::size_t>(x)] = static_cast<std::uint8_t>(green >> (kDownBits + kAcrossBits));
        planes[2 * planeSize + static_cast<std::size_t>(x)] =
            static_cast<std::uint8_t>(blue >> (kDownBits + kAcrossBits));
    }
}

PixelArea centred(int width, int height, int inputWidth, int inputHeight)
{
    return {(inputWidth - width) / 2, (inputHeight - height) / 2, width, height};
}

// Repeats the outermost pixels of the drawn part over the free rest of a plane.
void repeatEdges(std::uint8_t* plane, const Placement& place)
{
    const auto [left, top, width, height] = place.to;
    const auto rowSize = static_cast<std::size_t>(place.inputWidth);
    for (int y = top; y < top + height; ++y) {
        std::uint8_t* row = plane + static_cast<std::ptrdiff_t>(y) * place.inputWidth;
        std::memset(row, row[left], static_cast<std::size_t>(left));
        std::memset(row + left + width, row[left + width - 1], rowSize - static_cast<std::size_t>(left + width));
    }
    const std::uint8_t* first = plane + static_cast<std::ptrdiff_t>(top) * place.inputWidth;
    const std::uint8_t* last = plane + static_cast<std::ptrdiff_t>(top + height - 1) * place.inputWidth;
    for (int y = 0; y < place.inputHeight; ++y) {
        if (y >= top && y < top + height) continue;
        std::memcpy(plane + static_cast<std::ptrdiff_t>(y) * place.inputWidth, y < top ? first : last, rowSize);
    }
}

} // namespace

Placement stretched(PixelArea from, int inputWidth, int inputHeight)
{
    return {from, {0, 0, inputWidth, inputHeight}, inputWidth, inputHeight};
}

Placement letterboxed(PixelArea from, int inputWidth, int inputHeight)
{
    const double scale =
        std::min(static_cast<double>(inputWidth) / from.width, static_cast<double>(inputHeight) / from.height);
    const int width = std::clamp(static_cast<int>(std::lround(from.width * scale)), 1, inputWidth);
    const int height = std::clamp(static_cast<int>(std::lround(from.height * scale)), 1, inputHeight);
    return {from, centred(width, height, inputWidth, inputHeight), inputWidth, inputHeight};
}

InputTensor drawPlanes(const Image& image, const Placement& placement, int pad)
{
    const auto planeSize =
        static_cast<std::size_t>(placement.inputWidth) * static_cast<std::size_t>(placement.inputHeight);
    InputTensor tensor;
    tensor.shape = {3, placement.inputHeight, placement.inputWidth};
    tensor.data.assign(planeSize * 3, static_cast<std::byte>(std::max(pad, 0)));
    const auto [x, y, width, height] = placement.from;
    const Taps across(0, width, placement.to.width, kAcrossBits);
    const Taps down(y, height, placement.to.height, kDownBits);
    const auto rowSize = static_cast<std::size_t>(width) * 3;
    std::vector<std::uint16_t> sums(rowSize);
    std::vector<std::uint8_t> buffer;
    auto* target = reinterpret_cast<std::uint8_t*>(tensor.data.data()) +
                   static_cast<std::ptrdiff_t>(placement.to.y) * placement.inputWidth + placement.to.x;
    for (int i = 0; i < placement.to.height; ++i, target += placement.inputWidth) {
        std::ranges::fill(sums, std::uint16_t{0});
        int source = down.first(i);
        for (const std::uint16_t weight : down.weights(i))
            addRow(sums.data(), rgbRow(image, x, source++, width, buffer), weight, rowSize);
        shrinkRow(sums.data(), across, placement.to.width, target, planeSize);
    }
    if (pad == kRepeatEdges)
        for (std::size_t plane = 0; plane < 3; ++plane)
            repeatEdges(reinterpret_cast<std::uint8_t*>(tensor.data.data()) + plane * planeSize, placement);
    return tensor;
}

} // namespace aiflow
