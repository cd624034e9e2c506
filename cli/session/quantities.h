// Reads amounts as people type them: times, sizes, shares, money.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

struct Quantity {
    double value = 0;
    std::string_view unit; // what follows the number, as it stands
};

// A number that is not negative, and what follows it; nothing when it does not begin with one.
std::optional<Quantity> quantityOf(std::string_view text);
// "500ms", "30s", "2m", "1h", "90"; more than nothing.
std::optional<std::chrono::milliseconds> durationOf(std::string_view text);
// "512MiB", "2G", "1048576".
std::optional<std::int64_t> bytesOf(std::string_view text);
// "0.3" or "30%": more than nothing, all at most.
std::optional<double> shareOf(std::string_view text);
// "60CNY", "0.5 USD": an amount and three capital letters. The core reads it again; this only helps to word mistakes.
bool looksLikeMoney(std::string_view text);

} // namespace aiflow
