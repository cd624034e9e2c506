#include "core/api/protocols/parts/wire_answer.h"

#include "core/api/protocols/answer_check.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aiflow {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSpooled = "aiflow-file:";

std::string lower(std::string_view text)
{
    std::string made(text);
    std::ranges::transform(made, made.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

std::string_view withoutSpaces(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool looksLikePage(std::string_view text)
{
    const std::string start = lower(text.substr(0, 64));
    return start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<head") ||
           start.starts_with("<?xml");
}

int valueOf(char c) noexcept
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

std::string_view textOf(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

SpooledFile inlineFile(std::vector<std::byte> bytes, const std::string& mediaType)
{
    SpooledFile file;
    const std::string seen = sniffedType(textOf(bytes));
    file.mediaType = seen.empty() ? mediaType : seen;
    file.size = static_cast<std::int64_t>(bytes.size());
    file.hash = sha256(std::span<const std::byte>(bytes));
    file.bytes = std::move(bytes);
    return file;
}

FoundPicture spooledFile(std::string_view number, SpooledAnswer& spooled, const std::string& mediaType)
{
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
    if (error != std::errc{} || end != number.data() + number.size() || index >= spooled.files.size())
        return lie("a picture of the answer is missing");
    SpooledFile file = std::move(spooled.files[index]);
    if (file.path.empty() && file.bytes.empty()) return lie("the answer shows the same picture twice");
    spooled.files[index] = SpooledFile{};
    if (file.mediaType.empty() && !mediaType.empty()) file.mediaType = mediaType;
    return file;
}

FoundPicture codedPicture(std::string_view coded, const std::string& mediaType)
{
    auto bytes = fromBase64(withoutSpaces(coded));
    if (!bytes) return lie("a picture of the answer is not base64");
    if (bytes->empty()) return lie("a picture of the answer is empty");
    return inlineFile(std::move(*bytes), mediaType);
}

} // namespace

Failure lie(std::string message)
{
    Failure failure;
    failure.failure = FailureClass::LyingSuccess;
    failure.message = std::move(message);
    failure.status = 200;
    failure.charged = true;
    return failure;
}

std::variant<Json, Failure> parseAnswer(std::string_view text)
{
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    const std::string_view bare = withoutSpaces(text);
    if (bare.empty()) return lie("the answer is empty");
    if (looksLikePage(bare)) return lie("the answer is a web page, not JSON");
    if (!isValidUtf8(bare)) return lie("the answer is not valid UTF-8");
    auto json = parseJson(bare);
    if (!json) return lie("the answer is cut off or damaged: " + json.error().message);
    if (!json->is_object()) return lie("the answer is no JSON object");
    return std::move(*json);
}

const Json* at(const Json& value, std::initializer_list<std::string_view> way)
{
    const Json* here = &value;
    for (const std::string_view key : way) {
        if (here->is_object()) {
            const auto found = here->find(std::string(key));
            if (found == here->end()) return nullptr;
            here = &*found;
        } else if (here->is_array()) {
            std::size_t index = 0;
            const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
            if (error != std::errc{} || end != key.data() + key.size() || index >= here->size()) return nullptr;
            here = &(*here)[index];
        } else {
            return nullptr;
        }
    }
    return here->is_null() ? nullptr : here;
}

const Json* atPointer(const Json& value, const std::string& pointer)
{
    try {
        const Json::json_pointer way(pointer);
        return value.contains(way) && !value.at(way).is_null() ? &value.at(way) : nullptr;
    } catch (const Json::exception&) {
        return nullptr;
    }
}

std::string textAt(const Json& value, std::initializer_list<std::string_view> way)
{
    const Json* found = at(value, way);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> countFrom(const Json* value)
{
    if (value == nullptr || !value->is_number()) return std::nullopt;
    const double count = value->get<double>();
    if (!std::isfinite(count) || count < 0 || count > 1e9) return std::nullopt;
    return static_cast<std::int64_t>(count);
}

std::optional<std::int64_t> countAt(const Json& value, std::initializer_list<std::string_view> way)
{
    return countFrom(at(value, way));
}

FoundPicture takePicture(const Json& value, SpooledAnswer& spooled, const std::string& mediaType)
{
    if (!value.is_string()) return lie("a picture of the answer is no text");
    const std::string_view text = withoutSpaces(value.get_ref<const std::string&>());
    if (text.empty()) return lie("a picture of the answer is empty");
    if (text.starts_with(kSpooled)) return spooledFile(text.substr(kSpooled.size()), spooled, mediaType);
    if (text.starts_with("https://") || text.starts_with("http://")) return PictureUrl{std::string(text)};
    if (!text.starts_with("data:")) return codedPicture(text, mediaType);
    const std::size_t comma = text.find(',');
    const std::string_view head = text.substr(5, comma == std::string_view::npos ? 0 : comma - 5);
    if (!head.ends_with(";base64")) return lie("a picture of the answer is not base64");
    const std::string type(head.substr(0, head.find(';')));
    const std::string_view coded = text.substr(comma + 1);
    // A picture that was spooled may stand behind its data: prefix.
    if (coded.starts_with(kSpooled)) return spooledFile(coded.substr(kSpooled.size()), spooled, type);
    return codedPicture(coded, type);
}

std::optional<SpooledFile> takeBody(SpooledAnswer& spooled, const std::string& mediaType)
{
    if (spooled.text.empty() && spooled.files.size() == 1) {
        SpooledFile file = std::move(spooled.files.front());
        spooled.files.clear();
        return file;
    }
    const std::string seen = sniffedType(spooled.text);
    if (spooled.text.empty() || (seen.empty() && !mediaType.starts_with("image/"))) return std::nullopt;
    const auto bytes = std::as_bytes(std::span(spooled.text));
    return inlineFile({bytes.begin(), bytes.end()}, mediaType.substr(0, mediaType.find(';')));
}

std::string sniffedType(std::string_view bytes)
{
    if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return "image/png";
    if (bytes.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
    if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") return "image/webp";
    if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return "image/gif";
    if (bytes.size() >= 12 && bytes.substr(4, 8) == "ftypavif") return "image/avif";
    if (bytes.starts_with("%PDF-")) return "application/pdf";
    const std::string_view start = withoutSpaces(bytes.substr(0, 256));
    if (start.starts_with("<svg")) return "image/svg+xml";
    return looksLikePage(start) ? "text/html" : "";
}

std::optional<std::vector<std::byte>> fromBase64(std::string_view text)
{
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    int digits = 0;
    int padding = 0;
    for (const char c : text) {
        if (c == '\r' || c == '\n') continue;
        const int value = valueOf(c);
        if (c == '=' && digits >= 2)
            ++padding;
        else if (value < 0 || padding > 0)
            return std::nullopt;
        group = group << 6U | (value < 0 ? 0U : static_cast<std::uint32_t>(value));
        if (++digits < 4) continue;
        for (int i = 0; i < 3 - padding; ++i)
            bytes.push_back(static_cast<std::byte>(group >> (16U - 8U * static_cast<unsigned>(i)) & 255U));
        group = 0;
        digits = 0;
    }
    return digits == 0 && padding <= 2 ? std::optional(std::move(bytes)) : std::nullopt;
}

std::string headerOf(const HttpEnd& end, std::string_view lowerCaseName)
{
    for (const auto& [name, value] : end.headers)
        if (name == lowerCaseName) return value;
    return {};
}

std::optional<std::string> whyNoText(std::string_view text)
{
    const std::string_view bare = withoutSpaces(text);
    if (bare.empty()) return "the answer is empty";
    if (looksLikePage(bare)) return "the answer is a web page, not a text";
    if (bare.front() != '{' || bare.find("\"error\"") == std::string_view::npos) return std::nullopt;
    const auto json = parseJson(bare);
    if (!json || !json->is_object()) return std::nullopt;
    const Json* error = at(*json, {"error"});
    if (error == nullptr || *error == false || json->size() > 4) return std::nullopt;
    const std::string words = error->is_string() ? error->get<std::string>() : textAt(*error, {"message"});
    return "the answer is an error message" + (words.empty() ? std::string() : ": " + cutToWidth(words, 300));
}

} // namespace aiflow
