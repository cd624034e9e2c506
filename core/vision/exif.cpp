#include "core/vision/byte_cursor.h"
#include "core/vision/image_header.h"

namespace aiflow {

int exifOrientation(std::span<const std::byte> tiffBlock) noexcept
{
    constexpr std::uint32_t kOrientation = 0x0112;
    if (tiffBlock.size() < 8) return 1;
    ByteCursor cursor(tiffBlock, tiffBlock[0] == std::byte{'I'});
    cursor.seek(4);
    cursor.seek(cursor.number(4));
    const std::uint32_t entries = cursor.number(2);
    for (std::uint32_t i = 0; i < entries && !cursor.pastEnd(); ++i) {
        const bool found = cursor.number(2) == kOrientation;
        cursor.skip(6); // type and count: always one short number
        const std::uint32_t value = cursor.number(2);
        cursor.skip(2);
        if (found) return !cursor.pastEnd() && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

} // namespace aiflow
