// A file as a sliding window of UTF-8 text: bounded memory, and the way back from text to the file's own bytes.
#pragma once

#include "core/base/hash.h"
#include "core/input/decoder.h"
#include "core/input/encoding.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Owns a file descriptor.
class InputFile {
public:
    explicit InputFile(int descriptor = -1) noexcept : m_descriptor(descriptor) {}
    ~InputFile();
    InputFile(InputFile&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}
    InputFile& operator=(InputFile&& other) noexcept;
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    // A regular file for reading. InputFileBad with the system's words.
    static Result<InputFile> open(const std::string& path);
    int get() const noexcept { return m_descriptor; }

private:
    int m_descriptor;
};

class TextSource {
public:
    // `hasher`, when given, is fed every byte of the file, in order, as it is read; it outlives the source.
    TextSource(InputFile file, std::string fileName, DetectedEncoding start, Hasher* hasher = nullptr);

    const std::string& fileName() const noexcept { return m_fileName; }
    const DetectedEncoding& start() const noexcept { return m_start; }
    // The text that was read and not consumed yet.
    std::string_view window() const noexcept { return std::string_view(m_text).substr(m_begin, m_valid - m_begin); }
    // The window holds all that is left.
    bool atEnd() const noexcept { return m_atEnd; }
    // Enlarges the window, by at least its size. InputFileBad with line, column and offset at an invalid byte.
    Result<void> grow();
    // Drops the first bytes of the window.
    void consume(std::size_t bytes) noexcept { m_begin += bytes; }
    // Where in the file the window's `position` lies. Cheap behind a line break and at the ends of the file.
    std::int64_t fileOffset(std::size_t position) const;
    // Bytes of the file read so far.
    std::int64_t bytesRead() const noexcept { return m_fileEnd; }

private:
    Result<void> readBlock();
    void compact();
    std::int64_t textPosition(std::size_t position) const noexcept
    {
        return m_dropped + static_cast<std::int64_t>(m_begin + position);
    }

    InputFile m_file;
    std::string m_fileName;
    DetectedEncoding m_start;
    Hasher* m_hasher;
    std::unique_ptr<Decoder> m_decoder; // null: the bytes are UTF-8 already
    std::string m_raw;
    std::string m_text;
    std::size_t m_begin = 0;
    std::size_t m_valid = 0;    // m_text up to here is checked
    std::int64_t m_dropped = 0; // text bytes that left m_text at its front
    std::int64_t m_fileEnd = 0; // the next byte to read
    std::vector<TextAnchor> m_anchors;
    std::int64_t m_badOffset = -1;
    bool m_atEnd = false;
};

} // namespace aiflow
