// Tells while the bytes of a JSON string arrive whether it is base64, and decodes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Takes the string as it stands in JSON, escapes and all, in any pieces: standard or URL-safe alphabet, with or without
// padding and line breaks, with or without "data:<type>;base64," before it. Threads: one.
class Base64Text {
public:
    enum class Fed : std::uint8_t { All, AtQuote, NotBase64 };
    // `taken` bytes of the piece were read. AtQuote: the string's closing quote is the next byte.
    Fed feed(std::string_view piece, std::size_t& taken);
    // At the closing quote: whether the whole was base64. The last bytes are in decoded() then.
    bool finish();
    void reset();

    std::vector<std::byte>& decoded() noexcept { return m_decoded; } // whoever takes the bytes out clears it
    const std::string& mediaType() const noexcept { return m_mediaType; }

private:
    enum class Place : std::uint8_t { Start, Prefix, Digits };
    bool escaped(char letter);
    bool letter(char letter);
    bool startLetter(char letter);
    bool prefixLetter(char letter);
    bool digit(char letter);
    bool special(char letter);
    void push(std::uint32_t value);

    Place m_place = Place::Start;
    std::string m_start; // the beginning, until it is known whether it is "data:"; then the prefix
    std::string m_escape;
    std::string m_mediaType;
    std::vector<std::byte> m_decoded;
    std::uint32_t m_group = 0;
    int m_groupSize = 0;
    int m_padding = 0;
    bool m_standard = false; // '+' or '/' was seen
    bool m_urlSafe = false;  // '-' or '_' was seen
};

} // namespace aiflow
