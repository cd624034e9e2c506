#include "core/vision/image_header.h"

#include "core/vision/byte_cursor.h"

#include <cstdlib>
#include <string_view>

namespace aiflow {

std::optional<PictureKind> kindOf(std::span<const std::byte> bytes) noexcept
{
    using namespace std::string_view_literals;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\xFF\xD8\xFF"sv)) return PictureKind::Jpeg;
    if (text.starts_with("\x89PNG\r\n\x1A\n"sv)) return PictureKind::Png;
    if (text.starts_with("RIFF"sv) && text.substr(0, 12).ends_with("WEBP"sv)) return PictureKind::Webp;
    if (text.starts_with("II*\0"sv) || text.starts_with("MM\0*"sv)) return PictureKind::Tiff;
    if (text.starts_with("BM"sv) && text.size() >= 26 && text.substr(6, 4) == "\0\0\0\0"sv) return PictureKind::Bmp;
    return std::nullopt;
}

const char* name(PictureKind kind) noexcept
{
    switch (kind) {
    case PictureKind::Jpeg:
        return "JPEG";
    case PictureKind::Png:
        return "PNG";
    case PictureKind::Webp:
        return "WebP";
    case PictureKind::Tiff:
        return "TIFF";
    case PictureKind::Bmp:
        return "BMP";
    }
    return "picture";
}

ImageHeader readImageHeader(PictureKind kind, std::span<const std::byte> bytes)
{
    switch (kind) {
    case PictureKind::Jpeg:
        return readJpegHeader(bytes);
    case PictureKind::Png:
        return readPngHeader(bytes);
    case PictureKind::Webp:
        return readWebpHeader(bytes);
    case PictureKind::Tiff:
        return readTiffHeader(bytes);
    case PictureKind::Bmp:
        return readBmpHeader(bytes);
    }
    return {};
}

ImageHeader readBmpHeader(std::span<const std::byte> bytes)
{
    ImageHeader header;
    header.kind = PictureKind::Bmp;
    ByteCursor cursor(bytes, true);
    cursor.seek(2);
    header.neededBytes = cursor.number(4);
    cursor.seek(14);
    const bool old = cursor.number(4) == 12;
    header.width = old ? static_cast<std::int16_t>(cursor.number(2)) : static_cast<std::int32_t>(cursor.number(4));
    // A negative height says that the rows run from top to bottom.
    header.height = old ? static_cast<std::int16_t>(cursor.number(2)) : static_cast<std::int32_t>(cursor.number(4));
    header.height = std::abs(header.height);
    cursor.skip(2);
    header.channels = cursor.number(2) == 32 ? 4 : 3;
    header.complete = !cursor.pastEnd() && bytes.size() >= header.neededBytes;
    return header;
}

} // namespace aiflow
