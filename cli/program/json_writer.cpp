#include "cli/program/json_writer.h"

namespace aiflow {

namespace {

// Bytes of the well-formed UTF-8 character at the start of `text`; 0 when there is none.
std::size_t characterAt(std::string_view text)
{
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (length == 0 || first >= 0xF5 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0U) != 0x80U) return 0;
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    const unsigned second = byte(1);
    const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                       (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return wrong ? 0 : length;
}

void appendEscaped(std::string& out, char c)
{
    static constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
        out.append(1, '\\').append(1, c);
    else if (c == '\n')
        out += "\\n";
    else if (c == '\t')
        out += "\\t";
    else if (byte < 0x20)
        out.append("\\u00").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
    else
        out += c;
}

} // namespace

std::string jsonString(std::string_view text)
{
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = characterAt(text);
        if (length == 0)
            out += "\xEF\xBF\xBD";
        else if (length == 1)
            appendEscaped(out, text.front());
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out + '"';
}

JsonObject::JsonObject(std::string_view object)
{
    if (object.size() >= 2 && object.front() == '{' && object.back() == '}')
        m_members = object.substr(1, object.size() - 2);
}

JsonObject& JsonObject::text(std::string_view key, std::string_view value) { return raw(key, jsonString(value)); }

JsonObject& JsonObject::textIfAny(std::string_view key, std::string_view value)
{
    return value.empty() ? *this : text(key, value);
}

JsonObject& JsonObject::number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }

JsonObject& JsonObject::raw(std::string_view key, std::string_view json)
{
    this->key(key);
    m_members += json;
    return *this;
}

JsonObject& JsonObject::texts(std::string_view key, const std::vector<std::string>& values)
{
    return raw(key, jsonArray(values, jsonString));
}

void JsonObject::key(std::string_view key)
{
    if (!m_members.empty()) m_members += ',';
    m_members.append("\"").append(key).append("\":");
}

} // namespace aiflow
