#include "core/api/protocols/parts/retry_hints.h"

#include "core/api/protocols/parts/wire_answer.h"
#include "core/base/clock.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace aiflow {

namespace {

using std::chrono::milliseconds;

constexpr double kLongest = 31.0 * 86'400'000; // ms; what is longer is no hint but a mistake

std::optional<milliseconds> hintFrom(double ms)
{
    if (!std::isfinite(ms) || ms <= 0 || ms > kLongest) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(std::ceil(ms)));
}

// A plain decimal number and nothing else: no sign, no exponent.
std::optional<double> decimalFrom(std::string_view text)
{
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

WallTime moment(int year, int month, int day, int hour, int minute, double second)
{
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    const auto within = std::chrono::hours(hour) + std::chrono::minutes(minute) +
                        std::chrono::microseconds(static_cast<std::int64_t>(second * 1e6));
    return WallTime(std::chrono::sys_days(date)) + std::chrono::duration_cast<std::chrono::microseconds>(within);
}

bool isDate(int year, int month, int day, int hour, int minute, double second)
{
    return year >= 1970 && year < 10'000 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 &&
           hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61;
}

std::optional<WallTime> httpDate(const std::string& text)
{
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4] = {};
    int day = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    const int read = std::sscanf(text.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &day, name, &year,
                                 &hour, &minute, &second);
    const std::size_t month = kMonths.find(name);
    if (read != 6 || month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    const int number = static_cast<int>(month / 3) + 1;
    if (!isDate(year, number, day, hour, minute, second)) return std::nullopt;
    return moment(year, number, day, hour, minute, second);
}

// What follows the seconds: ".5", then "Z" or an offset; nothing: neither of them.
std::optional<std::chrono::minutes> offsetFrom(std::string_view rest)
{
    if (rest.starts_with('.')) {
        const std::size_t digits = rest.find_first_not_of("0123456789", 1);
        rest = digits == std::string_view::npos ? std::string_view() : rest.substr(digits);
    }
    if (rest == "Z" || rest == "z") return std::chrono::minutes(0);
    int hours = 0;
    int minutes = 0;
    const std::string text(rest.substr(0, 8));
    if (text.empty() || (text[0] != '+' && text[0] != '-') ||
        std::sscanf(text.c_str() + 1, "%2d:%2d", &hours, &minutes) != 2)
        return std::nullopt;
    const std::chrono::minutes offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return text[0] == '-' ? -offset : offset;
}

std::optional<WallTime> isoDate(const std::string& text)
{
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) <
            6 ||
        !isDate(year, month, day, hour, minute, second))
        return std::nullopt;
    const std::string rest = text.substr(static_cast<std::size_t>(used));
    const auto offset = offsetFrom(rest);
    if (!offset) return std::nullopt;
    double fraction = 0;
    if (rest.starts_with('.')) fraction = decimalFrom("0" + rest.substr(0, rest.find_first_of("Zz+-"))).value_or(0);
    return moment(year, month, day, hour, minute, second + fraction) - *offset;
}

std::optional<milliseconds> until(WallTime then, const HttpEnd& end)
{
    const auto now = momentFrom(headerOf(end, "date")).value_or(SystemClock().wall());
    return hintFrom(static_cast<double>((then - now).count()) / 1000.0);
}

std::optional<milliseconds> retryAfter(const HttpEnd& end)
{
    const std::string text = headerOf(end, "retry-after");
    if (const auto seconds = decimalFrom(text)) return hintFrom(*seconds * 1000);
    if (const auto then = momentFrom(text)) return until(*then, end);
    return std::nullopt;
}

// A limit's reset as a span, a moment, or seconds since the epoch.
std::optional<milliseconds> resetFrom(const std::string& text, const HttpEnd& end)
{
    if (text.empty()) return std::nullopt;
    if (const auto seconds = decimalFrom(text); seconds && *seconds > 1e9)
        return until(WallTime(std::chrono::microseconds(static_cast<std::int64_t>(std::min(*seconds, 1e11) * 1e6))),
                     end);
    if (const auto span = spanFrom(text)) return hintFrom(static_cast<double>(span->count()));
    if (const auto then = momentFrom(text)) return until(*then, end);
    return std::nullopt;
}

struct LimitHeader {
    LimitUnit unit;
    std::string_view limit, remaining, reset;
};
constexpr std::array kLimitHeaders{
    LimitHeader{LimitUnit::Requests, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests"},
    LimitHeader{LimitUnit::TotalTokens, "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens"},
    LimitHeader{LimitUnit::Requests, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset"},
    LimitHeader{LimitUnit::TotalTokens, "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset"},
    LimitHeader{LimitUnit::InputTokens, "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
    LimitHeader{LimitUnit::OutputTokens, "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
    LimitHeader{LimitUnit::Requests, "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
    LimitHeader{LimitUnit::Requests, "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"},
};

std::optional<std::int64_t> wholeFrom(const std::string& text)
{
    const auto value = decimalFrom(text);
    if (!value || *value > 1e15) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

// Of the limits that are used up the longest wait; when none says so, the shortest there is.
std::optional<milliseconds> resetHint(const HttpEnd& end)
{
    std::optional<milliseconds> usedUp;
    std::optional<milliseconds> shortest;
    for (const LimitHeader& header : kLimitHeaders) {
        const auto reset = resetFrom(headerOf(end, header.reset), end);
        if (!reset) continue;
        if (wholeFrom(headerOf(end, header.remaining)) == 0) usedUp = std::max(usedUp.value_or(*reset), *reset);
        shortest = std::min(shortest.value_or(*reset), *reset);
    }
    return usedUp ? usedUp : shortest;
}

} // namespace

std::optional<milliseconds> spanFrom(std::string_view text)
{
    if (const auto seconds = decimalFrom(text)) return milliseconds(std::llround(std::min(*seconds, 1e12) * 1000));
    double sum = 0;
    bool any = false;
    while (!text.empty()) {
        const std::size_t digits = text.find_first_not_of("0123456789.");
        if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
        const auto value = decimalFrom(text.substr(0, digits));
        text.remove_prefix(digits);
        const std::size_t unitEnd = text.find_first_of("0123456789.");
        const std::string_view unit = text.substr(0, unitEnd);
        text.remove_prefix(unit.size());
        const double factor = unit == "ms"                          ? 1
                              : unit == "s"                         ? 1000
                              : unit == "m"                         ? 60'000
                              : unit == "h"                         ? 3'600'000
                              : unit == "d"                         ? 86'400'000
                              : unit == "us" || unit == "\xC2\xB5s" ? 0.001
                              : unit == "ns"                        ? 0.000001
                                                                    : 0;
        if (!value || factor == 0) return std::nullopt;
        sum += *value * factor;
        any = true;
    }
    if (!any || !std::isfinite(sum) || sum > 1e15) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(std::ceil(sum)));
}

std::optional<WallTime> momentFrom(std::string_view text)
{
    const std::string copy(text.substr(0, 64));
    if (const auto time = httpDate(copy)) return time;
    return isoDate(copy);
}

std::optional<milliseconds> hintOf(const HttpEnd& end)
{
    if (const auto ms = decimalFrom(headerOf(end, "retry-after-ms")))
        if (const auto hint = hintFrom(*ms)) return hint;
    if (const auto hint = retryAfter(end)) return hint;
    return resetHint(end);
}

std::optional<milliseconds> hintInWords(std::string_view message)
{
    for (const std::string_view before : {"try again in ", "retry in ", "retry after "}) {
        const std::size_t found = message.find(before);
        if (found == std::string_view::npos) continue;
        std::string_view rest = message.substr(found + before.size());
        rest = rest.substr(0, rest.find_first_not_of("0123456789.hms"));
        while (rest.ends_with('.')) rest.remove_suffix(1);
        if (const auto span = spanFrom(rest)) return hintFrom(static_cast<double>(span->count()));
    }
    return std::nullopt;
}

std::vector<AttemptEnd::Learnt> learntLimits(const HttpEnd& end, WallTime now)
{
    HttpEnd dated = end;
    if (headerOf(end, "date").empty()) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
        const auto day = std::chrono::floor<std::chrono::days>(seconds);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss time(seconds - day);
        char text[40];
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()));
        dated.headers.emplace_back("date", text);
    }
    std::vector<AttemptEnd::Learnt> learnt;
    for (const LimitHeader& header : kLimitHeaders) {
        AttemptEnd::Learnt one;
        one.unit = header.unit;
        one.limit = wholeFrom(headerOf(end, header.limit));
        one.remaining = wholeFrom(headerOf(end, header.remaining));
        one.resetAfter = resetFrom(headerOf(end, header.reset), dated);
        if (one.limit || one.remaining) learnt.push_back(one);
    }
    return learnt;
}

} // namespace aiflow
