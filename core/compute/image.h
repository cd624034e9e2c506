// The plain image type that crosses the borders of modules: pixels in memory, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace aiflow {

enum class PixelFormat : std::uint8_t { Gray8 = 0, Rgb8 = 1, Rgba8 = 2 };

constexpr int channels(PixelFormat format) noexcept
{
    return format == PixelFormat::Gray8 ? 1 : format == PixelFormat::Rgb8 ? 3 : 4;
}

// Rows from top to bottom, sRGB, straight alpha. Copies share the pixels; shared pixels are never written.
// Threads: a value; pixels are immutable once shared.
struct Image {
    int width = 0;
    int height = 0;
    PixelFormat format = PixelFormat::Rgb8;
    std::ptrdiff_t stride = 0; // bytes from one row to the next
    std::shared_ptr<const std::uint8_t> pixels;

    bool empty() const noexcept { return width <= 0 || height <= 0 || !pixels; }
    std::size_t byteSize() const noexcept
    {
        return static_cast<std::size_t>(stride) * static_cast<std::size_t>(height);
    }
    const std::uint8_t* row(int y) const noexcept { return pixels.get() + y * stride; }
};

// Fresh pixels, rows packed, all zero; `pixels` points at the writable memory until the image is shared.
struct NewImage {
    Image image;
    std::uint8_t* pixels = nullptr;
};
NewImage makeImage(int width, int height, PixelFormat format);

} // namespace aiflow
