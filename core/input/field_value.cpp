#include "core/input/field_value.h"

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/input/text_place.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace aiflow {

namespace {

using Kind = Unit::Kind;

constexpr double kInch = 25.4;
constexpr double kPound = 453.59237;
constexpr double kLargestExact = 9007199254740992.0; // 2^53
constexpr std::size_t kLongestNumber = 64;

constexpr auto kUnits = std::to_array<std::pair<std::string_view, Unit>>({
    {"mm", {Kind::Length, 1}},       {"毫米", {Kind::Length, 1}},       {"cm", {Kind::Length, 10}},
    {"厘米", {Kind::Length, 10}},    {"公分", {Kind::Length, 10}},      {"dm", {Kind::Length, 100}},
    {"m", {Kind::Length, 1000}},     {"米", {Kind::Length, 1000}},      {"in", {Kind::Length, kInch}},
    {"inch", {Kind::Length, kInch}}, {"inches", {Kind::Length, kInch}}, {"英寸", {Kind::Length, kInch}},
    {"\"", {Kind::Length, kInch}},   {"g", {Kind::Weight, 1}},          {"克", {Kind::Weight, 1}},
    {"kg", {Kind::Weight, 1000}},    {"千克", {Kind::Weight, 1000}},    {"公斤", {Kind::Weight, 1000}},
    {"lb", {Kind::Weight, kPound}},  {"lbs", {Kind::Weight, kPound}},   {"元", {Kind::Money, 1}},
    {"人民币", {Kind::Money, 1}},    {"rmb", {Kind::Money, 1}},         {"cny", {Kind::Money, 1}},
    {"usd", {Kind::Money, 1}},       {"eur", {Kind::Money, 1}},         {"gbp", {Kind::Money, 1}},
    {"¥", {Kind::Money, 1}},         {"￥", {Kind::Money, 1}},          {"$", {Kind::Money, 1}},
    {"€", {Kind::Money, 1}},         {"£", {Kind::Money, 1}},           {"个", {Kind::Count, 1}},
    {"件", {Kind::Count, 1}},        {"pcs", {Kind::Count, 1}},         {"pc", {Kind::Count, 1}},
});

bool isDigit(char c) { return c >= '0' && c <= '9'; }

FieldProblem notA(std::string_view wanted, std::string_view cell, std::string hint)
{
    return {"expected " + std::string(wanted) + ", found \"" + escapeControl(cutToWidth(cell, 40)) + "\"",
            std::move(hint)};
}

// Takes the digits' groups apart: "1,234.5" gives "1234.5"; nothing when commas stand elsewhere ("12,5").
std::optional<std::string> withoutGroups(std::string_view digits)
{
    std::string plain;
    const std::size_t point = std::min(digits.find('.'), digits.size());
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i] != ',') {
            plain.push_back(digits[i]);
            continue;
        }
        const std::size_t next = std::min(digits.find(',', i + 1), point);
        if (i == 0 || i > point || next != i + 4) return std::nullopt;
    }
    return plain;
}

std::optional<double> plainNumber(std::string_view text)
{
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

struct NumberAndUnit {
    double value;
    std::optional<Unit> unit;
};

// "12.5 cm", "¥1,234", "-3": a number with at most one unit before or behind it.
std::optional<NumberAndUnit> looseNumber(std::string_view cell)
{
    if (cell.size() > kLongestNumber) return std::nullopt;
    std::string text = foldForMatching(cell);
    const auto isNumeric = [](char c) { return isDigit(c) || c == '.' || c == ','; };
    const std::size_t first = static_cast<std::size_t>(std::ranges::find_if(text, isNumeric) - text.begin());
    std::size_t last = first;
    while (last < text.size() && isNumeric(text[last])) ++last;
    std::string_view before = trimSpaces(std::string_view(text).substr(0, first));
    const std::string_view behind = trimSpaces(std::string_view(text).substr(last));
    bool negative = false;
    for (const std::string_view sign : {"-", "+", "−", "–"}) {
        if (!before.ends_with(sign)) continue;
        negative = sign != "+";
        before = trimSpaces(before.substr(0, before.size() - sign.size()));
        break;
    }
    if (!before.empty() && !behind.empty()) return std::nullopt;
    const std::string_view unitText = before.empty() ? behind : before;
    const auto unit = unitFromName(unitText);
    if (!unitText.empty() && !unit) return std::nullopt;
    if (!before.empty() && unit->kind != Kind::Money) return std::nullopt;
    const auto digits = withoutGroups(std::string_view(text).substr(first, last - first));
    const auto value = digits ? plainNumber(*digits) : std::nullopt;
    if (!value) return std::nullopt;
    return NumberAndUnit{negative ? -*value : *value, unit};
}

std::string limitText(double limit)
{
    std::array<char, 32> text{};
    const auto [end, ignored] = std::to_chars(text.data(), text.data() + text.size(), limit);
    return {text.data(), end};
}

tl::expected<FieldValue, FieldProblem> checkNumber(double value, std::string_view cell, const FieldSpec& spec)
{
    const bool whole = std::floor(value) == value && std::abs(value) < kLargestExact;
    if (spec.type == FieldType::Integer && !whole)
        return tl::unexpected(notA("a whole number", cell, "write digits only, for example 12"));
    if (spec.minimum && value < *spec.minimum)
        return tl::unexpected(notA("at least " + limitText(*spec.minimum), cell, {}));
    if (spec.maximum && value > *spec.maximum)
        return tl::unexpected(notA("at most " + limitText(*spec.maximum), cell, {}));
    if (whole) return FieldValue(static_cast<std::int64_t>(value));
    return FieldValue(value);
}

tl::expected<FieldValue, FieldProblem> readNumber(std::string_view cell, const FieldSpec& spec,
                                                  const std::optional<Unit>& from, const std::optional<Unit>& to)
{
    std::optional<NumberAndUnit> number;
    if (const auto plain = plainNumber(cell)) number = NumberAndUnit{*plain, std::nullopt};
    if (!number) number = looseNumber(cell);
    if (!number)
        return tl::unexpected(notA(spec.type == FieldType::Integer ? "a whole number" : "a number", cell,
                                   "write it like 12.5, with a point before the decimals"));
    const std::optional<Unit> given = number->unit ? number->unit : from;
    if (given && to && given->kind != to->kind)
        return tl::unexpected(notA("another unit", cell, "give the number in the unit that the column's name says"));
    // Dividing last keeps 123 mm exactly 12.3 cm.
    if (given && to && given->factor != to->factor) number->value = number->value * given->factor / to->factor;
    return checkNumber(number->value, cell, spec);
}

tl::expected<FieldValue, FieldProblem> readBoolean(std::string_view cell)
{
    static constexpr std::array<std::string_view, 10> kTrue{"true", "yes", "y", "1", "on", "t", "是", "有", "对", "√"};
    static constexpr std::array<std::string_view, 10> kFalse{"false", "no", "n",  "0",    "off",
                                                             "f",     "否", "无", "没有", "×"};
    const std::string folded = foldForMatching(cell);
    if (std::ranges::find(kTrue, folded) != kTrue.end()) return FieldValue(true);
    if (std::ranges::find(kFalse, folded) != kFalse.end()) return FieldValue(false);
    return tl::unexpected(notA("yes or no", cell, "write true or false, yes or no, 1 or 0, 是 or 否"));
}

tl::expected<FieldValue, FieldProblem> readText(std::string_view cell, std::string_view trimmed, const FieldSpec& spec)
{
    if (spec.oneOf.empty()) return FieldValue(spec.type == FieldType::Text ? cell : trimmed);
    const auto exact = std::ranges::find(spec.oneOf, trimmed);
    if (exact != spec.oneOf.end()) return FieldValue(std::string_view(*exact));
    const std::string folded = foldForMatching(trimmed);
    for (const std::string& allowed : spec.oneOf)
        if (foldForMatching(allowed) == folded) return FieldValue(std::string_view(allowed));
    const auto near = nearestWord(trimmed, spec.oneOf);
    return tl::unexpected(notA("one of " + join(spec.oneOf, ", "), trimmed, near ? "did you mean " + *near + "?" : ""));
}

} // namespace

std::optional<Unit> unitFromName(std::string_view folded)
{
    const auto found = std::ranges::find(kUnits, folded, [](const auto& entry) { return entry.first; });
    if (found == kUnits.end()) return std::nullopt;
    return found->second;
}

NameAndUnit splitUnit(std::string_view header)
{
    NameAndUnit parts;
    std::string folded = foldForMatching(header);
    constexpr std::string_view kBreaks = "([/_- ";
    const std::size_t cut = folded.find_last_of(kBreaks);
    if (cut != std::string::npos && cut > 0) {
        std::string unit = folded.substr(cut + 1);
        std::erase_if(unit, [](char c) { return c == ')' || c == ']' || c == ' '; });
        parts.unit = unitFromName(unit);
        if (parts.unit) folded.resize(cut);
    }
    std::erase_if(folded, [&](char c) { return c == ' ' || c == '_' || c == '-' || c == '*' || c == ':'; });
    parts.name = std::move(folded);
    return parts;
}

tl::expected<FieldValue, FieldProblem> readField(std::string_view cell, const FieldSpec& spec,
                                                 const std::optional<Unit>& from, const std::optional<Unit>& to)
{
    const std::string_view trimmed = trimSpaces(cell);
    if (trimmed.empty()) return FieldValue();
    switch (spec.type) {
    case FieldType::Number:
    case FieldType::Integer:
        return readNumber(trimmed, spec, from, to);
    case FieldType::Boolean:
        return readBoolean(trimmed);
    case FieldType::Text:
    case FieldType::Image:
    case FieldType::File:
        break;
    }
    return readText(cell, trimmed, spec);
}

tl::expected<FieldValue, FieldProblem> readField(const Json& value, const FieldSpec& spec,
                                                 const std::optional<Unit>& from, const std::optional<Unit>& to)
{
    if (value.is_null()) return FieldValue();
    if (value.is_string()) return readField(std::string_view(value.get_ref<const std::string&>()), spec, from, to);
    const bool numeric = spec.type == FieldType::Number || spec.type == FieldType::Integer;
    const std::string written = dumpJson(value);
    if (value.is_number() && numeric) return readNumber(written, spec, from, to);
    if (value.is_boolean() && spec.type == FieldType::Boolean) return FieldValue(value.get<bool>());
    const bool textual = !numeric && spec.type != FieldType::Boolean;
    if (textual && (value.is_number() || value.is_boolean())) return FieldValue(written);
    return tl::unexpected(
        notA("a value of type " + std::string(name(spec.type)), written, "write it as a plain JSON value"));
}

std::string_view name(FieldType type) noexcept
{
    switch (type) {
    case FieldType::Text:
        return "text";
    case FieldType::Number:
        return "number";
    case FieldType::Integer:
        return "integer";
    case FieldType::Boolean:
        return "boolean";
    case FieldType::Image:
        return "image";
    case FieldType::File:
        return "file";
    }
    return "text";
}

} // namespace aiflow
