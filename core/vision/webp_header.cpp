#include "core/vision/byte_cursor.h"
#include "core/vision/image_header.h"

namespace aiflow {

namespace {

void readLossy(ByteCursor& cursor, ImageHeader& header)
{
    cursor.skip(6); // frame tag and start code
    header.width = cursor.number(2) & 0x3FFFU;
    header.height = cursor.number(2) & 0x3FFFU;
}

void readLossless(ByteCursor& cursor, ImageHeader& header)
{
    cursor.skip(1);
    const std::uint32_t bits = cursor.number(4);
    header.width = (bits & 0x3FFFU) + 1;
    header.height = ((bits >> 14U) & 0x3FFFU) + 1;
    if ((bits >> 28U) & 1U) header.channels = 4;
}

void readExtended(ByteCursor& cursor, ImageHeader& header)
{
    const std::uint32_t flags = cursor.number(4);
    if (flags & 0x10U) header.channels = 4;
    if (flags & 0x02U) header.frames = 2; // animated: how many does not matter
    header.width = cursor.number(3) + 1;
    header.height = cursor.number(3) + 1;
}

void readExif(std::span<const std::byte> content, ImageHeader& header)
{
    // Some writers put JPEG's "Exif\0\0" before the block.
    const bool prefixed = content.size() > 6 && content[0] == std::byte{'E'} && content[1] == std::byte{'x'};
    header.orientation = exifOrientation(prefixed ? content.subspan(6) : content);
}

} // namespace

ImageHeader readWebpHeader(std::span<const std::byte> bytes)
{
    ImageHeader header;
    header.kind = PictureKind::Webp;
    header.channels = 3;
    ByteCursor cursor(bytes, true);
    cursor.seek(4);
    header.neededBytes = std::uint64_t{cursor.number(4)} + 8;
    header.complete = bytes.size() >= header.neededBytes;
    cursor.seek(12);
    while (cursor.left() >= 8) {
        const std::string_view tag = cursor.tag();
        const std::uint64_t length = cursor.number(4);
        const std::size_t start = cursor.position();
        const auto content =
            cursor.rest().first(static_cast<std::size_t>(length < cursor.left() ? length : cursor.left()));
        const bool sized = header.width != 0; // the extended header's canvas is what is decoded
        if (tag == "VP8X") readExtended(cursor, header);
        if (tag == "VP8 " && !sized) readLossy(cursor, header);
        if (tag == "VP8L" && !sized) readLossless(cursor, header);
        if (tag == "EXIF") readExif(content, header);
        cursor.seek(start + length + (length & 1U));
    }
    return header;
}

} // namespace aiflow
