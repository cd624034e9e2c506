// Text measured in the cells of a terminal; the one place of the cli that knows ICU.
#pragma once

#include <string>
#include <string_view>

namespace aiflow::terminal {

// Cells: 2 for wide East Asian characters and emoji, 0 for combining marks, 1 otherwise.
int cellsOf(std::string_view utf8);
// The longest prefix of whole characters (as people see them) within `cells`; ".." (counted) when something was cut.
std::string cut(std::string_view utf8, int cells);
// Exactly `cells` wide: cut, or filled with spaces behind.
std::string pad(std::string_view utf8, int cells);
// At least `cells` wide, filled with spaces in front; never cut: for numbers.
std::string padLeft(std::string_view utf8, int cells);
// What could move the cursor, change colours or the writing direction becomes \n, \t, \x1b, \u202e; bytes that are not
// UTF-8 become \xNN. Doing it twice changes nothing.
std::string harmless(std::string_view text);
// Glyphs outside ASCII become '?': for terminals without UTF-8.
std::string asciiOnly(std::string_view utf8);

} // namespace aiflow::terminal
