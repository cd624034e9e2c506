// Bytes of a picture from outside -> raw pixels. Behind an interface, so that a sandboxed process can do it instead.
#pragma once

#include "aiflow/result.h"
#include "core/base/units.h"
#include "core/compute/image.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace aiflow {

struct DecodeLimits {
    Bytes fileSize = mebibytes(64);
    std::int64_t pixels = 50'000'000;
    std::int64_t side = 16'384;
    int scans = 100; // of a progressive JPEG: each is a pass over the whole picture
};

struct DecodeOptions {
    bool allowTiffAndBmp = false;
    bool keepAlpha = false; // else transparent pixels are laid on white
    DecodeLimits limits;
};

// Threads: decode(), from any thread.
class PictureDecoder {
public:
    virtual ~PictureDecoder() = default;

    // Upright (EXIF's orientation is applied), sRGB, 8 bits: Rgb8, or Rgba8 when alpha is kept and there is some.
    // A profile other than sRGB is not converted: its numbers are taken for sRGB's.
    // InputImageBad: not a picture, a kind that is not allowed, too large, cut off, animated or damaged; the message
    // begins with `fileName`. Nothing is decoded before kind, size and completeness are known to be right.
    virtual Result<Image> decode(std::span<const std::byte> bytes, const std::string& fileName,
                                 const DecodeOptions& options) const = 0;
};

// In this process, with OpenCV.
std::unique_ptr<PictureDecoder> makePictureDecoder();

} // namespace aiflow
