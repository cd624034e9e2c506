#include "core/api/protocols/answer_check.h"

#include "core/base/json.h"
#include "core/base/schema/json_schema.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

constexpr int kMostCandidates = 64;            // beginnings of values that are tried; more are chatter
constexpr std::size_t kMostScanned = 16 << 20; // bytes that are looked at for them in all
constexpr std::size_t kMostMistakes = 10;

std::string_view trimmed(std::string_view text)
{
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What stands between a fence's line and the closing fence.
std::vector<std::string_view> fenced(std::string_view text)
{
    std::vector<std::string_view> found;
    for (std::size_t open = text.find("```"); open != std::string_view::npos && found.size() < 8;) {
        const std::size_t start = text.find('\n', open);
        if (start == std::string_view::npos) break;
        const std::size_t close = text.find("```", start);
        if (close == std::string_view::npos) break;
        found.push_back(trimmed(text.substr(start, close - start)));
        open = text.find("```", close + 3);
    }
    return found;
}

// The length of the object or array that begins `text`, brackets within strings left out; 0: it does not end.
std::size_t lengthOfValue(std::string_view text)
{
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

std::vector<std::string_view> embedded(std::string_view text)
{
    std::vector<std::string_view> found;
    std::size_t from = 0;
    std::size_t scanned = 0;
    for (int tries = 0; tries < kMostCandidates && scanned < kMostScanned; ++tries) {
        const std::size_t start = text.find_first_of("{[", from);
        if (start == std::string_view::npos) break;
        const std::size_t length = lengthOfValue(text.substr(start));
        scanned += length > 0 ? length : text.size() - start;
        if (length > 0) found.push_back(text.substr(start, length));
        from = start + 1;
    }
    return found;
}

bool isFinite(const Json& value)
{
    if (value.is_number_float()) return std::isfinite(value.get<double>());
    if (!value.is_structured()) return true;
    return std::ranges::all_of(value, [](const Json& member) { return isFinite(member); });
}

// The best of what was tried: the first value that is JSON at all tells what is wrong.
class Search {
public:
    explicit Search(const JsonSchema& schema) : m_schema(schema) {}

    bool tryText(std::string_view text)
    {
        if (text.empty()) return false;
        auto value = parseJson(text);
        if (!value) {
            if (m_parseMistake.empty()) m_parseMistake = value.error().message;
            return false;
        }
        std::vector<std::string> mistakes = isFinite(*value) ? m_schema.misfits(*value, kMostMistakes)
                                                             : std::vector<std::string>{"a number in it is not finite"};
        if (mistakes.empty()) {
            m_found = std::make_shared<Json>(std::move(*value));
            return true;
        }
        if (m_mistakes.empty()) m_mistakes = std::move(mistakes);
        return false;
    }
    CheckedAnswer result()
    {
        CheckedAnswer checked;
        checked.value = std::move(m_found);
        if (checked.value) return checked;
        checked.mistakes = std::move(m_mistakes);
        if (checked.mistakes.empty()) checked.mistakes.push_back("there is no JSON value in it: " + m_parseMistake);
        return checked;
    }

private:
    const JsonSchema& m_schema;
    std::shared_ptr<Json> m_found;
    std::vector<std::string> m_mistakes;
    std::string m_parseMistake;
};

bool anyFits(Search& search, const std::vector<std::string_view>& candidates)
{
    return std::ranges::any_of(candidates, [&](std::string_view text) { return search.tryText(text); });
}

} // namespace

CheckedAnswer checkAnswer(std::string_view text, const Json& schema)
{
    const auto compiled = JsonSchema::compile(schema);
    if (!compiled) return {nullptr, {"the schema itself cannot be used: " + compiled.error().message}};
    const std::string_view bare = trimmed(text);
    Search search(**compiled);
    if (bare.empty()) return {nullptr, {"the answer is empty"}};
    const bool found = search.tryText(bare) || anyFits(search, fenced(bare)) || anyFits(search, embedded(bare));
    static_cast<void>(found);
    return search.result();
}

} // namespace aiflow
