#include "core/compute/image.h"

#include <cassert>
#include <cstdlib>
#include <new>

namespace aiflow {

NewImage makeImage(int width, int height, PixelFormat format)
{
    assert(width > 0 && height > 0);
    const auto stride = static_cast<std::ptrdiff_t>(width) * channels(format);
    // calloc gives large blocks as untouched zero pages, which a filled vector would not.
    auto* memory =
        static_cast<std::uint8_t*>(std::calloc(static_cast<std::size_t>(height), static_cast<std::size_t>(stride)));
    if (memory == nullptr) throw std::bad_alloc();
    const std::shared_ptr<std::uint8_t> owner(memory, [](std::uint8_t* pixels) { std::free(pixels); });
    return {Image{width, height, format, stride, owner}, memory};
}

} // namespace aiflow
