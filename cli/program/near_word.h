// Finds the word that was meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aiflow {

// The candidate with the fewest slips (a letter wrong, missing, too many, or two swapped); nothing when it takes more
// than a third of the word.
std::optional<std::string> wordMeant(std::string_view typed, std::span<const std::string> candidates);

} // namespace aiflow
