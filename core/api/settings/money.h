// Amounts of money as whole numbers, so that sums are exact: a billionth of a currency's unit is the smallest.
#pragma once

#include "aiflow/result.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace aiflow {

// 10^-9 of a currency's unit: 0.15 USD per million tokens is 150 for one token.
class Nanos {
public:
    constexpr Nanos() noexcept = default;
    constexpr explicit Nanos(std::int64_t count) noexcept : m_count(count) {}
    constexpr std::int64_t count() const noexcept { return m_count; }
    friend constexpr auto operator<=>(Nanos, Nanos) noexcept = default;
    friend constexpr Nanos operator+(Nanos a, Nanos b) noexcept { return Nanos(a.m_count + b.m_count); }
    friend constexpr Nanos operator-(Nanos a, Nanos b) noexcept { return Nanos(a.m_count - b.m_count); }
    constexpr Nanos& operator+=(Nanos other) noexcept
    {
        m_count += other.m_count;
        return *this;
    }
    // In the currency's unit, for people and records.
    constexpr double units() const noexcept { return static_cast<double>(m_count) / 1e9; }

private:
    std::int64_t m_count = 0;
};

struct Money {
    Nanos amount;
    std::string currency; // "USD", "CNY"; empty: nothing has a price
};

// "60CNY", "0.05 USD". ConfigInvalid for anything else, negative or too large (more than 10^9 units).
Result<Money> parseMoney(std::string_view text);
// "0.31 USD"; at least two digits after the point, and as many as it needs.
std::string toText(const Money& money);
// A decimal number of currency units as nanos, rounded half up.
Nanos nanosOf(double units);

// What a model costs. Tokens are priced per million, as providers publish it.
struct Price {
    Nanos inputPerMillion;
    Nanos cachedInputPerMillion; // input tokens that the provider's prompt cache served; 0: as input
    Nanos outputPerMillion;
    Nanos perImage;
    Nanos perCall;
    std::string currency; // empty: unknown price; its cost is shown as unknown
};

// What a call used, as the provider says, or as it was estimated.
struct Usage {
    std::int64_t inputTokens = 0; // with the cached ones
    std::int64_t cachedInputTokens = 0;
    std::int64_t outputTokens = 0;
    std::int64_t images = 0;
    bool estimated = false; // the provider did not say
};

// Rounded up to a whole nano per kind, so that a sum of reservations is never below the bill.
Nanos costOf(const Price& price, const Usage& usage);

} // namespace aiflow
