#include "core/base/text.h"
#include "core/store/output_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>

namespace aiflow {

namespace {

constexpr std::size_t kLongestPart = 199; // leaves room for the mark before a reserved name
constexpr std::size_t kMostParts = 9;

struct Range {
    char32_t first, last;
};

// Invisible, direction-changing, private or unassigned characters, and those that look like a slash.
constexpr std::array<Range, 21> kRefused{
    {{0x80, 0x9F},     {0xAD, 0xAD},     {0x600, 0x605},   {0x61C, 0x61C},   {0x115F, 0x1160}, {0x180B, 0x180E},
     {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2044, 0x2044}, {0x2060, 0x206F}, {0x2215, 0x2216}, {0x29F5, 0x29F9},
     {0x3164, 0x3164}, {0xD800, 0xF8FF}, {0xFDD0, 0xFDEF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFF0F, 0xFF0F},
     {0xFF3C, 0xFF3C}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFF}}};

constexpr std::array<std::string_view, 22> kReserved{"con",  "prn",  "aux",  "nul",  "com1", "com2", "com3", "com4",
                                                     "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3",
                                                     "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"};

bool isAllowedAscii(char c)
{
    constexpr std::string_view kSigns = " ._-()[]+,=@#%";
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kSigns.find(c) != std::string_view::npos;
}

bool isSpace(char32_t c)
{
    return c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isRefused(char32_t c)
{
    return c >= 0xE0000 || std::ranges::any_of(kRefused, [c](Range r) { return c >= r.first && c <= r.last; });
}

// The bytes of the character that begins the text; 0 when it is not valid UTF-8.
std::size_t characterLength(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length <= text.size() && isValidUtf8(text.substr(0, length)) ? length : 0;
}

char32_t codePointOf(std::string_view character)
{
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
    switch (character.size()) {
    case 1:
        return byte(0);
    case 2:
        return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
        return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default:
        return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
    }
}

std::string withAllowedCharacters(std::string_view part)
{
    std::string clean;
    while (!part.empty()) {
        const std::size_t length = characterLength(part);
        const std::string_view character = part.substr(0, std::max<std::size_t>(length, 1));
        const char32_t code = length == 0 ? 0xFFFF : codePointOf(character);
        if (code < 0x80 ? isAllowedAscii(character[0]) : !isRefused(code) && !isSpace(code))
            clean += character;
        else
            clean += isSpace(code) ? ' ' : '_';
        part.remove_prefix(character.size());
    }
    return clean;
}

bool isReserved(std::string_view part)
{
    std::string stem(part.substr(0, part.find('.')));
    while (stem.ends_with(' ')) stem.pop_back();
    std::ranges::transform(stem, stem.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::ranges::find(kReserved, stem) != kReserved.end();
}

void cutAtCharacter(std::string& text, std::size_t size)
{
    while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    if (size < text.size()) text.resize(size);
}

// Of a name that is too long the ending stays: programs go by it.
std::string cutToFit(std::string part)
{
    if (part.size() <= kLongestPart) return part;
    const auto dot = part.rfind('.');
    const bool hasEnding = dot != std::string::npos && dot > 0 && part.size() - dot <= 16;
    const std::string ending = hasEnding ? part.substr(dot) : std::string();
    cutAtCharacter(part, kLongestPart - ending.size());
    return part + ending;
}

// Nothing for a part that names no file: empty, "." and "..".
std::optional<std::string> safePart(std::string_view wished)
{
    if (wished.find_first_not_of("./ ") == std::string_view::npos) return std::nullopt;
    std::string part = cutToFit(normalise(withAllowedCharacters(wished)));
    const auto from = part.find_first_not_of(' ');
    part.erase(0, from == std::string::npos ? part.size() : from);
    while (!part.empty() && (part.back() == ' ' || part.back() == '.')) part.pop_back();
    if (part.empty()) return std::nullopt;
    if (part[0] == '.' || part[0] == '-') part[0] = '_';
    if (isReserved(part)) part.insert(part.begin(), '_');
    return part;
}

} // namespace

std::filesystem::path safeOutputName(std::string_view wished)
{
    std::vector<std::string> parts;
    while (!wished.empty()) {
        const auto slash = wished.find('/');
        if (auto part = safePart(wished.substr(0, slash))) parts.push_back(std::move(*part));
        wished.remove_prefix(slash == std::string_view::npos ? wished.size() : slash + 1);
    }
    if (parts.empty()) return "_";
    // Deeper folders than anybody means: the last ones stay.
    if (parts.size() > kMostParts) parts.erase(parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(kMostParts));
    std::filesystem::path name;
    for (const std::string& part : parts) name /= part;
    return name;
}

} // namespace aiflow
