#include "core/api/protocols/parts/neutral_request.h"

#include "core/base/json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace aiflow {

namespace {

constexpr std::int64_t kPictureTokens = 2000; // the dearest documented picture of the chat services, rounded up
constexpr std::int64_t kFrameTokens = 64;     // roles and separators
constexpr int kLongestSide = 16'384;

Result<void> wrong(const std::string& field, const std::string& what)
{
    return fail(Reason::UsageInvalid, "the request's \"" + field + "\" " + what,
                "correct the step's prompt: or request: in the pipeline");
}

const Json* memberOf(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string textOf(const Json* value)
{
    if (value == nullptr) return {};
    return value->is_string() ? value->get<std::string>() : dumpJson(*value);
}

Result<void> addPicture(const Json& value, const std::string& field, std::vector<NeutralPicture>& pictures)
{
    if (auto file = fileFrom(value)) {
        pictures.push_back({std::move(file), {}});
        return {};
    }
    if (value.is_string() && value.get_ref<const std::string&>().starts_with("https://")) {
        pictures.push_back({std::nullopt, value.get<std::string>()});
        return {};
    }
    return wrong(field, "is neither a picture nor an https address of one");
}

Result<void> readPictures(const Json& all, NeutralRequest& request)
{
    for (const char* field : {"image", "images"}) {
        const Json* value = memberOf(all, field);
        if (value == nullptr) continue;
        for (const Json& one : value->is_array() ? *value : Json::array({*value})) {
            if (one.is_null()) continue; // an optional picture that this item has not
            if (auto added = addPicture(one, field, request.pictures); !added) return added;
        }
    }
    const Json* mask = memberOf(all, "mask");
    if (mask == nullptr) return {};
    request.mask = fileFrom(*mask);
    return request.mask ? Result<void>() : wrong("mask", "is no picture");
}

Result<void> readSize(const Json& all, NeutralRequest& request)
{
    const Json* value = memberOf(all, "size");
    if (value == nullptr) return {};
    char rest = 0;
    const std::string text = textOf(value);
    const bool good = std::sscanf(text.c_str(), "%5dx%5d%c", &request.width, &request.height, &rest) == 2;
    if (good && request.width > 0 && request.height > 0 && std::max(request.width, request.height) <= kLongestSide)
        return {};
    return wrong("size", "is no size of a picture; write it as 1024x1024");
}

Result<void> readCount(const Json& all, NeutralRequest& request)
{
    const Json* value = memberOf(all, "n");
    if (value == nullptr) return {};
    if (value->is_number_integer() && *value >= 1 && *value <= 16) {
        request.count = value->get<std::int64_t>();
        return {};
    }
    return wrong("n", "must be a whole number from 1 to 16");
}

Result<void> readTemperature(const Json& all, NeutralRequest& request)
{
    const Json* value = memberOf(all, "temperature");
    if (value == nullptr) return {};
    if (value->is_number() && value->get<double>() >= 0 && value->get<double>() <= 2) {
        request.temperature = value->get<double>();
        return {};
    }
    return wrong("temperature", "must be a number from 0 to 2");
}

Result<void> readTexts(const Json& all, NeutralRequest& request)
{
    const Json* value = memberOf(all, "text");
    if (value == nullptr) value = memberOf(all, "prompt");
    if (value == nullptr) return wrong("text", "is missing");
    request.severalTexts = value->is_array();
    for (const Json& one : value->is_array() ? *value : Json::array({*value})) request.texts.push_back(textOf(&one));
    const bool empty = std::ranges::any_of(request.texts, [](const std::string& text) { return text.empty(); });
    return request.texts.empty() || empty ? wrong("text", "is empty") : Result<void>();
}

Result<void> readSchema(const Json& all, NeutralRequest& request)
{
    request.schema = memberOf(all, "schema");
    if (request.schema == nullptr || request.schema->is_object()) return {};
    return wrong("schema", "must be a JSON Schema");
}

std::int64_t walkTokens(const Json& value)
{
    if (fileFrom(value)) return kPictureTokens;
    if (value.is_string()) return estimateTokens(value.get_ref<const std::string&>());
    std::int64_t sum = value.is_structured() ? 0 : 8;
    if (value.is_object())
        for (const auto& [key, member] : value.items()) sum += estimateTokens(key) + walkTokens(member);
    else if (value.is_array())
        for (const Json& member : value) sum += walkTokens(member);
    return sum;
}

} // namespace

std::optional<RequestFile> fileFrom(const Json& value)
{
    if (!value.is_object()) return std::nullopt;
    const Json* hash = memberOf(value, "artifact");
    const Json* type = memberOf(value, "media_type");
    const Json* size = memberOf(value, "size");
    const bool whole = hash != nullptr && hash->is_string() && type != nullptr && type->is_string() &&
                       size != nullptr && size->is_number_integer() && size->get<std::int64_t>() >= 0;
    if (!whole) return std::nullopt;
    return RequestFile{hash->get<std::string>(), type->get<std::string>(), size->get<std::int64_t>()};
}

Result<NeutralRequest> readNeutral(const AttemptPlan& plan)
{
    if (!plan.request || !plan.request->is_object()) return fail(Reason::UsageInvalid, "the request is no JSON object");
    const Json& all = *plan.request;
    NeutralRequest request;
    request.all = &all;
    request.prompt = textOf(memberOf(all, "prompt"));
    request.system = textOf(memberOf(all, "system"));
    Result<void> read;
    const auto step = [&](auto reader) {
        if (read) read = reader(all, request);
    };
    if (plan.kind == RouteKind::Embedding) step(readTexts);
    if (plan.kind != RouteKind::Model) {
        step(readSchema);
        step(readPictures);
        step(readSize);
        step(readCount);
        step(readTemperature);
    }
    if (!read) return tl::unexpected(read.error());
    const bool wantsPrompt = plan.kind == RouteKind::Text || plan.kind == RouteKind::Image;
    if (wantsPrompt && request.prompt.empty()) return tl::unexpected(wrong("prompt", "is missing or empty").error());
    return request;
}

// Latin text takes a token for three bytes or more, everything else one a character at most; a tenth is the margin.
std::int64_t estimateTokens(std::string_view text)
{
    std::int64_t latinBytes = 0;
    std::int64_t others = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 || (byte >= 0xC2 && byte <= 0xC9))
            ++latinBytes; // a character below U+0250, or its first byte
        else if (byte >= 0xC0)
            ++others;
    }
    const double tokens = (static_cast<double>(latinBytes) / 3.0 + static_cast<double>(others)) * 1.1;
    return static_cast<std::int64_t>(std::ceil(tokens));
}

std::int64_t estimateInputTokens(const Json& request, const std::vector<Complaint>& complaints)
{
    std::int64_t sum = kFrameTokens + walkTokens(request);
    for (const Complaint& complaint : complaints)
        sum += kFrameTokens + estimateTokens(complaint.answer) + estimateTokens(complaint.mistake);
    return sum;
}

} // namespace aiflow
