#include "core/rehearsal/picture.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aiflow {

namespace {

constexpr int kBand = 16; // rows of one colour
constexpr int kColours = 16;
constexpr int kLongestMatch = 258;

constexpr std::array<std::uint32_t, 256> crcTable()
{
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t c = n;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1U) : c >> 1U;
        table[n] = c;
    }
    return table;
}

class Crc32 {
public:
    void add(std::string_view bytes)
    {
        for (const char c : bytes) add(c);
    }
    void add(char byte)
    {
        static constexpr auto kTable = crcTable();
        m_value = kTable[(m_value ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ (m_value >> 8U);
    }
    std::uint32_t value() const { return m_value ^ 0xFFFFFFFFU; }
    void addRun(char byte, std::int64_t count);

private:
    std::uint32_t m_value = 0xFFFFFFFFU;
};

// What a byte does to the sum's 32 bits: linear, but for a constant. Doing it twice is such a step again, so that a run
// of n bytes takes log n of them.
struct CrcStep {
    std::array<std::uint32_t, 32> columns{};
    std::uint32_t constant = 0;

    std::uint32_t linear(std::uint32_t value) const
    {
        std::uint32_t result = 0;
        for (std::size_t bit = 0; bit < 32; ++bit)
            if ((value >> bit & 1U) != 0) result ^= columns[bit];
        return result;
    }
    std::uint32_t operator()(std::uint32_t value) const { return linear(value) ^ constant; }
    CrcStep twice() const
    {
        CrcStep both;
        for (std::size_t bit = 0; bit < 32; ++bit) both.columns[bit] = linear(columns[bit]);
        both.constant = (*this)(constant);
        return both;
    }
};

void Crc32::addRun(char byte, std::int64_t count)
{
    const auto after = [byte](std::uint32_t value) {
        Crc32 crc;
        crc.m_value = value;
        crc.add(byte);
        return crc.m_value;
    };
    CrcStep step;
    step.constant = after(0);
    for (std::size_t bit = 0; bit < 32; ++bit) step.columns[bit] = after(1U << bit) ^ step.constant;
    for (; count > 0; count /= 2, step = step.twice())
        if (count % 2 == 1) m_value = step(m_value);
}

// Deflate with the fixed codes, of literals and runs of one byte alone.
class RunDeflater {
public:
    RunDeflater() { put(0b011, 3); } // last block, fixed codes
    void run(unsigned char byte, std::int64_t count)
    {
        literal(byte);
        --count;
        for (; count >= kLongestMatch; count -= kLongestMatch) {
            putCode(0b11000101, 8); // length 258
            putCode(0, 5);          // distance 1
        }
        for (; count > 0; --count) literal(byte);
    }
    std::string finish()
    {
        putCode(0, 7);
        if (m_filled > 0) put(0, 8 - m_filled);
        return std::move(m_bytes);
    }

private:
    void literal(unsigned char byte)
    {
        if (byte < 144)
            putCode(0x30U + byte, 8);
        else
            putCode(0x190U + byte - 144U, 9);
    }
    void putCode(unsigned code, int bits)
    {
        for (int i = bits - 1; i >= 0; --i) put((code >> static_cast<unsigned>(i)) & 1U, 1);
    }
    void put(unsigned value, int bits)
    {
        for (int i = 0; i < bits; ++i) {
            m_byte |= ((value >> static_cast<unsigned>(i)) & 1U) << static_cast<unsigned>(m_filled);
            if (++m_filled == 8) {
                m_bytes += static_cast<char>(m_byte);
                m_byte = 0;
                m_filled = 0;
            }
        }
    }

    std::string m_bytes;
    unsigned m_byte = 0;
    int m_filled = 0;
};

class Adler32 {
public:
    void add(unsigned char byte)
    {
        m_a = (m_a + byte) % 65521U;
        m_b = (m_b + m_a) % 65521U;
    }
    std::uint32_t value() const { return (m_b << 16U) | m_a; }

private:
    std::uint32_t m_a = 1;
    std::uint32_t m_b = 0;
};

void addBigEndian(std::string& to, std::uint32_t value)
{
    for (const unsigned shift : {24U, 16U, 8U, 0U}) to += static_cast<char>((value >> shift) & 0xFFU);
}

void addLittleEndian(std::string& to, std::uint32_t value)
{
    for (const unsigned shift : {0U, 8U, 16U, 24U}) to += static_cast<char>((value >> shift) & 0xFFU);
}

void addChunk(std::string& to, std::string_view name, std::string_view content)
{
    Crc32 crc;
    crc.add(name);
    crc.add(content);
    addBigEndian(to, static_cast<std::uint32_t>(content.size()));
    to += name;
    to += content;
    addBigEndian(to, crc.value());
}

// The bands as indexes into the palette: the same for every picture of a size.
std::string bands(int width, int height)
{
    RunDeflater deflater;
    Adler32 adler;
    for (int y = 0; y < height; ++y) {
        const auto colour = static_cast<unsigned char>(y / kBand % kColours);
        deflater.run(0, 1); // no filter
        deflater.run(colour, width);
        adler.add(0);
        for (int x = 0; x < width; ++x) adler.add(colour);
    }
    std::string stream("\x78\x01", 2);
    stream += deflater.finish();
    addBigEndian(stream, adler.value());
    return stream;
}

// Of the last size that was asked for, since a world asks for few.
const std::string& bandsOf(int width, int height)
{
    thread_local std::pair<int, int> size{0, 0};
    thread_local std::string stream;
    if (size != std::pair(width, height)) {
        stream = bands(width, height);
        size = {width, height};
    }
    return stream;
}

} // namespace

std::string pngPicture(int width, int height, std::uint64_t seed, std::int64_t bytes)
{
    width = std::max(1, width);
    height = std::max(1, height);
    std::string head;
    addBigEndian(head, static_cast<std::uint32_t>(width));
    addBigEndian(head, static_cast<std::uint32_t>(height));
    head += std::string("\x08\x03\x00\x00\x00", 5); // 8 bits, palette
    std::string palette;
    for (unsigned i = 0; i < kColours; ++i)
        for (const unsigned shift : {0U, 16U, 32U})
            palette += static_cast<char>((seed >> shift ^ (i * 0x9E37U * (seed >> 48U | 1U))) & 0xFFU);

    std::string png("\x89PNG\r\n\x1a\n", 8);
    addChunk(png, "IHDR", head);
    addChunk(png, "PLTE", palette);
    addChunk(png, "IDAT", bandsOf(width, height));
    constexpr std::int64_t kFrames = 24; // of the padding's chunk and of the end
    const std::int64_t missing = bytes - static_cast<std::int64_t>(png.size()) - kFrames;
    if (missing > 0) addChunk(png, "paDd", std::string(static_cast<std::size_t>(missing), '\0'));
    addChunk(png, "IEND", {});
    return png;
}

std::string gzipOfOneByte(char byte, std::int64_t size)
{
    Crc32 crc;
    crc.addRun(byte, size);
    RunDeflater deflater;
    if (size > 0) deflater.run(static_cast<unsigned char>(byte), size);
    std::string stream("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10);
    stream += deflater.finish();
    addLittleEndian(stream, crc.value());
    addLittleEndian(stream, static_cast<std::uint32_t>(size));
    return stream;
}

std::string base64(std::string_view bytes)
{
    static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    const auto at = [&](std::size_t i) -> unsigned {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const unsigned three = at(i) << 16U | at(i + 1) << 8U | at(i + 2);
        text += kDigits[three >> 18U & 63U];
        text += kDigits[three >> 12U & 63U];
        text += i + 1 < bytes.size() ? kDigits[three >> 6U & 63U] : '=';
        text += i + 2 < bytes.size() ? kDigits[three & 63U] : '=';
    }
    return text;
}

} // namespace aiflow
