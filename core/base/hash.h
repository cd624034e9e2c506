// Content hashes: SHA-256 names artifacts and keys; XXH3 is for tables in memory.
#pragma once

#include "aiflow/result.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aiflow {

// A SHA-256 sum: what an artifact, a model file or a cache key is called.
struct ContentHash {
    std::array<std::uint8_t, 32> bytes{};

    std::string hex() const; // 64 lower-case digits
    static std::optional<ContentHash> fromHex(std::string_view text);
    bool isZero() const noexcept;
    friend auto operator<=>(const ContentHash&, const ContentHash&) = default;
};

// Feeds pieces; each piece given to addField() is preceded by its length, so that ("ab","c") differs from ("a","bc").
class Hasher {
public:
    Hasher();
    ~Hasher();
    Hasher(const Hasher&) = delete;
    Hasher& operator=(const Hasher&) = delete;
    Hasher& add(std::span<const std::byte> data);
    Hasher& add(std::string_view text);
    Hasher& addField(std::string_view text);
    Hasher& addField(const ContentHash& hash);
    Hasher& addNumber(std::int64_t value);
    // The sum; the hasher must not be used afterwards.
    ContentHash finish();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

ContentHash sha256(std::span<const std::byte> data);
ContentHash sha256(std::string_view text);
// Reads the file in pieces. InputFieldBad with the path when it cannot be read.
Result<ContentHash> sha256File(const std::filesystem::path& path);
// 64 bits, fast, not for names on disk.
std::uint64_t xxh3(std::string_view text) noexcept;

} // namespace aiflow

template <> struct std::hash<aiflow::ContentHash> {
    std::size_t operator()(const aiflow::ContentHash& content) const noexcept
    {
        std::size_t value = 0;
        for (std::size_t i = 0; i < sizeof(value); ++i) value = (value << 8U) | content.bytes[i];
        return value;
    }
};
