// Names places inside one record for error messages.
#pragma once

#include "core/input/decoder.h"
#include "core/input/record_reader.h"

#include <algorithm>
#include <string_view>

namespace aiflow {

// Line, column (in characters, from 1) and byte offset in the file of `at` in the record's text.
inline SourcePosition placeInText(std::string_view text, std::size_t at, const InputDescription& description,
                                  const RecordPlace& place)
{
    const std::string_view before = text.substr(0, at);
    SourcePosition where{description.displayName, place.line, 1, place.byteOffset};
    for (std::size_t i = 0; i < before.size(); ++i) {
        const char c = before[i];
        if (c == '\n' && i > 0 && before[i - 1] == '\r') continue;
        if (c == '\n' || c == '\r') {
            ++where.line;
            where.column = 1;
        } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
            ++where.column;
        }
    }
    where.byteOffset += encodedSize(before, description.encoding.encoding);
    return where;
}

// Without ASCII, no-break and full-width spaces at both ends.
inline std::string_view trimSpaces(std::string_view text) noexcept
{
    constexpr std::string_view kAscii = " \t\r\n\v\f";
    for (;;) {
        const std::size_t before = text.size();
        text.remove_prefix(std::min(text.find_first_not_of(kAscii), text.size()));
        while (!text.empty() && kAscii.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
        for (const std::string_view space : {std::string_view("\xE3\x80\x80"), std::string_view("\xC2\xA0")}) {
            if (text.starts_with(space)) text.remove_prefix(space.size());
            if (text.ends_with(space)) text.remove_suffix(space.size());
        }
        if (text.size() == before) return text;
    }
}

} // namespace aiflow
