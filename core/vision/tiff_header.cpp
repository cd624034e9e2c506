#include "core/vision/byte_cursor.h"
#include "core/vision/image_header.h"

namespace aiflow {

namespace {

enum Tag : std::uint32_t { Width = 256, Height = 257, Bits = 258, Samples = 277 };

struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t count = 0;
    std::uint32_t value = 0; // the number, or where the numbers stand when they need more than four bytes
};

Entry readEntry(ByteCursor& cursor)
{
    constexpr std::uint32_t kShort = 3;
    Entry entry;
    entry.tag = cursor.number(2);
    const std::uint32_t type = cursor.number(2);
    entry.count = cursor.number(4);
    const std::size_t start = cursor.position();
    const bool isShort = type == kShort && entry.count <= 2;
    entry.value = cursor.number(isShort ? 2 : 4);
    cursor.seek(start + 4);
    return entry;
}

} // namespace

ImageHeader readTiffHeader(std::span<const std::byte> bytes)
{
    ImageHeader header;
    header.kind = PictureKind::Tiff;
    header.channels = 1;
    ByteCursor cursor(bytes, bytes[0] == std::byte{'I'});
    cursor.seek(4);
    cursor.seek(cursor.number(4));
    const std::uint32_t entries = cursor.number(2);
    for (std::uint32_t i = 0; i < entries && !cursor.pastEnd(); ++i) {
        const Entry entry = readEntry(cursor);
        if (entry.tag == Width) header.width = entry.value;
        if (entry.tag == Height) header.height = entry.value;
        if (entry.tag == Samples) header.channels = static_cast<int>(entry.value & 0xFFU);
        if (entry.tag == Bits && entry.count <= 2) header.bitsPerChannel = static_cast<int>(entry.value & 0xFFU);
    }
    if (cursor.number(4) != 0) header.frames = 2; // another page
    header.complete = !cursor.pastEnd();
    return header; // the orientation stays 1: OpenCV's reader of TIFF applies it by itself
}

} // namespace aiflow
