#include "core/rehearsal/wire/wire.h"

#include "core/api/offline_answers.h"
#include "core/base/hash.h"
#include "core/base/json.h"

#include <algorithm>
#include <charconv>

namespace aiflow {

namespace {

int hexDigit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text)
{
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && hexDigit(text[i + 1]) >= 0 && hexDigit(text[i + 2]) >= 0;
        if (escape) {
            plain += static_cast<char>(hexDigit(text[i + 1]) * 16 + hexDigit(text[i + 2]));
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

} // namespace

std::string_view WireRequest::header(std::string_view lowerCaseName) const noexcept
{
    for (const auto& [name, value] : headers)
        if (name == lowerCaseName) return value;
    return {};
}

std::string WireRequest::parameter(std::string_view name) const
{
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name)
            return equals == std::string_view::npos ? std::string() : decoded(pair.substr(equals + 1));
    }
    return {};
}

int statusOf(Trouble trouble) noexcept
{
    switch (trouble) {
    case Trouble::BadRequest:
    case Trouble::Refused:
        return 400;
    case Trouble::KeyRefused:
        return 401;
    case Trouble::NotFound:
        return 404;
    case Trouble::Conflict:
        return 409;
    case Trouble::Throttled:
    case Trouble::Quota:
        return 429;
    case Trouble::Failed:
        return 500;
    case Trouble::Overloaded:
        return 503;
    case Trouble::GatewayTimeout:
        return 504;
    }
    return 500;
}

std::vector<std::pair<std::string, std::string>> Wire::limitHeaders(LimitUnit, std::int64_t, std::int64_t,
                                                                    std::int64_t) const
{
    return {};
}

const Wire& wireOf(ProtocolKind kind)
{
    switch (kind) {
    case ProtocolKind::Gemini:
        return geminiWire();
    case ProtocolKind::Anthropic:
        return anthropicWire();
    case ProtocolKind::RemoteJob:
        return remoteJobWire();
    case ProtocolKind::ModelService:
        return modelServiceWire();
    case ProtocolKind::OpenAi:
    case ProtocolKind::Offline:
        break;
    }
    return openAiWire();
}

Reply jsonReply(const Json& body, int status)
{
    Reply reply;
    reply.status = status;
    reply.body = dumpJson(body);
    return reply;
}

std::string pictureMark(std::size_t index) { return "@@picture " + std::to_string(index) + "@@"; }

Reply jsonReplyWithPictures(const Json& body, const std::vector<std::string>& pictures)
{
    const std::string frame = dumpJson(body);
    Reply reply;
    std::size_t size = frame.size();
    for (const std::string& picture : pictures) size += picture.size();
    reply.body.reserve(size);
    std::size_t from = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const std::string mark = pictureMark(i);
        const std::size_t at = frame.find(mark, from);
        if (at == std::string::npos) break;
        reply.body.append(frame, from, at - from);
        reply.body += pictures[i];
        from = at + mark.size();
    }
    reply.body.append(frame, from);
    return reply;
}

std::int64_t countTokens(std::string_view text) noexcept
{
    std::int64_t ascii = 0;
    std::int64_t others = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
            ++ascii;
        else if ((byte & 0xC0U) != 0x80U)
            ++others;
    }
    return std::max<std::int64_t>(1, ascii / 4 + others * 2 / 3);
}

std::optional<std::pair<int, int>> readSize(std::string_view text)
{
    int width = 0;
    int height = 0;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, width);
    if (first.ec != std::errc() || first.ptr == end || (*first.ptr != 'x' && *first.ptr != '*')) return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, height);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    if (width < 1 || height < 1 || width > 8192 || height > 8192) return std::nullopt;
    return std::pair(width, height);
}

std::string resetText(std::int64_t ns)
{
    const std::int64_t ms = (std::max<std::int64_t>(ns, 0) + 999'999) / 1'000'000;
    if (ms < 1000) return std::to_string(ms) + "ms";
    const auto seconds = [](std::int64_t value) {
        std::string text = std::to_string(value / 1000);
        if (value % 1000 != 0) text += '.' + std::to_string(1000 + value % 1000).substr(1);
        return text + 's';
    };
    return ms < 60'000 ? seconds(ms) : std::to_string(ms / 60'000) + 'm' + seconds(ms % 60'000);
}

bool endsWith(std::string_view text, std::string_view end) noexcept { return text.ends_with(end); }

std::string_view bearerOf(const WireRequest& request)
{
    const std::string_view value = request.header("authorization");
    const std::size_t space = value.find(' ');
    return space == std::string_view::npos ? value : value.substr(space + 1);
}

Json embeddingOf(const Ask& ask, std::int64_t index)
{
    Json numbers = Json::array();
    for (std::int64_t d = 0; d < ask.dimensions; ++d) {
        const std::uint64_t mixed = (ask.seed + static_cast<std::uint64_t>(index * 4096 + d)) * 0x9E3779B97F4A7C15U;
        numbers.push_back(static_cast<double>(mixed >> 44U) / 524288.0 - 1.0);
    }
    return numbers;
}

void setPrompt(Ask& ask, std::string_view prompt, std::string_view everything, std::int64_t pictures)
{
    ask.words = firstWords(std::string(prompt.substr(0, 240)), 60);
    ask.seed = xxh3(everything);
    ask.inputTokens = countTokens(everything) + pictures * kTokensOfPicture;
}

} // namespace aiflow
