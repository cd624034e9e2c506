#include "core/api/transport/spool/base64_text.h"

#include <array>

namespace aiflow {

namespace {

constexpr std::string_view kDataPrefix = "data:";
constexpr std::size_t kLongestPrefix = 256;
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> makeDigits()
{
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    constexpr std::string_view kCommon = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (std::size_t i = 0; i < kCommon.size(); ++i)
        digits[static_cast<unsigned char>(kCommon[i])] = static_cast<std::uint8_t>(i);
    return digits;
}

// The 62 digits that both alphabets have in common.
constexpr std::array<std::uint8_t, 256> kDigits = makeDigits();

int hexValue(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

} // namespace

void Base64Text::reset()
{
    m_place = Place::Start;
    m_start.clear();
    m_escape.clear();
    m_mediaType.clear();
    m_decoded.clear();
    m_group = 0;
    m_groupSize = m_padding = 0;
    m_standard = m_urlSafe = false;
}

Base64Text::Fed Base64Text::feed(std::string_view piece, std::size_t& taken)
{
    for (taken = 0; taken < piece.size(); ++taken) {
        const char next = piece[taken];
        if (!m_escape.empty()) {
            if (!escaped(next)) return Fed::NotBase64;
        } else if (next == '"') {
            return Fed::AtQuote;
        } else if (next == '\\') {
            m_escape = '\\';
        } else if (!letter(next)) {
            return Fed::NotBase64;
        }
    }
    return Fed::All;
}

bool Base64Text::escaped(char next)
{
    m_escape += next;
    if (m_escape[1] != 'u') {
        m_escape.clear();
        if (next == 'n' || next == 'r') return m_place == Place::Digits; // a line break
        return next == '/' && letter('/');
    }
    if (m_escape.size() < 6) return true;
    int code = 0;
    for (const char digit : std::string_view(m_escape).substr(2)) {
        const int value = hexValue(digit);
        if (value < 0) return false;
        code = code * 16 + value;
    }
    m_escape.clear();
    return code > 0x20 && code < 0x7F && letter(static_cast<char>(code));
}

bool Base64Text::letter(char letter)
{
    if (m_place == Place::Digits) return digit(letter);
    return m_place == Place::Start ? startLetter(letter) : prefixLetter(letter);
}

bool Base64Text::startLetter(char letter)
{
    m_start += letter;
    if (kDataPrefix.starts_with(m_start)) {
        if (m_start.size() == kDataPrefix.size()) m_place = Place::Prefix;
        return true;
    }
    m_place = Place::Digits;
    for (const char each : m_start)
        if (!digit(each)) return false;
    return true;
}

bool Base64Text::prefixLetter(char letter)
{
    if (letter != ',') {
        m_start += letter;
        return m_start.size() < kLongestPrefix && letter > 0x20 && letter < 0x7F;
    }
    if (!m_start.ends_with(";base64")) return false;
    m_mediaType = m_start.substr(kDataPrefix.size());
    m_mediaType.resize(m_mediaType.find(';'));
    m_place = Place::Digits;
    return true;
}

bool Base64Text::digit(char letter)
{
    const std::uint8_t value = kDigits[static_cast<unsigned char>(letter)];
    if (value == kNoDigit) return special(letter);
    push(value);
    return m_padding == 0;
}

bool Base64Text::special(char letter)
{
    if (letter == '=') return ++m_padding <= 2;
    const bool standard = letter == '+' || letter == '/';
    const bool urlSafe = letter == '-' || letter == '_';
    m_standard = m_standard || standard;
    m_urlSafe = m_urlSafe || urlSafe;
    push(letter == '+' || letter == '-' ? 62 : 63);
    return (standard || urlSafe) && !(m_standard && m_urlSafe) && m_padding == 0;
}

void Base64Text::push(std::uint32_t value)
{
    m_group = (m_group << 6U) | value;
    if (++m_groupSize < 4) return;
    const std::array<std::byte, 3> bytes = {static_cast<std::byte>(m_group >> 16U),
                                            static_cast<std::byte>(m_group >> 8U), static_cast<std::byte>(m_group)};
    m_decoded.insert(m_decoded.end(), bytes.begin(), bytes.end());
    m_groupSize = 0;
}

bool Base64Text::finish()
{
    if (m_place != Place::Digits || !m_escape.empty() || m_groupSize == 1) return false;
    if (m_padding > 0 && m_groupSize + m_padding != 4) return false;
    if (m_groupSize == 2) m_decoded.push_back(static_cast<std::byte>(m_group >> 4U));
    if (m_groupSize == 3) {
        m_decoded.push_back(static_cast<std::byte>(m_group >> 10U));
        m_decoded.push_back(static_cast<std::byte>(m_group >> 2U));
    }
    m_groupSize = 0;
    return true;
}

} // namespace aiflow
