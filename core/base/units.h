// Sizes as a type of their own, so that bytes and counts cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace aiflow {

class Bytes {
public:
    constexpr Bytes() noexcept = default;
    constexpr explicit Bytes(std::int64_t count) noexcept : m_count(count) {}
    constexpr std::int64_t count() const noexcept { return m_count; }
    friend constexpr auto operator<=>(Bytes, Bytes) noexcept = default;
    constexpr Bytes& operator+=(Bytes other) noexcept
    {
        m_count += other.m_count;
        return *this;
    }
    constexpr Bytes& operator-=(Bytes other) noexcept
    {
        m_count -= other.m_count;
        return *this;
    }
    friend constexpr Bytes operator+(Bytes a, Bytes b) noexcept { return Bytes(a.m_count + b.m_count); }
    friend constexpr Bytes operator-(Bytes a, Bytes b) noexcept { return Bytes(a.m_count - b.m_count); }

private:
    std::int64_t m_count = 0;
};

constexpr Bytes kibibytes(std::int64_t n) noexcept { return Bytes(n * 1024); }
constexpr Bytes mebibytes(std::int64_t n) noexcept { return Bytes(n * 1024 * 1024); }
constexpr Bytes gibibytes(std::int64_t n) noexcept { return Bytes(n * 1024 * 1024 * 1024); }

// "512 B", "1.4 MiB": for people.
std::string toText(Bytes size);

} // namespace aiflow
