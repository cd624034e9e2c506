#include "core/api/settings/money.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace aiflow {

namespace {

constexpr std::int64_t kNanosPerUnit = 1'000'000'000;
constexpr std::int64_t kMostUnits = 1'000'000'000;

bool isDigit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

// Digits from the front of `text` as a number; no digits, or too many: nothing.
std::optional<std::int64_t> takeDigits(std::string_view& text, std::size_t most)
{
    std::int64_t value = 0;
    std::size_t count = 0;
    while (count < text.size() && isDigit(text[count])) {
        if (count == most) return std::nullopt;
        value = value * 10 + (text[count++] - '0');
    }
    if (count == 0) return std::nullopt;
    text.remove_prefix(count);
    return value;
}

std::optional<std::int64_t> takeFraction(std::string_view& text)
{
    if (text.empty() || text.front() != '.') return 0;
    text.remove_prefix(1);
    const std::size_t before = text.size();
    auto value = takeDigits(text, 9);
    if (value)
        for (std::size_t digits = before - text.size(); digits < 9; ++digits) *value *= 10;
    return value;
}

bool isCurrency(std::string_view text)
{
    if (text.size() != 3) return false;
    for (const char c : text)
        if (c < 'A' || c > 'Z') return false;
    return true;
}

// Count times price per million, up to the next whole nano. Both are far below 2^62, their product is not.
__extension__ using Wide = __int128;

std::int64_t perMillion(std::int64_t count, Nanos price)
{
    if (count <= 0 || price.count() <= 0) return 0;
    const Wide product = static_cast<Wide>(count) * price.count();
    const Wide most = INT64_MAX / 8;
    const Wide rounded = (product + 999'999) / 1'000'000;
    return static_cast<std::int64_t>(rounded < most ? rounded : most);
}

std::int64_t times(std::int64_t count, Nanos price)
{
    if (count <= 0 || price.count() <= 0) return 0;
    const Wide product = static_cast<Wide>(count) * price.count();
    const Wide most = INT64_MAX / 8;
    return static_cast<std::int64_t>(product < most ? product : most);
}

} // namespace

Result<Money> parseMoney(std::string_view text)
{
    const auto refuse = [&] {
        return fail(Reason::ConfigInvalid, "\"" + std::string(text.substr(0, 40)) + "\" is no amount of money",
                    "write a number and a currency, such as 60CNY or 0.05 USD; at most a billion");
    };
    std::string_view rest = trimmed(text);
    const auto units = takeDigits(rest, 10);
    if (!units || *units > kMostUnits) return refuse();
    const auto fraction = takeFraction(rest);
    rest = trimmed(rest);
    if (!fraction || !isCurrency(rest) || (*units == kMostUnits && *fraction > 0)) return refuse();
    return Money{Nanos(*units * kNanosPerUnit + *fraction), std::string(rest)};
}

std::string toText(const Money& money)
{
    const std::int64_t count = money.amount.count();
    const std::uint64_t size = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    char digits[48];
    std::snprintf(digits, sizeof digits, "%s%llu.%09llu", count < 0 ? "-" : "",
                  static_cast<unsigned long long>(size / 1'000'000'000U),
                  static_cast<unsigned long long>(size % 1'000'000'000U));
    std::string text = digits;
    const std::size_t shortest = text.find('.') + 3;
    while (text.size() > shortest && text.back() == '0') text.pop_back();
    return money.currency.empty() ? text : text + " " + money.currency;
}

Nanos nanosOf(double units)
{
    constexpr double kMost = 9e9; // the largest that fits
    if (!std::isfinite(units)) return Nanos(0);
    const double held = units > kMost ? kMost : (units < -kMost ? -kMost : units);
    return Nanos(static_cast<std::int64_t>(std::floor(held * 1e9 + 0.5)));
}

Nanos costOf(const Price& price, const Usage& usage)
{
    const std::int64_t cached =
        usage.cachedInputTokens < usage.inputTokens ? usage.cachedInputTokens : usage.inputTokens;
    const Nanos cachedPrice =
        price.cachedInputPerMillion.count() > 0 ? price.cachedInputPerMillion : price.inputPerMillion;
    return Nanos(perMillion(usage.inputTokens - (cached > 0 ? cached : 0), price.inputPerMillion) +
                 perMillion(cached, cachedPrice) + perMillion(usage.outputTokens, price.outputPerMillion) +
                 times(usage.images, price.perImage) + price.perCall.count());
}

} // namespace aiflow
