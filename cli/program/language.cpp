#include "cli/program/language.h"

#include <cstdlib>

namespace aiflow {

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
