#include "cli/terminal/cells.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace aiflow::terminal {

namespace {

struct Character {
    UChar32 code = -1; // negative: not UTF-8
    std::size_t bytes = 1;
};

Character characterAt(std::string_view text, std::size_t at)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data() + at);
    const auto left = static_cast<std::int32_t>(std::min<std::size_t>(text.size() - at, 4));
    std::int32_t used = 0;
    Character character;
    U8_NEXT(bytes, used, left, character.code);
    character.bytes = static_cast<std::size_t>(std::max(used, 1));
    return character;
}

bool isWide(UChar32 code)
{
    const int width = u_getIntPropertyValue(code, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH;
}

// Belongs to the character before it: marks, joiners, variation selectors, skin tones.
bool extends(UChar32 code)
{
    const int kind = u_getIntPropertyValue(code, UCHAR_GRAPHEME_CLUSTER_BREAK);
    return kind == U_GCB_EXTEND || kind == U_GCB_ZWJ || kind == U_GCB_SPACING_MARK;
}

struct Cluster {
    std::size_t bytes = 0;
    int cells = 0;
};

// One character as people see it: a base with what extends it, joined emoji, a flag, a Hangul syllable in parts.
Cluster clusterAt(std::string_view text, std::size_t at)
{
    constexpr UChar32 kJoiner = 0x200D;
    const Character base = characterAt(text, at);
    Cluster cluster{base.bytes, 1};
    if (base.code < 0) return cluster;
    cluster.cells = isWide(base.code) ? 2 : extends(base.code) || u_iscntrl(base.code) ? 0 : 1;
    bool joined = false;
    bool flag = u_hasBinaryProperty(base.code, UCHAR_REGIONAL_INDICATOR);
    if (flag) cluster.cells = 2;
    while (at + cluster.bytes < text.size()) {
        const Character next = characterAt(text, at + cluster.bytes);
        if (next.code < 0) break;
        const bool secondOfFlag = flag && u_hasBinaryProperty(next.code, UCHAR_REGIONAL_INDICATOR);
        const bool joins = joined && u_hasBinaryProperty(next.code, UCHAR_EXTENDED_PICTOGRAPHIC);
        const int jamo = u_getIntPropertyValue(next.code, UCHAR_HANGUL_SYLLABLE_TYPE);
        const bool syllable = jamo == U_HST_VOWEL_JAMO || jamo == U_HST_TRAILING_JAMO;
        if (!extends(next.code) && !secondOfFlag && !joins && !syllable) break;
        cluster.bytes += next.bytes;
        joined = next.code == kJoiner;
        flag = false;
    }
    return cluster;
}

bool isPlainAscii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool isDangerous(UChar32 code)
{
    const bool direction =
        (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 || direction;
}

std::string escapeOf(UChar32 code)
{
    if (code == '\n') return "\\n";
    if (code == '\r') return "\\r";
    if (code == '\t') return "\\t";
    char text[16];
    std::snprintf(text, sizeof text, code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
    return text;
}

} // namespace

int cellsOf(std::string_view utf8)
{
    if (isPlainAscii(utf8)) return static_cast<int>(utf8.size());
    int cells = 0;
    for (std::size_t at = 0; at < utf8.size();) {
        const Cluster cluster = clusterAt(utf8, at);
        cells += cluster.cells;
        at += cluster.bytes;
    }
    return cells;
}

std::string cut(std::string_view utf8, int cells)
{
    constexpr std::string_view kMark = "..";
    if (cells <= 0) return {};
    if (cellsOf(utf8) <= cells) return std::string(utf8);
    const int room = cells - static_cast<int>(kMark.size());
    if (room < 1) return std::string(kMark.substr(0, static_cast<std::size_t>(cells)));
    std::size_t at = 0;
    int used = 0;
    while (at < utf8.size()) {
        const Cluster cluster = clusterAt(utf8, at);
        if (used + cluster.cells > room) break;
        used += cluster.cells;
        at += cluster.bytes;
    }
    return std::string(utf8.substr(0, at)).append(kMark);
}

std::string pad(std::string_view utf8, int cells)
{
    std::string text = cut(utf8, cells);
    text.append(static_cast<std::size_t>(std::max(cells - cellsOf(text), 0)), ' ');
    return text;
}

std::string padLeft(std::string_view utf8, int cells)
{
    std::string text(utf8);
    text.insert(0, static_cast<std::size_t>(std::max(cells - cellsOf(text), 0)), ' ');
    return text;
}

std::string harmless(std::string_view text)
{
    if (isPlainAscii(text)) return std::string(text);
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const Character character = characterAt(text, at);
        if (character.code < 0) {
            clean += escapeOf(static_cast<unsigned char>(text[at]));
            ++at;
            continue;
        }
        if (isDangerous(character.code)) {
            clean += escapeOf(character.code);
        } else {
            clean += text.substr(at, character.bytes);
        }
        at += character.bytes;
    }
    return clean;
}

std::string asciiOnly(std::string_view utf8)
{
    if (isPlainAscii(utf8)) return std::string(utf8);
    std::string text;
    for (std::size_t at = 0; at < utf8.size();) {
        const Cluster cluster = clusterAt(utf8, at);
        const bool ascii = cluster.bytes == 1 && static_cast<unsigned char>(utf8[at]) < 0x80;
        text += ascii ? utf8[at] : '?';
        at += cluster.bytes;
    }
    return text;
}

} // namespace aiflow::terminal
