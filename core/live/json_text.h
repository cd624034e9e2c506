// Writes one JSON object as text, member by member: for event lines, where a tree would cost more than the event.
#pragma once

#include "aiflow/messages.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aiflow {

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void appendJsonString(std::string& out, std::string_view text);

// Keys are written as they are: plain words only.
class JsonText {
public:
    JsonText& text(std::string_view key, std::string_view value);
    // Left out when empty.
    JsonText& textIfAny(std::string_view key, std::string_view value);
    JsonText& number(std::string_view key, std::int64_t value);
    JsonText& flag(std::string_view key, bool value);
    // Left out when nothing was spent.
    JsonText& moneyIfAny(std::string_view key, const MoneyAmount& money);
    // `json` is written as it is.
    JsonText& raw(std::string_view key, std::string_view json);
    // `"key":value,...` without braces.
    const std::string& members() const { return m_text; }
    std::string object() const { return '{' + m_text + '}'; }

private:
    void key(std::string_view key);

    std::string m_text;
};

} // namespace aiflow
