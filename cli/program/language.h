// The two languages that the program speaks, and pairs of sentences in both.
#pragma once

#include "cli/terminal/look.h"

#include <optional>
#include <string_view>

namespace aiflow {

using terminal::Language;

struct Text {
    std::string_view en;
    std::string_view zh;

    constexpr std::string_view in(Language language) const noexcept { return language == Language::Chinese ? zh : en; }
};

// "en", "zh", "zh_CN.UTF-8"; nothing for any other language.
std::optional<Language> languageOf(std::string_view name) noexcept;
// From LC_ALL, LC_MESSAGES, LANG, the first that is set; English when none says Chinese.
Language languageOfEnvironment() noexcept;

} // namespace aiflow
