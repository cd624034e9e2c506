#include "cli/program/language.h"

#include <cstdlib>

namespace aiflow {

std::string fill(std::string_view pattern, std::initializer_list<Filling> values)
{
    std::string text;
    for (const Filling& value : values) {
        const auto place = pattern.find("{}");
        if (place == std::string_view::npos) break;
        text.append(pattern.substr(0, place)).append(value.text());
        pattern.remove_prefix(place + 2);
    }
    return text.append(pattern);
}

std::optional<Language> languageOf(std::string_view name) noexcept
{
    if (name.starts_with("zh")) return Language::Chinese;
    if (name.starts_with("en")) return Language::English;
    return std::nullopt;
}

Language languageOfEnvironment() noexcept
{
    for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        const char* value = std::getenv(variable);
        if (value && *value) return languageOf(value).value_or(Language::English);
    }
    return Language::English;
}

} // namespace aiflow
