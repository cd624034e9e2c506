#include "core/api/offline_answers.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>

namespace aiflow {

namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxSide = 8192;

// One number per place in the answer, so that neighbouring fields differ.
std::uint64_t mix(std::uint64_t seed, std::string_view place)
{
    return xxh3(std::to_string(seed) + "/" + std::string(place));
}

std::string textOf(const Json& request, const char* field)
{
    const auto found = request.find(field);
    if (found == request.end()) return {};
    return found->is_string() ? found->get<std::string>() : dumpJson(*found);
}

std::size_t charactersOf(const std::string& utf8)
{
    return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xc0) != 0x80; }));
}

class SchemaFiller {
public:
    SchemaFiller(const Json& root, std::string words) : m_root(root), m_words(std::move(words)) {}
    Json fill(const Json& schema, std::uint64_t seed, int depth) const;

private:
    const Json* resolved(const Json& schema) const;
    Json object(const Json& schema, std::uint64_t seed, int depth) const;
    Json array(const Json& schema, std::uint64_t seed, int depth) const;
    Json text(const Json& schema, std::uint64_t seed) const;
    static Json number(const Json& schema, std::uint64_t seed, bool whole);
    static std::string typeOf(const Json& schema);

    const Json& m_root;
    std::string m_words;
};

// Follows "$ref": "#/definitions/x"; other references stay unresolved.
const Json* SchemaFiller::resolved(const Json& schema) const
{
    const auto ref = schema.find("$ref");
    if (ref == schema.end() || !ref->is_string()) return &schema;
    const auto& text = ref->get_ref<const std::string&>();
    if (text.empty() || text[0] != '#') return &schema;
    try {
        return &m_root.at(Json::json_pointer(text.substr(1)));
    } catch (const Json::exception&) {
        return &schema;
    }
}

std::string SchemaFiller::typeOf(const Json& schema)
{
    const auto type = schema.find("type");
    if (type != schema.end() && type->is_string()) return type->get<std::string>();
    if (type != schema.end() && type->is_array() && !type->empty() && type->front().is_string())
        return type->front().get<std::string>();
    if (schema.contains("properties")) return "object";
    if (schema.contains("items")) return "array";
    if (schema.contains("minimum") || schema.contains("maximum")) return "number";
    return "string";
}

Json SchemaFiller::fill(const Json& given, std::uint64_t seed, int depth) const
{
    if (!given.is_object() || depth > kMaxDepth) return nullptr;
    const Json& schema = *resolved(given);
    if (!schema.is_object()) return nullptr;
    if (const auto fixed = schema.find("const"); fixed != schema.end()) return *fixed;
    if (const auto choices = schema.find("enum"); choices != schema.end() && choices->is_array() && !choices->empty())
        return (*choices)[seed % choices->size()];
    for (const char* key : {"anyOf", "oneOf"})
        if (const auto any = schema.find(key); any != schema.end() && any->is_array() && !any->empty())
            return fill(any->front(), seed, depth + 1);
    const std::string type = typeOf(schema);
    if (type == "object") return object(schema, seed, depth);
    if (type == "array") return array(schema, seed, depth);
    if (type == "integer" || type == "number") return number(schema, seed, type == "integer");
    if (type == "boolean") return seed % 2 == 0;
    if (type == "null") return nullptr;
    return text(schema, seed);
}

Json SchemaFiller::object(const Json& schema, std::uint64_t seed, int depth) const
{
    Json made = Json::object();
    const Json fields = schema.value("properties", Json::object());
    const Json required = schema.value("required", Json::array());
    const auto isRequired = [&](const std::string& key) {
        return std::ranges::find(required, Json(key)) != required.end();
    };
    for (const auto& [key, field] : fields.items())
        // A schema that names itself would never end: beyond a few levels only what must be there is made.
        if (depth < 4 || isRequired(key)) made[key] = fill(field, mix(seed, key), depth + 1);
    for (const Json& key : required)
        if (key.is_string() && !made.contains(key.get<std::string>())) made[key.get<std::string>()] = m_words;
    return made;
}

Json SchemaFiller::array(const Json& schema, std::uint64_t seed, int depth) const
{
    const auto limit = [&](const char* key, std::int64_t fallback) {
        const auto found = schema.find(key);
        return found != schema.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
    };
    const std::int64_t lowest = std::clamp<std::int64_t>(limit("minItems", 0), 0, 1000);
    const std::int64_t count = std::min(std::max<std::int64_t>(lowest, 2), std::max(lowest, limit("maxItems", 1000)));
    Json made = Json::array();
    const Json items = schema.value("items", Json::object());
    for (std::int64_t i = 0; i < count; ++i) {
        const Json& one =
            items.is_array() && !items.empty() ? items[std::min(static_cast<std::size_t>(i), items.size() - 1)] : items;
        made.push_back(fill(one, mix(seed, std::to_string(i)), depth + 1));
    }
    return made;
}

Json SchemaFiller::number(const Json& schema, std::uint64_t seed, bool whole)
{
    const auto limit = [&](const char* key) -> std::optional<double> {
        const auto found = schema.find(key);
        return found != schema.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
    };
    double lowest = limit("minimum").value_or(0);
    if (const auto above = limit("exclusiveMinimum")) lowest = whole ? std::floor(*above) + 1 : *above + 0.001;
    double highest = limit("maximum").value_or(std::max(lowest, 0.0) + 10);
    if (const auto below = limit("exclusiveMaximum")) highest = whole ? std::ceil(*below) - 1 : *below - 0.001;
    lowest = std::min(lowest, highest);
    const double share = static_cast<double>(seed % 1000) / 1000;
    const double step = limit("multipleOf").value_or(0);
    double value = lowest + (highest - lowest) * share;
    if (step > 0) value = std::max(std::ceil(lowest / step), std::floor(value / step)) * step;
    if (!whole) return step > 0 ? value : std::clamp(std::round(value * 1000) / 1000, lowest, highest);
    return static_cast<std::int64_t>(std::clamp(std::floor(value), std::ceil(lowest), std::floor(highest)));
}

Json SchemaFiller::text(const Json& schema, std::uint64_t seed) const
{
    const std::string format = schema.value("format", "");
    if (format == "date") return "2026-01-01";
    if (format == "date-time") return "2026-01-01T00:00:00Z";
    if (format == "uri") return "https://offline.invalid/";
    if (format == "email") return "offline@offline.invalid";
    std::string made = fmt::format("[offline {:04x}] {}", seed & 0xffffU, m_words);
    const Json longest = schema.value("maxLength", Json());
    const Json shortest = schema.value("minLength", Json());
    if (shortest.is_number_unsigned())
        while (charactersOf(made) < shortest.get<std::size_t>() && made.size() < 100'000) made += " .";
    if (longest.is_number_unsigned() && charactersOf(made) > longest.get<std::size_t>())
        made = std::string("offline").substr(0, longest.get<std::size_t>());
    return made;
}

std::string escapeXml(const std::string& text)
{
    std::string safe;
    for (const char c : text) {
        if (c == '&')
            safe += "&amp;";
        else if (c == '<')
            safe += "&lt;";
        else if (c == '>')
            safe += "&gt;";
        else if (c == '"')
            safe += "&quot;";
        else
            safe += c;
    }
    return safe;
}

std::pair<int, int> sidesOf(const std::string& size)
{
    int width = 0;
    int height = 0;
    char rest = 0;
    const bool good = std::sscanf(size.c_str(), "%5dx%5d%c", &width, &height, &rest) == 2;
    if (!good || width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) return {1024, 1024};
    return {width, height};
}

} // namespace

std::string firstWords(const std::string& prompt, int cells)
{
    std::string line;
    for (const char c : prompt) {
        const bool space = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
        if (!space)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return cutToWidth(line, cells);
}

Json offlineValue(const Json& schema, const std::string& words, std::uint64_t seed)
{
    return SchemaFiller(schema, words).fill(schema, seed, 0);
}

Json offlineText(const Json& request, std::uint64_t seed)
{
    const std::string words = firstWords(textOf(request, "prompt"), 60);
    if (const auto schema = request.find("schema"); schema != request.end() && schema->is_object())
        return offlineValue(*schema, words, seed);
    return {{"text", fmt::format("[offline {:04x}] No service was asked. The request began: {}", seed & 0xffffU,
                                 words.empty() ? "(nothing)" : words)}};
}

std::string offlinePicture(const std::string& prompt, const std::string& size, std::uint64_t seed)
{
    const auto [width, height] = sidesOf(size);
    const auto hue = seed % 360;
    const int letter = std::max(8, std::min(width, height) / 24);
    const auto x = static_cast<std::int64_t>(width) * static_cast<std::int64_t>(20 + seed / 360 % 60) / 100;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n"
        "<defs><linearGradient id=\"wall\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">"
        "<stop offset=\"0\" stop-color=\"hsl({2},30%,88%)\"/><stop offset=\"1\" stop-color=\"hsl({2},26%,72%)\"/>"
        "</linearGradient></defs>\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"url(#wall)\"/>\n"
        "<rect y=\"{3}\" width=\"{0}\" height=\"{4}\" fill=\"hsl({2},22%,60%)\"/>\n"
        "<circle cx=\"{5}\" cy=\"{6}\" r=\"{7}\" fill=\"hsl({8},34%,80%)\"/>\n"
        "<text x=\"{9}\" y=\"{10}\" font-family=\"sans-serif\" font-size=\"{9}\" fill=\"#333333\">offline</text>\n"
        "<text x=\"{9}\" y=\"{11}\" font-family=\"sans-serif\" font-size=\"{9}\" fill=\"#333333\">{12}</text>\n"
        "</svg>\n",
        width, height, hue, height * 3 / 4, height - height * 3 / 4, x, height / 3, std::min(width, height) / 8,
        (hue + 40) % 360, letter, letter * 2, height - letter, escapeXml(firstWords(prompt, 36)));
}

} // namespace aiflow
