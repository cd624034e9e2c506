#include "core/api/settings/section.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace aiflow {

namespace {

// "aiflow.yaml:12" as a place; a name without a line stays a name.
SourcePosition placeFrom(const std::string& origin)
{
    SourcePosition place;
    const std::size_t colon = origin.rfind(':');
    std::int64_t line = 0;
    if (colon != std::string::npos) {
        const char* last = origin.data() + origin.size();
        const auto [end, error] = std::from_chars(origin.data() + colon + 1, last, line);
        if (error != std::errc{} || end != last) line = 0;
    }
    place.file = line > 0 ? origin.substr(0, colon) : origin;
    place.line = line;
    return place;
}

const Json* memberOf(const Json* object, std::string_view key)
{
    if (object == nullptr || !object->is_object()) return nullptr;
    const auto found = object->find(std::string(key));
    return found == object->end() || found->is_null() ? nullptr : &*found;
}

std::string quotedList(std::initializer_list<std::string_view> words)
{
    std::string text;
    for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

} // namespace

std::optional<SourcePosition> Findings::placeOf(const std::string& path) const
{
    for (std::string at = path; !at.empty();) {
        if (const auto found = m_origins.find(at); found != m_origins.end()) return placeFrom(found->second);
        const auto inner = m_origins.lower_bound(at + ".");
        if (inner != m_origins.end() && inner->first.starts_with(at + ".")) return placeFrom(inner->second);
        const std::size_t dot = at.rfind('.');
        if (dot == std::string::npos) break;
        at.resize(dot);
    }
    return std::nullopt;
}

void Findings::add(const std::string& path, std::string message, std::string hint)
{
    m_errors.push_back(Error{Reason::ConfigInvalid, path + ": " + std::move(message), std::move(hint), placeOf(path)});
}

Section::Section(const Json* value, std::string path, Findings& findings, const Json* preset)
    : m_value(value), m_preset(preset), m_path(std::move(path)), m_findings(findings)
{
    if (m_value == nullptr || m_value->is_null() || m_value->is_object()) return;
    m_findings.add(m_path, "must be a map", "write it as `key: value` lines, indented below its name");
    m_value = nullptr;
}

const Json* Section::find(std::string_view key) const noexcept
{
    const Json* own = memberOf(m_value, key);
    return own != nullptr ? own : memberOf(m_preset, key);
}

Section Section::map(std::string_view key) const
{
    return {memberOf(m_value, key), pathOf(key), m_findings, memberOf(m_preset, key)};
}

Json Section::merged(std::string_view key) const
{
    Json all = Json::object();
    for (const Json* object : {memberOf(m_preset, key), memberOf(m_value, key)})
        if (object != nullptr && object->is_object()) all.update(*object);
    return all;
}

std::vector<std::string> Section::keys() const
{
    std::vector<std::string> names;
    if (m_value != nullptr && m_value->is_object())
        for (const auto& entry : m_value->items()) names.push_back(entry.key());
    return names;
}

void Section::allowOnly(std::initializer_list<std::string_view> allowed) const
{
    const std::vector<std::string> words(allowed.begin(), allowed.end());
    for (const std::string& key : keys()) {
        if (std::ranges::find(words, key) != words.end()) continue;
        const auto near = nearestWord(key, words);
        wrong(key, "is not known here", near ? "did you mean \"" + *near + "\"?" : "there are: " + quotedList(allowed));
    }
}

void Section::wrong(std::string_view key, const std::string& message, const std::string& hint) const
{
    m_findings.add(pathOf(key), message, hint);
}

std::string Section::text(std::string_view key, std::string fallback) const
{
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number()) return dumpJson(*value);
    wrong(key, "must be a text", "write one word or sentence; in quotes when it looks like something else");
    return fallback;
}

std::string Section::oneOf(std::string_view key, std::initializer_list<std::string_view> words,
                           std::string fallback) const
{
    if (!has(key)) return fallback;
    std::string word = text(key);
    if (std::ranges::find(words, word) != words.end()) return word;
    wrong(key, "is not one of the words that are possible here", "write one of: " + quotedList(words));
    return fallback;
}

bool Section::flag(std::string_view key, bool fallback) const
{
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    if (value->is_string()) {
        if (*value == "yes" || *value == "on") return true;
        if (*value == "no" || *value == "off") return false;
    }
    wrong(key, "must be true or false", "write true or false");
    return fallback;
}

std::int64_t Section::integer(std::string_view key, std::int64_t fallback, std::int64_t lowest,
                              std::int64_t highest) const
{
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    const bool fits = value->is_number_integer() && (!value->is_number_unsigned() || *value <= INT64_MAX);
    if (fits && value->get<std::int64_t>() >= lowest && value->get<std::int64_t>() <= highest)
        return value->get<std::int64_t>();
    wrong(key, fmt::format("must be a whole number from {} to {}", lowest, highest), "correct the number");
    return fallback;
}

double Section::number(std::string_view key, double fallback, double lowest, double highest) const
{
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_number() && std::isfinite(value->get<double>()) && value->get<double>() >= lowest &&
        value->get<double>() <= highest)
        return value->get<double>();
    wrong(key, fmt::format("must be a number from {} to {}", lowest, highest), "correct the number");
    return fallback;
}

std::chrono::milliseconds Section::duration(std::string_view key, std::chrono::milliseconds fallback) const
{
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_string())
        if (const auto time = durationFrom(value->get_ref<const std::string&>())) return *time;
    wrong(key, "is no time", "write a time such as 500ms, 30s, 2m or 1h");
    return fallback;
}

std::optional<Money> Section::money(std::string_view key) const
{
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    const auto amount = parseMoney(value->is_string() ? value->get<std::string>() : dumpJson(*value));
    if (amount) return *amount;
    wrong(key, amount.error().message, amount.error().hint);
    return std::nullopt;
}

std::vector<std::string> Section::texts(std::string_view key) const
{
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_array()) return {text(key)};
    std::vector<std::string> list;
    for (const Json& element : *value) {
        if (element.is_string() || element.is_number())
            list.push_back(element.is_string() ? element.get<std::string>() : dumpJson(element));
        else
            wrong(key, "must be a list of texts", "write it as [one, two]");
    }
    return list;
}

std::optional<std::chrono::milliseconds> durationFrom(std::string_view text)
{
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr std::array kUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
    constexpr std::int64_t kYear = 366LL * 86'400'000;
    std::int64_t count = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, count);
    if (error != std::errc{} || count <= 0) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(last - end));
    for (const Unit& known : kUnits)
        if (known.name == unit && count <= kYear / known.milliseconds)
            return std::chrono::milliseconds(count * known.milliseconds);
    return std::nullopt;
}

} // namespace aiflow
