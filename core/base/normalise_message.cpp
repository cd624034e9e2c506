#include "core/base/normalise_message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace aiflow {

namespace {

constexpr std::size_t kLongestQuote = 512;
constexpr std::size_t kLongestResult = 400;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool isWordCharacter(char c) { return isDigit(c) || isLetter(c) || c == '_' || c == '-'; }

struct QuotePair {
    std::string_view open, close;
};

constexpr std::array<QuotePair, 10> kQuotes{{{"\"", "\""},
                                             {"'", "'"},
                                             {"`", "`"},
                                             {"“", "”"},
                                             {"‘", "’"},
                                             {"«", "»"},
                                             {"「", "」"},
                                             {"『", "』"},
                                             {"《", "》"},
                                             {"【", "】"}}};

constexpr std::array<std::string_view, 26> kFileEndings{
    "jpg", "jpeg", "png",   "webp", "gif", "tif", "tiff", "bmp",      "svg", "pdf",  "csv", "tsv", "xlsx",
    "txt", "json", "jsonl", "yaml", "yml", "md",  "html", "mustache", "pt",  "onnx", "db",  "log", "zip"};

// The length of a quoted piece that begins the text; 0 when none does. "can't" holds an apostrophe, not a quote.
std::size_t quotedLength(std::string_view text, char before)
{
    for (const auto& [open, close] : kQuotes) {
        if (!text.starts_with(open)) continue;
        if (open == "'" && (isLetter(before) || isDigit(before))) return 0;
        std::size_t end = text.find(close, open.size());
        while (close == "'" && end != std::string_view::npos && end + 1 < text.size() && isLetter(text[end + 1]))
            end = text.find(close, end + 1);
        const bool usable = end != std::string_view::npos && end <= kLongestQuote &&
                            text.substr(0, end).find('\n') == std::string_view::npos;
        return usable ? end + close.size() : 0;
    }
    return 0;
}

bool hasFileEnding(std::string_view token)
{
    const auto dot = token.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return false;
    std::string ending(token.substr(dot + 1));
    std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::ranges::find(kFileEndings, ending) != kFileEndings.end();
}

bool looksLikePath(std::string_view token)
{
    const auto slashes = std::ranges::count_if(token, [](char c) { return c == '/' || c == '\\'; });
    if (hasFileEnding(token)) return true;
    if (slashes == 0 || token.size() < 2) return false;
    return slashes >= 2 || token.starts_with('/') || token.starts_with("~/") || token.starts_with("./") ||
           token.starts_with("../");
}

bool looksLikeMailAddress(std::string_view token)
{
    const auto at = token.find('@');
    return at != std::string_view::npos && at > 0 && token.find('.', at) != std::string_view::npos;
}

// Made by a machine: long hexadecimal, or letters and digits that alternate.
bool looksGenerated(std::string_view word)
{
    std::size_t changes = 0;
    std::size_t digits = 0;
    bool hexadecimal = true;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = word[i];
        if (isDigit(c)) ++digits;
        if (c != '-' && c != '_' && std::isxdigit(static_cast<unsigned char>(c)) == 0) hexadecimal = false;
        if (i > 0 && isDigit(c) != isDigit(word[i - 1]) && isLetter(isDigit(c) ? word[i - 1] : c)) ++changes;
    }
    const bool hasLetters = std::ranges::any_of(word, isLetter);
    return digits > 0 && hasLetters && ((hexadecimal && word.size() >= 6) || changes >= 3);
}

// The number with its decimals and separators: "1,024.5".
std::size_t numberLength(std::string_view text)
{
    std::size_t end = 0;
    while (end < text.size() && (isDigit(text[end]) || ((text[end] == '.' || text[end] == ',' || text[end] == ':') &&
                                                        end + 1 < text.size() && isDigit(text[end + 1]))))
        ++end;
    return end;
}

// Words, numbers and punctuation that are neither quoted nor a path.
std::string normaliseToken(std::string_view token)
{
    std::string clean;
    for (std::size_t i = 0; i < token.size();) {
        if (!isWordCharacter(token[i])) {
            clean += token[i++];
            continue;
        }
        std::size_t end = i;
        while (end < token.size() && isWordCharacter(token[end])) ++end;
        const std::string_view word = token.substr(i, end - i);
        if (looksGenerated(word)) {
            clean += "<id>";
            i = end;
            continue;
        }
        while (i < end) {
            const std::size_t number = isDigit(token[i]) ? numberLength(token.substr(i)) : 0;
            if (number == 0) {
                clean += token[i++];
            } else {
                clean += "<n>";
                i += number;
            }
        }
    }
    return clean;
}

std::string_view placeholderFor(std::string_view token)
{
    if (token.find("://") != std::string_view::npos) return "<url>";
    if (looksLikeMailAddress(token)) return "<address>";
    if (looksLikePath(token)) return "<path>";
    return {};
}

// Brackets, colons and full stops around a token belong to the sentence.
std::string normaliseWithBorders(std::string_view token)
{
    constexpr std::string_view kOpening = "([{<=";
    constexpr std::string_view kClosing = ")]}>.,;:!?";
    std::size_t from = token.find_first_not_of(kOpening);
    if (from == std::string_view::npos) return std::string(token);
    const std::size_t last = token.find_last_not_of(kClosing);
    const std::size_t to = last == std::string_view::npos || last < from ? token.size() : last + 1;
    const std::string_view core = token.substr(from, to - from);
    const std::string_view placeholder = placeholderFor(core);
    if (placeholder.empty()) return normaliseToken(token);
    return std::string(token.substr(0, from)).append(placeholder).append(token.substr(to));
}

// Full-width digits as ASCII ones.
std::string withPlainDigits(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto third = i + 2 < text.size() ? static_cast<unsigned char>(text[i + 2]) : 0U;
        if (text.substr(i).starts_with("\xEF\xBC") && third >= 0x90 && third <= 0x99) {
            plain += static_cast<char>('0' + (third - 0x90));
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

void cutAtCharacter(std::string& text, std::size_t limit)
{
    if (text.size() <= limit) return;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
    text.resize(limit);
}

} // namespace

std::string normaliseMessage(std::string_view message)
{
    const std::string plain = withPlainDigits(message);
    const std::string_view text = plain;
    std::string clean;
    std::size_t i = 0;
    while (i < text.size()) {
        if (isSpace(text[i])) {
            if (!clean.empty() && clean.back() != ' ') clean += ' ';
            ++i;
            continue;
        }
        std::size_t end = i;
        std::size_t quoted = 0;
        while (end < text.size() && !isSpace(text[end])) {
            quoted = quotedLength(text.substr(end), end > 0 ? text[end - 1] : ' ');
            if (quoted > 0) break;
            ++end;
        }
        clean += normaliseWithBorders(text.substr(i, end - i));
        if (quoted > 0) clean += "<name>";
        i = end + quoted;
    }
    if (!clean.empty() && clean.back() == ' ') clean.pop_back();
    cutAtCharacter(clean, kLongestResult);
    return clean;
}

} // namespace aiflow
