// How the bytes of an input file become text: the encodings that are read, and how one is recognised.
#pragma once

#include "aiflow/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

enum class Encoding : std::uint8_t { Utf8, Utf16Le, Utf16Be, Utf32Le, Utf32Be, Gb18030 };

std::string_view name(Encoding encoding) noexcept; // "UTF-8", "GB18030"
// By any usual name, whatever its case: "utf8", "GBK", "gb2312", "cp936", "utf-16le". Nothing for one that is not read.
std::optional<Encoding> encodingFromName(std::string_view name);

// Where the text of a file begins, and how it is written.
struct DetectedEncoding {
    Encoding encoding = Encoding::Utf8;
    std::int64_t textOffset = 0; // behind the byte order mark, if there is one
};

// Byte order mark, then BOM-less UTF-16 by its zero bytes, then strict UTF-8, then GB18030 if every byte is valid.
// Reads the whole file when there is no mark. InputFileBad with line, column and byte offset when nothing fits, and
// when text that was plainly UTF-8 breaks off: that is damage, not GB18030. `wanted` skips all guessing; its own byte
// order mark is still left out.
Result<DetectedEncoding> detectEncoding(int file, std::string_view fileName, std::optional<Encoding> wanted);

// The error for an invalid byte of a file that is read in that encoding: its line, column and offset. Reads up to
// there.
Error invalidByteError(int file, std::string_view fileName, DetectedEncoding start, std::int64_t offset);

// The longest valid prefix of a piece of UTF-8.
struct Utf8Prefix {
    std::size_t valid = 0; // bytes
    bool cutOff = false;   // what follows may become a character when more bytes come
    std::int64_t wide = 0; // characters of more than one byte in the prefix
};
Utf8Prefix utf8Prefix(std::string_view text) noexcept;

// Reads up to `size` bytes at `offset`, as many as there are; -1 and errno when reading fails.
std::int64_t readAt(int file, char* target, std::size_t size, std::int64_t offset) noexcept;

} // namespace aiflow
