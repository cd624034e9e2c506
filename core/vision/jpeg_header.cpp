#include "core/vision/byte_cursor.h"
#include "core/vision/image_header.h"

#include <algorithm>
#include <string_view>

namespace aiflow {

namespace {

enum Marker : std::uint32_t {
    Tem = 0x01,
    Sof0 = 0xC0,
    Dht = 0xC4,
    Jpg = 0xC8,
    Dac = 0xCC,
    Rst0 = 0xD0,
    Rst7 = 0xD7,
    Soi = 0xD8,
    Eoi = 0xD9,
    Sos = 0xDA,
    App1 = 0xE1
};

bool isFrame(std::uint32_t marker)
{
    return marker >= Sof0 && marker <= 0xCF && marker != Dht && marker != Jpg && marker != Dac;
}

bool standsAlone(std::uint32_t marker) { return marker == Tem || (marker >= Rst0 && marker <= Soi); }

// Leaves the cursor behind the next marker's two bytes; 0 at the end.
std::uint32_t nextMarker(ByteCursor& cursor)
{
    while (cursor.left() >= 2) {
        const auto rest = cursor.rest();
        const auto found = std::ranges::find(rest, std::byte{0xFF});
        cursor.skip(static_cast<std::uint64_t>(found - rest.begin()));
        cursor.skip(1);
        if (cursor.left() == 0) return 0;
        const auto code = std::to_integer<std::uint32_t>(cursor.rest().front());
        if (code == 0xFF) continue; // a fill byte: the marker may follow
        cursor.skip(1);
        if (code != 0) return code; // FF 00 is a data byte
    }
    return 0;
}

void readFrame(ByteCursor& cursor, ImageHeader& header)
{
    header.bitsPerChannel = static_cast<int>(cursor.number(1));
    const auto height = cursor.number(2);
    const auto width = cursor.number(2);
    header.channels = static_cast<int>(cursor.number(1));
    if (header.width != 0 && (header.width != width || header.height != height))
        header.problem = "it states two different sizes";
    header.width = width;
    header.height = height;
}

void readApp1(std::span<const std::byte> segment, ImageHeader& header)
{
    using namespace std::string_view_literals;
    constexpr std::string_view kExif = "Exif\0\0"sv;
    const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
    if (text.starts_with(kExif)) header.orientation = exifOrientation(segment.subspan(kExif.size()));
}

} // namespace

ImageHeader readJpegHeader(std::span<const std::byte> bytes)
{
    ImageHeader header;
    header.kind = PictureKind::Jpeg;
    ByteCursor cursor(bytes);
    cursor.seek(2);
    while (const std::uint32_t marker = nextMarker(cursor)) {
        if (marker == Eoi) {
            header.complete = header.scans > 0;
            break;
        }
        if (standsAlone(marker)) continue;
        const std::size_t start = cursor.position();
        const std::uint32_t length = cursor.number(2);
        if (length < 2 || length - 2 > cursor.left()) break;
        if (isFrame(marker)) readFrame(cursor, header);
        if (marker == App1) readApp1(cursor.rest().first(length - 2), header);
        if (marker == Sos) ++header.scans;
        cursor.seek(start + length);
    }
    return header;
}

} // namespace aiflow
