// The two languages that the program speaks, and pairs of sentences in both.
#pragma once

#include "cli/terminal/look.h"

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

using terminal::Language;

struct Text {
    std::string_view en;
    std::string_view zh;

    constexpr std::string_view in(Language language) const noexcept { return language == Language::Chinese ? zh : en; }
};

// A value in a sentence.
class Filling {
public:
    Filling(std::string_view text) : m_text(text) {}
    Filling(const std::string& text) : m_text(text) {}
    Filling(const char* text) : m_text(text) {}
    Filling(std::integral auto number) : m_text(std::to_string(number)) {}
    const std::string& text() const noexcept { return m_text; }

private:
    std::string m_text;
};

// The values at the places of {}, in their order.
std::string fill(std::string_view pattern, std::initializer_list<Filling> values);

// "en", "zh", "zh_CN.UTF-8"; nothing for any other language.
std::optional<Language> languageOf(std::string_view name) noexcept;
// From LC_ALL, LC_MESSAGES, LANG, the first that is set; English when none says Chinese.
Language languageOfEnvironment() noexcept;

} // namespace aiflow
