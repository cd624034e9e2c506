#include "cli/session/quantities.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aiflow {

std::optional<Quantity> quantityOf(std::string_view text)
{
    Quantity quantity;
    const char* end = text.data() + text.size();
    const auto [rest, code] = std::from_chars(text.data(), end, quantity.value);
    if (code != std::errc() || !std::isfinite(quantity.value) || quantity.value < 0) return std::nullopt;
    quantity.unit = std::string_view(rest, static_cast<std::size_t>(end - rest));
    return quantity;
}

std::optional<std::chrono::milliseconds> durationOf(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity || quantity->value > 1e6) return std::nullopt;
    double seconds = quantity->value;
    if (quantity->unit == "ms")
        seconds /= 1000;
    else if (quantity->unit == "m")
        seconds *= 60;
    else if (quantity->unit == "h")
        seconds *= 3600;
    else if (!quantity->unit.empty() && quantity->unit != "s")
        return std::nullopt;
    if (seconds <= 0) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::optional<std::int64_t> bytesOf(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity || quantity->value > 1e15) return std::nullopt;
    static constexpr std::pair<std::string_view, double> kUnits[]{
        {"", 1.},          {"K", 1024.},       {"KiB", 1024.},      {"M", 1048576.},
        {"MiB", 1048576.}, {"G", 1073741824.}, {"GiB", 1073741824.}};
    for (const auto& [unit, factor] : kUnits)
        if (quantity->unit == unit && quantity->value > 0) return static_cast<std::int64_t>(quantity->value * factor);
    return std::nullopt;
}

std::optional<double> shareOf(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity) return std::nullopt;
    const double share = quantity->unit == "%" ? quantity->value / 100 : quantity->value;
    const bool known = quantity->unit.empty() || quantity->unit == "%";
    return known && share > 0 && share <= 1 ? std::optional(share) : std::nullopt;
}

bool looksLikeMoney(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity) return false;
    std::string_view currency = quantity->unit;
    currency.remove_prefix(std::min(currency.find_first_not_of(' '), currency.size()));
    return currency.size() == 3 && std::ranges::all_of(currency, [](char c) { return c >= 'A' && c <= 'Z'; });
}

} // namespace aiflow
