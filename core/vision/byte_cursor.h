// Reads numbers out of bytes from outside; past the end it gives zeros and remembers that it did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace aiflow {

class ByteCursor {
public:
    explicit ByteCursor(std::span<const std::byte> bytes, bool littleEndian = false) noexcept
        : m_bytes(bytes), m_littleEndian(littleEndian)
    {
    }

    std::size_t position() const noexcept { return m_position; }
    std::size_t left() const noexcept { return m_bytes.size() - m_position; }
    bool pastEnd() const noexcept { return m_pastEnd; }
    std::span<const std::byte> rest() const noexcept { return m_bytes.subspan(m_position); }

    void seek(std::uint64_t position) noexcept
    {
        m_pastEnd = m_pastEnd || position > m_bytes.size();
        m_position = position > m_bytes.size() ? m_bytes.size() : static_cast<std::size_t>(position);
    }
    void skip(std::uint64_t count) noexcept { seek(m_position + count); }
    std::uint32_t number(int bytes) noexcept
    {
        std::uint32_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            const std::uint32_t byte = next();
            value = m_littleEndian ? value | (byte << static_cast<unsigned>(8 * i)) : (value << 8U) | byte;
        }
        return value;
    }
    // The next four characters, as in PNG and RIFF; shorter at the end.
    std::string_view tag() noexcept
    {
        const std::size_t size = left() < 4 ? left() : 4;
        const auto* first = reinterpret_cast<const char*>(m_bytes.data() + m_position);
        skip(4);
        return {first, size};
    }

private:
    std::uint32_t next() noexcept
    {
        if (m_position < m_bytes.size()) return std::to_integer<std::uint32_t>(m_bytes[m_position++]);
        m_pastEnd = true;
        return 0;
    }

    std::span<const std::byte> m_bytes;
    std::size_t m_position = 0;
    bool m_littleEndian = false;
    bool m_pastEnd = false;
};

} // namespace aiflow
