// What a picture's bytes say about it before anything is decoded: kind, size, and whether all of it is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace aiflow {

enum class PictureKind : std::uint8_t { Jpeg, Png, Webp, Tiff, Bmp };

struct ImageHeader {
    PictureKind kind = PictureKind::Jpeg;
    std::int64_t width = 0; // as stored, before the orientation is applied; 0: not found
    std::int64_t height = 0;
    int channels = 0;
    int bitsPerChannel = 8;
    int frames = 1;
    int orientation = 1;           // EXIF's 1 to 8
    int scans = 0;                 // JPEG: passes over the picture
    bool complete = false;         // the end of the picture was found
    std::uint64_t neededBytes = 0; // what the file says of its own length; 0: it does not
    std::string problem;           // why the header makes no sense; empty: it does
};

// By the first bytes alone; nothing for any other kind of file.
std::optional<PictureKind> kindOf(std::span<const std::byte> bytes) noexcept;
// "JPEG"
const char* name(PictureKind kind) noexcept;
// Walks the file's structure; touches no pixel. Never fails: what is wrong stands in the header.
ImageHeader readImageHeader(PictureKind kind, std::span<const std::byte> bytes);

// One for each kind.
ImageHeader readJpegHeader(std::span<const std::byte> bytes);
ImageHeader readPngHeader(std::span<const std::byte> bytes);
ImageHeader readWebpHeader(std::span<const std::byte> bytes);
ImageHeader readTiffHeader(std::span<const std::byte> bytes);
ImageHeader readBmpHeader(std::span<const std::byte> bytes);

// The orientation of an EXIF block (from its byte-order mark on): 1 to 8; 1 when it says nothing sensible.
int exifOrientation(std::span<const std::byte> tiffBlock) noexcept;

} // namespace aiflow
