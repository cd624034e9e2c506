// Unicode text as people see it: widths in cells, safe cutting, near words, folding of full-width forms.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

bool isValidUtf8(std::string_view text) noexcept;
// Cells that a terminal uses: 2 for wide East Asian characters and emoji, 0 for combining marks, 1 otherwise.
int displayWidth(std::string_view utf8);
// The longest prefix of whole grapheme clusters within `cells`; appends `mark` (counted) when something was cut.
std::string cutToWidth(std::string_view utf8, int cells, std::string_view mark = "..");
// Pads with spaces to `cells`; longer texts are cut.
std::string padToWidth(std::string_view utf8, int cells);
// Full-width forms to ASCII, case folded, outer spaces off, inner runs of spaces to one: for comparing, not for
// showing.
std::string foldForMatching(std::string_view utf8);
// Canonical composition (NFC).
std::string normalise(std::string_view utf8);
// The candidate nearest to a mistyped word (Damerau-Levenshtein), if it is near enough to be meant.
std::optional<std::string> nearestWord(std::string_view word, std::span<const std::string> candidates);
std::string join(std::span<const std::string> parts, std::string_view separator);
// Control characters as \xNN, so that a log line or a terminal cannot be tricked.
std::string escapeControl(std::string_view text);

} // namespace aiflow
