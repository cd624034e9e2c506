#include "core/vision/byte_cursor.h"
#include "core/vision/image_header.h"

namespace aiflow {

namespace {

int channelsOf(std::uint32_t colourType)
{
    switch (colourType) {
    case 0:
        return 1;
    case 4:
        return 2;
    case 6:
        return 4;
    default:
        return 3;
    }
}

void readChunk(std::string_view tag, std::span<const std::byte> content, ImageHeader& header)
{
    ByteCursor cursor(content);
    if (tag == "IHDR") {
        header.width = cursor.number(4);
        header.height = cursor.number(4);
        header.bitsPerChannel = static_cast<int>(cursor.number(1));
        header.channels = channelsOf(cursor.number(1));
    } else if (tag == "acTL") {
        header.frames = static_cast<int>(cursor.number(4) & 0xFFFFU);
    } else if (tag == "eXIf") {
        header.orientation = exifOrientation(content);
    }
}

} // namespace

ImageHeader readPngHeader(std::span<const std::byte> bytes)
{
    constexpr std::uint64_t kChecksum = 4;
    ImageHeader header;
    header.kind = PictureKind::Png;
    ByteCursor cursor(bytes);
    cursor.seek(8);
    bool first = true;
    while (cursor.left() >= 8) {
        const std::uint64_t length = cursor.number(4);
        const std::string_view tag = cursor.tag();
        if (first != (tag == "IHDR")) {
            header.problem = first ? "its first block is not the picture's size" : "it states its size twice";
            return header;
        }
        first = false;
        header.neededBytes = cursor.position() + length + kChecksum;
        if (length + kChecksum > cursor.left()) return header;
        readChunk(tag, cursor.rest().first(static_cast<std::size_t>(length)), header);
        cursor.skip(length + kChecksum);
        if (tag == "IEND") {
            header.complete = true;
            return header;
        }
    }
    return header;
}

} // namespace aiflow
