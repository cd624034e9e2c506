#include "core/input/encoding.h"

#include "core/base/text.h"
#include "core/input/decoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace aiflow {

namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr std::size_t kSample = std::size_t{16} * 1024;
// So many wide characters in a row are no accident of another encoding.
constexpr std::int64_t kPlainlyUtf8 = 64;

struct Mark {
    std::string_view bytes;
    Encoding encoding;
};

// UTF-32LE begins like UTF-16LE: the longer one first.
constexpr std::array<Mark, 6> kMarks{{
    {std::string_view("\xEF\xBB\xBF", 3), Encoding::Utf8},
    {std::string_view("\xFF\xFE\0\0", 4), Encoding::Utf32Le},
    {std::string_view("\0\0\xFE\xFF", 4), Encoding::Utf32Be},
    {std::string_view("\xFF\xFE", 2), Encoding::Utf16Le},
    {std::string_view("\xFE\xFF", 2), Encoding::Utf16Be},
    {std::string_view("\x84\x31\x95\x33", 4), Encoding::Gb18030},
}};

std::string hexByte(unsigned char byte)
{
    static constexpr char kDigits[] = "0123456789ABCDEF";
    return {'0', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
}

// Lines and characters of the text before `offset`. Only used for messages: reads the file again.
class PlaceFinder {
public:
    PlaceFinder(int file, DetectedEncoding start) : m_file(file), m_start(start) {}

    SourcePosition find(std::string_view fileName, std::int64_t offset)
    {
        std::string raw(kBlock, '\0');
        std::string text;
        std::vector<TextAnchor> anchors;
        Decoder decoder(m_start.encoding);
        for (std::int64_t at = m_start.textOffset; at < offset;) {
            const auto wish = std::min<std::int64_t>(static_cast<std::int64_t>(kBlock), offset - at);
            const std::int64_t count = readAt(m_file, raw.data(), static_cast<std::size_t>(wish), at);
            if (count <= 0) break;
            const std::string_view piece(raw.data(), static_cast<std::size_t>(count));
            if (m_start.encoding == Encoding::Utf8) {
                take(piece);
            } else {
                text.clear();
                decoder.decode(piece, at, false, text, anchors);
                anchors.clear();
                take(text);
            }
            at += count;
        }
        return {std::string(fileName), m_line, m_column, offset};
    }

private:
    void take(std::string_view text)
    {
        for (const char c : text) {
            const bool afterReturn = m_return;
            m_return = c == '\r';
            if (c == '\n' && afterReturn) continue;
            if (c == '\n' || c == '\r') {
                ++m_line;
                m_column = 1;
            } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
                ++m_column;
            }
        }
    }

    int m_file;
    DetectedEncoding m_start;
    std::int64_t m_line = 1;
    std::int64_t m_column = 1;
    bool m_return = false;
};

tl::unexpected<Error> readFailed(std::string_view fileName)
{
    return fail(Reason::InputFileBad, "cannot read " + std::string(fileName) + ": " + std::strerror(errno));
}

// The offset of the first byte that is not valid, or -1.
struct Scan {
    std::int64_t badOffset = -1;
    std::int64_t wideBefore = 0;
};

Result<Scan> scanUtf8(int file, std::string_view fileName)
{
    std::string block(kBlock, '\0');
    Scan scan;
    std::int64_t at = 0;
    for (;;) {
        const std::int64_t count = readAt(file, block.data(), block.size(), at);
        if (count < 0) return readFailed(fileName);
        const auto prefix = utf8Prefix({block.data(), static_cast<std::size_t>(count)});
        scan.wideBefore += prefix.wide;
        at += static_cast<std::int64_t>(prefix.valid);
        if (static_cast<std::int64_t>(prefix.valid) == count && static_cast<std::size_t>(count) < kBlock) return scan;
        const bool more = static_cast<std::size_t>(count) == kBlock;
        if (static_cast<std::int64_t>(prefix.valid) < count && !(prefix.cutOff && more)) {
            scan.badOffset = at;
            return scan;
        }
    }
}

Result<std::int64_t> scanDecoded(int file, std::string_view fileName, DetectedEncoding start)
{
    std::string block(kBlock, '\0');
    std::string text;
    std::vector<TextAnchor> anchors;
    Decoder decoder(start.encoding);
    for (std::int64_t at = start.textOffset;;) {
        const std::int64_t count = readAt(file, block.data(), block.size(), at);
        if (count < 0) return readFailed(fileName);
        const bool last = static_cast<std::size_t>(count) < kBlock;
        text.clear();
        anchors.clear();
        const auto bad = decoder.decode({block.data(), static_cast<std::size_t>(count)}, at, last, text, anchors);
        if (bad) return *bad;
        if (last) return -1;
        at += count;
    }
}

// Text in UTF-16 has a zero byte in every ASCII character, always on the same side.
std::optional<Encoding> utf16ByZeros(std::string_view sample)
{
    std::array<std::size_t, 2> zeros{};
    for (std::size_t i = 0; i < sample.size(); ++i)
        if (sample[i] == '\0') ++zeros[i & 1U];
    const std::size_t all = zeros[0] + zeros[1];
    if (all < 2 || all * 100 < sample.size()) return std::nullopt;
    const bool little = zeros[1] > zeros[0];
    if (std::min(zeros[0], zeros[1]) * 50 > all) return std::nullopt;
    const Encoding guess = little ? Encoding::Utf16Le : Encoding::Utf16Be;
    std::string text;
    std::vector<TextAnchor> anchors;
    const auto even = sample.substr(0, sample.size() / 2 * 2);
    if (Decoder(guess).decode(even, 0, false, text, anchors)) return std::nullopt;
    const bool structured = text.find_first_of(",;\t\n\r{") != std::string::npos;
    return structured && text.find('\0') == std::string::npos ? std::optional(guess) : std::nullopt;
}

tl::unexpected<Error> invalidByte(int file, std::string_view fileName, DetectedEncoding as, std::int64_t offset,
                                  std::string_view what, std::string hint)
{
    char byte = 0;
    readAt(file, &byte, 1, offset);
    auto where = PlaceFinder(file, as).find(fileName, offset);
    return failAt(std::move(where), Reason::InputFileBad,
                  "byte " + hexByte(static_cast<unsigned char>(byte)) + " at offset " + std::to_string(offset) + " " +
                      std::string(what),
                  std::move(hint));
}

// "--encoding utf-16" leaves the order of the bytes to the file's mark.
bool sameFamily(Encoding a, Encoding b)
{
    return a == b || (name(a).substr(0, 6) == name(b).substr(0, 6) && name(a).size() == name(b).size());
}

Result<DetectedEncoding> guess(int file, std::string_view fileName, std::string_view sample)
{
    if (const auto utf16 = utf16ByZeros(sample)) return DetectedEncoding{*utf16, 0};
    const auto utf8 = scanUtf8(file, fileName);
    if (!utf8) return tl::unexpected(utf8.error());
    if (utf8->badOffset < 0) return DetectedEncoding{};
    if (utf8->wideBefore >= kPlainlyUtf8)
        return invalidByte(file, fileName, {}, utf8->badOffset, "is not valid UTF-8, although the text before it is",
                           "correct that character and save the file as UTF-8");
    const DetectedEncoding chinese{Encoding::Gb18030, 0};
    const auto bad = scanDecoded(file, fileName, chinese);
    if (!bad) return tl::unexpected(bad.error());
    if (*bad < 0) return chinese;
    return invalidByte(file, fileName, {}, utf8->badOffset,
                       "is not valid UTF-8, and the file is not valid GB18030 either (offset " + std::to_string(*bad) +
                           ")",
                       "save the file as UTF-8, or name its encoding: --encoding NAME");
}

} // namespace

std::string_view name(Encoding encoding) noexcept
{
    switch (encoding) {
    case Encoding::Utf8:
        return "UTF-8";
    case Encoding::Utf16Le:
        return "UTF-16LE";
    case Encoding::Utf16Be:
        return "UTF-16BE";
    case Encoding::Utf32Le:
        return "UTF-32LE";
    case Encoding::Utf32Be:
        return "UTF-32BE";
    case Encoding::Gb18030:
        return "GB18030";
    }
    return "UTF-8";
}

std::optional<Encoding> encodingFromName(std::string_view name)
{
    std::string key = foldForMatching(name);
    std::erase_if(key, [](char c) { return c == '-' || c == '_' || c == ' '; });
    static constexpr std::array<std::pair<std::string_view, Encoding>, 17> kNames{{
        {"utf8", Encoding::Utf8},
        {"utf8bom", Encoding::Utf8},
        {"utf8sig", Encoding::Utf8},
        {"ascii", Encoding::Utf8},
        {"utf16", Encoding::Utf16Le},
        {"utf16le", Encoding::Utf16Le},
        {"unicode", Encoding::Utf16Le},
        {"utf16be", Encoding::Utf16Be},
        {"utf32", Encoding::Utf32Le},
        {"utf32le", Encoding::Utf32Le},
        {"utf32be", Encoding::Utf32Be},
        {"gb18030", Encoding::Gb18030},
        {"gbk", Encoding::Gb18030},
        {"gb2312", Encoding::Gb18030},
        {"cp936", Encoding::Gb18030},
        {"ms936", Encoding::Gb18030},
        {"euccn", Encoding::Gb18030},
    }};
    for (const auto& [known, encoding] : kNames)
        if (key == known) return encoding;
    return std::nullopt;
}

Result<DetectedEncoding> detectEncoding(int file, std::string_view fileName, std::optional<Encoding> wanted)
{
    std::string sample(kSample, '\0');
    const std::int64_t count = readAt(file, sample.data(), sample.size(), 0);
    if (count < 0) return readFailed(fileName);
    sample.resize(static_cast<std::size_t>(count));
    for (const Mark& mark : kMarks) {
        if (!sample.starts_with(mark.bytes) || (wanted && !sameFamily(*wanted, mark.encoding))) continue;
        return DetectedEncoding{mark.encoding, static_cast<std::int64_t>(mark.bytes.size())};
    }
    if (wanted) return DetectedEncoding{*wanted, 0};
    return guess(file, fileName, sample);
}

Error invalidByteError(int file, std::string_view fileName, DetectedEncoding start, std::int64_t offset)
{
    return invalidByte(file, fileName, start, offset, "is not valid " + std::string(name(start.encoding)),
                       "correct that character, or name the file's encoding: --encoding NAME")
        .value();
}

Utf8Prefix utf8Prefix(std::string_view text) noexcept
{
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    const std::size_t size = text.size();
    Utf8Prefix result;
    std::size_t i = 0;
    const auto follows = [&](std::size_t at, unsigned low, unsigned high) {
        return bytes[at] >= low && bytes[at] <= high;
    };
    while (i < size) {
        if (bytes[i] < 0x80) {
            std::uint64_t eight = 0;
            while (i + 8 <= size && (std::memcpy(&eight, bytes + i, 8), (eight & 0x8080808080808080ULL) == 0)) i += 8;
            while (i < size && bytes[i] < 0x80) ++i;
            continue;
        }
        const unsigned lead = bytes[i];
        const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                                   : lead >= 0xE0 && lead <= 0xEF ? 3
                                   : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                                  : 0;
        if (length == 0) break;
        const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        std::size_t good = 1;
        while (good < length && i + good < size && follows(i + good, good == 1 ? low : 0x80, good == 1 ? high : 0xBF))
            ++good;
        if (good < length) {
            result.cutOff = i + good == size;
            break;
        }
        i += length;
        ++result.wide;
    }
    result.valid = i;
    return result;
}

std::int64_t readAt(int file, char* target, std::size_t size, std::int64_t offset) noexcept
{
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t count = ::pread(file, target + filled, size - filled, offset + static_cast<std::int64_t>(filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return static_cast<std::int64_t>(filled);
}

} // namespace aiflow
