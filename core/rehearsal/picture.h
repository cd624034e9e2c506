// Pictures that decode everywhere, made without a compressor, and the sums and encodings that they need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aiflow {

// A valid PNG of coloured bands; the same seed gives the same bytes. `bytes`: padded to at least this size.
std::string pngPicture(int width, int height, std::uint64_t seed, std::int64_t bytes = 0);
// A gzip stream, 160 times smaller than the `size` equal bytes that it unpacks to.
std::string gzipOfOneByte(char byte, std::int64_t size);
std::string base64(std::string_view bytes);

} // namespace aiflow
