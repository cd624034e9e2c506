#include "core/api/lane/answers/picture_check.h"

#include "core/base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>

namespace aiflow {

namespace {

constexpr std::int64_t kTail = 64LL * 1024; // makers append notes behind a JPEG's end
constexpr int kMostChunks = 100'000;

// Pieces of a picture, from memory or from its file.
class PictureBytes {
public:
    explicit PictureBytes(const SpooledFile& file) : m_file(file)
    {
        if (!file.path.empty()) m_stream.open(file.path, std::ios::binary);
    }

    // Shorter than asked where the picture ends.
    std::string at(std::int64_t from, std::int64_t count)
    {
        count = std::min(count, m_file.size - from);
        if (from < 0 || count <= 0) return {};
        std::string piece(static_cast<std::size_t>(count), '\0');
        if (m_file.path.empty()) {
            std::memcpy(piece.data(), m_file.bytes.data() + from, piece.size());
            return piece;
        }
        m_stream.clear();
        m_stream.seekg(from);
        m_stream.read(piece.data(), count);
        piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, m_stream.gcount())));
        return piece;
    }
    std::int64_t size() const noexcept { return m_file.size; }

private:
    const SpooledFile& m_file;
    std::ifstream m_stream;
};

std::int64_t number(std::string_view bytes, bool bigEndian)
{
    std::int64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[bigEndian ? i : bytes.size() - 1 - i]);
    return value;
}

bool pngIsWhole(PictureBytes& bytes)
{
    std::int64_t place = 8;
    for (int chunks = 0; chunks < kMostChunks; ++chunks) {
        const std::string head = bytes.at(place, 8);
        if (head.size() < 8) return false;
        place += 12 + number(std::string_view(head).substr(0, 4), true);
        if (head.compare(4, 4, "IEND") == 0) return place <= bytes.size();
    }
    return false;
}

// Between its headers and its end no JPEG holds this mark.
bool jpegIsWhole(PictureBytes& bytes)
{
    const std::string tail = bytes.at(std::max<std::int64_t>(0, bytes.size() - kTail), kTail);
    return tail.find("\xFF\xD9") != std::string::npos;
}

bool isWhole(PictureBytes& bytes)
{
    const std::string head = bytes.at(0, 12);
    if (head.starts_with("\x89PNG")) return pngIsWhole(bytes);
    if (head.starts_with("\xFF\xD8")) return jpegIsWhole(bytes);
    if (head.starts_with("RIFF") && head.size() == 12)
        return number(std::string_view(head).substr(4, 4), false) + 8 <= bytes.size();
    if (head.starts_with("GIF8")) return bytes.at(bytes.size() - 1, 1) == ";";
    return true;
}

} // namespace

std::optional<std::string> whyNoPicture(const SpooledFile& file)
{
    if (file.size == 0) return "the answer's file is empty";
    if (!file.mediaType.starts_with("image/"))
        return "the answer's file is no picture (" + cutToWidth(file.mediaType, 60) + ")";
    PictureBytes bytes(file);
    if (!isWhole(bytes)) return "the answer's picture is not whole (" + std::to_string(file.size) + " bytes came)";
    return std::nullopt;
}

} // namespace aiflow
