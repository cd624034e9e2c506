// Writes JSON objects and arrays as one line of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Keys are written as they are: plain words only.
class JsonObject {
public:
    JsonObject() = default;
    // Goes on with the members of an object's text.
    explicit JsonObject(std::string_view object);

    JsonObject& text(std::string_view key, std::string_view value);
    // Left out when empty.
    JsonObject& textIfAny(std::string_view key, std::string_view value);
    JsonObject& number(std::string_view key, std::int64_t value);
    // `json` is written as it is.
    JsonObject& raw(std::string_view key, std::string_view json);
    JsonObject& texts(std::string_view key, const std::vector<std::string>& values);

    std::string done() const { return "{" + m_members + "}"; }

private:
    void key(std::string_view key);

    std::string m_members;
};

// With its quotes; bytes that are not UTF-8 become U+FFFD.
std::string jsonString(std::string_view text);

// "[...]" of what `each` makes of every value.
template <typename Range, typename Each> std::string jsonArray(const Range& values, Each each)
{
    std::string text = "[";
    for (const auto& value : values) {
        if (text.size() > 1) text += ',';
        text += each(value);
    }
    return text + "]";
}

} // namespace aiflow
