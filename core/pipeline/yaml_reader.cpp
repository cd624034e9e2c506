#include "core/pipeline/yaml_reader.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace aiflow {

namespace {

std::string inQuotes(const std::string& word) { return '"' + cutToWidth(word, 60) + '"'; }

std::optional<bool> flagOf(const YamlNode& node)
{
    if (node.kind != YamlNode::Kind::Scalar || node.quoted) return std::nullopt;
    const std::string word = foldForMatching(node.text);
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> durationOf(const std::string& text)
{
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr std::array kUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
    std::int64_t count = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, count);
    if (error != std::errc{} || count <= 0 || count > 1'000'000'000) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(last - end));
    for (const Unit& known : kUnits)
        if (known.name == unit) return std::chrono::milliseconds(count * known.milliseconds);
    return std::nullopt;
}

} // namespace

void Problems::add(YamlPlace place, std::string message, std::string hint)
{
    Error error{m_reason, std::move(message), std::move(hint), std::nullopt};
    error.where = SourcePosition{m_file, place.line, place.column, -1};
    m_errors.push_back(std::move(error));
}

std::string Problems::describe(const YamlNode& node) const
{
    return m_hidesValues && node.kind == YamlNode::Kind::Scalar ? "a text" : describeYaml(node);
}

std::string suggestion(const std::string& word, std::span<const std::string> candidates)
{
    const auto near = word.size() < 2 ? std::nullopt : nearestWord(word, candidates);
    if (near) return "; did you mean " + inQuotes(*near) + "?";
    if (candidates.empty()) return "; there are none";
    if (candidates.size() > 20) return {};
    return (candidates.size() == 1 ? "; there is: " : "; there are: ") + join(candidates, ", ");
}

void Problems::unknown(YamlPlace place, const std::string& what, const std::string& word,
                       std::span<const std::string> candidates)
{
    add(place, "unknown " + what + " " + inQuotes(word) + suggestion(word, candidates));
}

void Problems::moveTo(std::size_t first, const SourcePosition& where)
{
    for (std::size_t i = first; i < m_errors.size(); ++i) m_errors[i].where = where;
}

std::vector<Error> Problems::take()
{
    const auto key = [](const Error& error) {
        const SourcePosition where = error.where.value_or(SourcePosition{});
        return std::pair(where.line, where.column);
    };
    std::ranges::stable_sort(m_errors, {}, key);
    return std::exchange(m_errors, {});
}

MapReader::MapReader(const YamlNode& node, std::string what, std::span<const std::string_view> keys, Problems& problems)
    : m_node(node), m_what(std::move(what)), m_problems(problems)
{
    if (!isMap()) {
        m_problems.add(node.place, m_what + " must be a map, not " + m_problems.describe(node));
        return;
    }
    const std::vector<std::string> known(keys.begin(), keys.end());
    for (const YamlEntry& entry : node.entries) {
        if (const YamlEntry* first = find(entry.key); first != &entry)
            m_problems.add(entry.place, "key " + inQuotes(entry.key) + " stands twice in " + m_what +
                                            "; the first is on line " + std::to_string(first->place.line));
        else if (!known.empty() && std::ranges::find(known, entry.key) == known.end())
            m_problems.add(entry.place,
                           "unknown key " + inQuotes(entry.key) + " in " + m_what + suggestion(entry.key, known));
    }
}

const YamlEntry* MapReader::find(std::string_view key) const noexcept
{
    const auto it = std::ranges::find_if(m_node.entries, [&](const YamlEntry& entry) { return entry.key == key; });
    return it == m_node.entries.end() ? nullptr : &*it;
}

std::vector<const YamlEntry*> MapReader::entries() const
{
    std::vector<const YamlEntry*> firsts;
    for (const YamlEntry& entry : m_node.entries)
        if (find(entry.key) == &entry) firsts.push_back(&entry);
    return firsts;
}

void MapReader::wrongType(const YamlEntry& entry, const std::string& expected) const
{
    m_problems.add(entry.value->kind == YamlNode::Kind::Null ? entry.place : entry.value->place,
                   inQuotes(entry.key) + " of " + m_what + " must be " + expected + ", not " +
                       m_problems.describe(*entry.value));
}

std::string MapReader::text(std::string_view key, std::string fallback) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return fallback;
    if (entry->value->kind == YamlNode::Kind::Scalar && !entry->value->text.empty()) return entry->value->text;
    wrongType(*entry, "text");
    return fallback;
}

bool MapReader::flag(std::string_view key, bool fallback) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return fallback;
    if (const auto value = flagOf(*entry->value)) return *value;
    wrongType(*entry, "on or off");
    return fallback;
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t fallback, std::int64_t lowest,
                                std::int64_t highest) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return fallback;
    const Json value = yamlToJson(*entry->value);
    if (value.is_number_integer() && value.get<std::int64_t>() >= lowest && value.get<std::int64_t>() <= highest)
        return value.get<std::int64_t>();
    wrongType(*entry, "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
    return fallback;
}

std::optional<double> MapReader::number(std::string_view key) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    const Json value = yamlToJson(*entry->value);
    if (value.is_number()) return value.get<double>();
    wrongType(*entry, "a number");
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> MapReader::duration(std::string_view key) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    if (entry->value->kind == YamlNode::Kind::Scalar)
        if (const auto value = durationOf(entry->value->text)) return value;
    wrongType(*entry, "a time such as 500ms, 30s, 2m or 1h");
    return std::nullopt;
}

std::vector<std::string> MapReader::texts(std::string_view key) const
{
    const YamlEntry* entry = find(key);
    if (entry == nullptr) return {};
    if (entry->value->kind == YamlNode::Kind::Scalar) return {entry->value->text};
    std::vector<std::string> found;
    bool good = entry->value->kind == YamlNode::Kind::List;
    for (const YamlPtr& element : entry->value->elements) {
        good = good && element->kind == YamlNode::Kind::Scalar;
        found.push_back(element->text);
    }
    if (!good) wrongType(*entry, "a list of texts");
    return good ? found : std::vector<std::string>{};
}

} // namespace aiflow
