// Pixels -> the bytes of a JPEG, PNG or WebP file.
#pragma once

#include "aiflow/result.h"
#include "core/compute/value.h"

#include <optional>
#include <string_view>

namespace aiflow {

enum class FileFormat : std::uint8_t { Jpeg, Png, Webp };

std::optional<FileFormat> fileFormatFromName(std::string_view name) noexcept; // "jpeg" or "jpg", "png", "webp"

struct EncodeOptions {
    FileFormat format = FileFormat::Jpeg;
    int quality = 92;    // JPEG and WebP: 1 to 100. JPEG is written without chroma subsampling
    int compression = 1; // PNG: 0 to 9
};

// JPEG has no alpha: it is laid on white. Internal: OpenCV refused, with its words.
Result<Blob> encodePicture(const Image& image, const EncodeOptions& options);

} // namespace aiflow
