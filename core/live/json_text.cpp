#include "core/live/json_text.h"

#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace aiflow {

namespace {

bool isPlain(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

std::size_t lengthOfSequence(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    return length <= text.size() && isValidUtf8(text.substr(0, length)) ? length : 0;
}

void appendEscaped(std::string& out, char c)
{
    switch (c) {
    case '"':
        out += "\\\"";
        break;
    case '\\':
        out += "\\\\";
        break;
    case '\n':
        out += "\\n";
        break;
    case '\r':
        out += "\\r";
        break;
    case '\t':
        out += "\\t";
        break;
    default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
}

} // namespace

void appendJsonString(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t i = 0;
    while (i < text.size()) {
        const auto special = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), isPlain);
        const auto plain = static_cast<std::size_t>(special - text.begin()) - i;
        out.append(text.substr(i, plain));
        i += plain;
        if (i == text.size()) break;
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            appendEscaped(out, text[i++]);
        } else if (const std::size_t length = lengthOfSequence(text.substr(i)); length > 0) {
            out.append(text.substr(i, length));
            i += length;
        } else {
            out += "\xEF\xBF\xBD";
            ++i;
        }
    }
    out += '"';
}

void JsonText::key(std::string_view key)
{
    if (!m_text.empty()) m_text += ',';
    m_text += '"';
    m_text += key;
    m_text += "\":";
}

JsonText& JsonText::text(std::string_view name, std::string_view value)
{
    key(name);
    appendJsonString(m_text, value);
    return *this;
}

JsonText& JsonText::textIfAny(std::string_view name, std::string_view value)
{
    return value.empty() ? *this : text(name, value);
}

JsonText& JsonText::number(std::string_view name, std::int64_t value)
{
    key(name);
    const fmt::format_int digits(value);
    m_text.append(digits.data(), digits.size());
    return *this;
}

JsonText& JsonText::flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

JsonText& JsonText::moneyIfAny(std::string_view name, const MoneyAmount& money)
{
    if (money.currency.empty()) return *this;
    key(name);
    // Sums of decimals carry binary dust; a millionth is finer than any price.
    const double amount = std::isfinite(money.amount) ? std::round(money.amount * 1e6) / 1e6 : 0;
    fmt::format_to(std::back_inserter(m_text), "{{\"amount\":{},\"currency\":", amount);
    appendJsonString(m_text, money.currency);
    m_text += '}';
    return *this;
}

JsonText& JsonText::raw(std::string_view name, std::string_view json)
{
    key(name);
    m_text += json;
    return *this;
}

} // namespace aiflow
