#include "core/api/protocols/parts/retry_hints.h"
#include "core/api/protocols/parts/wire_answer.h"
#include "core/api/protocols/protocol.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <span>

namespace aiflow {

namespace {

constexpr std::size_t kLongestMessage = 2048;

// The words that the services use, in lower case; each list is looked for in the code, the type and the message.
constexpr std::array kQuotaWords{"insufficient_quota",
                                 "arrearage",
                                 "insufficient balance",
                                 "insufficient_balance",
                                 "insufficient funds",
                                 "insufficient credits",
                                 "insufficient_credits",
                                 "credit balance is too low",
                                 "billing_error",
                                 "billing_hard_limit",
                                 "billing hard limit",
                                 "quota_exhausted",
                                 "exceeded your current quota",
                                 "free allocated quota exceeded",
                                 "enforced_spend_limit_reached",
                                 "spend limit",
                                 "usage limits",
                                 "allocationquota.freetieronly",
                                 "perday",
                                 "accountoverdue",
                                 "account_overdue",
                                 "overdue payment",
                                 "user is in arrears",
                                 "out of credits",
                                 "not enough credits",
                                 "余额不足",
                                 "欠费",
                                 "账户余额",
                                 "额度不足",
                                 "额度已用完",
                                 "额度已用尽",
                                 "资源包"};
// Quota words that a service also says of a limit per minute.
constexpr std::array kMinuteWords{"perminute", "per minute", "per_minute", "tokens per min",    "requests per min",
                                  "rpm",       "tpm",        "ratequota",  "rate limit reached"};
constexpr std::array kContentWords{"content_policy",
                                   "content policy",
                                   "content_filter",
                                   "content_policy_violation",
                                   "moderation_blocked",
                                   "moderation",
                                   "safety system",
                                   "responsibleaipolicyviolation",
                                   "data_inspection_failed",
                                   "datainspectionfailed",
                                   "data inspection",
                                   "inappropriate content",
                                   "inappropriate-content",
                                   "content filtering policy",
                                   "prohibited_content",
                                   "sensitive content",
                                   "sensitive_content",
                                   "内容安全",
                                   "敏感",
                                   "违规",
                                   "不合规"};
constexpr std::array kLengthWords{"context_length_exceeded",
                                  "context length",
                                  "maximum context",
                                  "context window",
                                  "prompt is too long",
                                  "input is too long",
                                  "too many tokens",
                                  "token count exceeds",
                                  "exceeds the maximum number of tokens",
                                  "range of input length",
                                  "string_above_max_length",
                                  "request_too_large",
                                  "request too large",
                                  "payload too large",
                                  "input length",
                                  "上下文长度",
                                  "超过最大长度",
                                  "超出最大"};
constexpr std::array kKeyWords{"invalid_api_key",      "api_key_invalid",        "api key not valid",
                               "invalid api key",      "invalidapikey",          "incorrect api key",
                               "authentication_error", "invalid_authentication", "unauthenticated",
                               "account_deactivated",  "permission_error",       "apikey"};
constexpr std::array kThrottleWords{"rate_limit",         "rate limit",    "throttl", "too many requests",
                                    "resource_exhausted", "requests rate", "限流",    "请求过于频繁"};

std::string lower(std::string_view text)
{
    std::string made(text);
    std::ranges::transform(made, made.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

// A provider's own words about an error, wherever its form keeps them.
struct ErrorWords {
    std::string code;
    std::string message;
    std::string all; // both and the type, in lower case
    std::optional<std::chrono::milliseconds> hint;
    bool found = false;
};

std::string scalarAt(const Json& value, std::initializer_list<std::string_view> way)
{
    const Json* found = at(value, way);
    if (found == nullptr || found->is_structured()) return {};
    return found->is_string() ? found->get<std::string>() : dumpJson(*found);
}

std::string firstOf(std::initializer_list<std::string> texts)
{
    for (const std::string& text : texts)
        if (!text.empty()) return text;
    return {};
}

// Gemini's details: when to come back, and which quota it was.
void readDetails(const Json& error, ErrorWords& words)
{
    const Json* details = at(error, {"details"});
    if (details == nullptr) return;
    if (details->is_object()) words.all += " " + lower(scalarAt(*details, {"error_code"}));
    if (!details->is_array()) return;
    for (const Json& one : *details) {
        if (const auto span = spanFrom(textAt(one, {"retryDelay"})); span && span->count() > 0) words.hint = span;
        words.all += " " + lower(textAt(one, {"reason"}));
        const Json* violations = at(one, {"violations"});
        if (violations == nullptr || !violations->is_array()) continue;
        for (const Json& violation : *violations) words.all += " " + lower(textAt(violation, {"quotaId"}));
    }
}

void readError(const Json& error, ErrorWords& words)
{
    words.found = true;
    if (error.is_string()) {
        words.message = error.get<std::string>();
    } else {
        words.code = firstOf({scalarAt(error, {"code"}), scalarAt(error, {"type"}), scalarAt(error, {"status"})});
        words.message = firstOf({textAt(error, {"message"}), textAt(error, {"msg"}), textAt(error, {"detail"})});
        words.all = lower(scalarAt(error, {"type"}) + " " + scalarAt(error, {"status"}));
        if (const std::string status = textAt(error, {"status"}); !status.empty()) words.code = status;
        readDetails(error, words);
    }
    words.all += " " + lower(words.code + " " + words.message);
    if (!words.hint) words.hint = hintInWords(lower(words.message));
}

// A service that speaks without an "error" object: {"code","message"}, {"detail"}, {"errors":[..]}.
void readBare(const Json& body, ErrorWords& words)
{
    if (const Json* errors = at(body, {"errors", "0"})) return readError(*errors, words);
    const Json* detail = at(body, {"detail"});
    words.code = firstOf({scalarAt(body, {"code"}), scalarAt(body, {"error_code"}), scalarAt(body, {"type"})});
    words.message =
        firstOf({textAt(body, {"message"}), textAt(body, {"error_message"}), textAt(body, {"msg"}),
                 detail == nullptr ? "" : (detail->is_string() ? detail->get<std::string>() : dumpJson(*detail))});
    words.all = lower(words.code + " " + words.message);
    words.found = !words.message.empty();
    words.hint = hintInWords(lower(words.message));
}

std::string titleOf(std::string_view page)
{
    const std::string small = lower(page);
    const std::size_t open = small.find("<title>");
    const std::size_t close = small.find("</title>");
    if (open == std::string::npos || close == std::string::npos || close < open + 7) return {};
    return std::string(page.substr(open + 7, close - open - 7));
}

bool isTrouble(const Json& error)
{
    return !(error.is_boolean() && !error.get<bool>()) &&
           !(error.is_string() && error.get_ref<const std::string&>().empty()) &&
           !(error.is_structured() && error.empty()) && !error.is_null();
}

ErrorWords wordsOf(std::string_view body)
{
    ErrorWords words;
    const auto json = parseJson(body.substr(0, 1U << 20U));
    const Json* object = json ? &*json : nullptr;
    if (object != nullptr && object->is_array() && !object->empty()) object = &object->front();
    if (object == nullptr || !object->is_object()) {
        words.message = titleOf(body.substr(0, 65'536));
        if (words.message.empty() && isValidUtf8(body.substr(0, 300)) && body.find('<') == std::string_view::npos)
            words.message = std::string(body.substr(0, 300));
        words.all = lower(words.message);
        return words;
    }
    const Json* error = at(*object, {"error"});
    if (error != nullptr && isTrouble(*error))
        readError(*error, words);
    else
        readBare(*object, words);
    return words;
}

template <std::size_t N> bool speaksOf(const ErrorWords& words, const std::array<const char*, N>& list)
{
    return std::ranges::any_of(list, [&](const char* word) { return words.all.find(word) != std::string::npos; });
}

bool saysQuota(const ErrorWords& words, ProtocolKind protocol)
{
    if (!speaksOf(words, kQuotaWords)) return false;
    // Gemini tells a limit per minute with the same sentence as an empty account; its quota's name tells them apart.
    if (words.all.find("perday") != std::string::npos) return true;
    if (protocol == ProtocolKind::Gemini && (words.hint || speaksOf(words, kMinuteWords))) return false;
    return words.all.find("insufficient_quota") != std::string::npos || !speaksOf(words, kMinuteWords);
}

// What the words alone say, whatever the status; nothing: they say nothing that is known.
std::optional<FailureClass> classByWords(const ErrorWords& words, ProtocolKind protocol)
{
    if (saysQuota(words, protocol)) return FailureClass::QuotaExhausted;
    if (speaksOf(words, kLengthWords)) return FailureClass::TooLarge;
    if (speaksOf(words, kContentWords)) return FailureClass::ContentRefused;
    if (speaksOf(words, kKeyWords)) return FailureClass::KeyRefused;
    return std::nullopt;
}

FailureClass classOfClientError(int status, const ErrorWords& words, ProtocolKind protocol)
{
    const auto told = classByWords(words, protocol);
    switch (status) {
    case 401:
        return told == FailureClass::QuotaExhausted ? *told : FailureClass::KeyRefused;
    case 402:
        return FailureClass::QuotaExhausted;
    case 403:
        return told == FailureClass::QuotaExhausted || told == FailureClass::ContentRefused ? *told
                                                                                            : FailureClass::KeyRefused;
    case 408:
        return FailureClass::TimedOut;
    case 409:
        return FailureClass::ServerError;
    case 413:
    case 414:
    case 431:
        return FailureClass::TooLarge;
    case 425:
        return FailureClass::Throttled;
    case 429:
        return told == FailureClass::QuotaExhausted ? *told : FailureClass::Throttled;
    case 451:
        return FailureClass::ContentRefused;
    default:
        return told.value_or(FailureClass::BadRequest);
    }
}

FailureClass classOfServerError(int status, const ErrorWords& words, ProtocolKind protocol, bool hasTime)
{
    if (saysQuota(words, protocol)) return FailureClass::QuotaExhausted;
    switch (status) {
    case 501:
    case 505:
        return FailureClass::BadRequest;
    case 503:
    case 529:
        return hasTime ? FailureClass::Throttled : FailureClass::Outage;
    case 504:
    case 524:
        return FailureClass::TimedOut;
    case 521: // Cloudflare: the service refuses, does not answer, cannot be reached, or its certificate is bad
    case 522:
    case 523:
    case 525:
    case 526:
    case 530:
        return FailureClass::Outage;
    default:
        return FailureClass::ServerError;
    }
}

bool mayHaveWorked(FailureClass failure)
{
    return failure == FailureClass::ServerError || failure == FailureClass::TimedOut ||
           failure == FailureClass::Unknown || failure == FailureClass::LyingSuccess;
}

// The limits of these services hold for each model on its own.
bool isOfOneModel(const ErrorWords& words)
{
    return words.all.find("rate limit reached for") != std::string::npos ||
           words.all.find("permodel") != std::string::npos ||
           words.all.find("model is overloaded") != std::string::npos;
}

Failure made(FailureClass failure, int status, const ErrorWords& words)
{
    Failure one;
    one.failure = failure;
    one.status = status;
    one.code = words.code.substr(0, 100);
    one.message = "HTTP " + std::to_string(status) + (words.message.empty() ? "" : ": " + words.message);
    while (one.message.size() > kLongestMessage || !isValidUtf8(one.message)) {
        if (one.message.size() > kLongestMessage)
            one.message.resize(kLongestMessage);
        else
            one.message.pop_back();
    }
    one.charged = mayHaveWorked(failure);
    one.modelOnly = failure == FailureClass::Throttled && isOfOneModel(words);
    return one;
}

// An error object in an answer that says 200.
std::optional<Failure> classifyLie(ProtocolKind protocol, const HttpEnd& end, std::string_view body)
{
    if (body.find("\"error\"") == std::string_view::npos && body.find("\"code\"") == std::string_view::npos)
        return std::nullopt;
    const auto json = parseJson(body);
    if (!json || !json->is_object()) return std::nullopt;
    const Json* error = at(*json, {"error"});
    const bool hasError = error != nullptr && isTrouble(*error);
    const bool bare = json->contains("code") && json->contains("message") && !json->contains("choices") &&
                      !json->contains("data") && !json->contains("output") && !json->contains("outputs");
    if (!hasError && !bare) return std::nullopt;
    const ErrorWords words = wordsOf(body);
    auto told = classByWords(words, protocol);
    if (!told && speaksOf(words, kThrottleWords)) told = FailureClass::Throttled;
    Failure failure = made(told.value_or(FailureClass::LyingSuccess), end.status, words);
    failure.message = "an error in an answer that says success: " + failure.message;
    if (failure.failure == FailureClass::Throttled) failure.retryAfter = words.hint ? words.hint : hintOf(end);
    return failure;
}

} // namespace

Failure classifyEnding(const HttpEnd& end, bool paid)
{
    Failure failure;
    failure.status = end.status;
    failure.message = end.error;
    switch (end.ending) {
    case HttpEnding::NotSent:
        failure.failure = FailureClass::NotSent;
        break;
    case HttpEnding::TimedOut:
        failure.failure = FailureClass::TimedOut;
        break;
    case HttpEnding::TooLarge:
        failure.failure = FailureClass::TooLarge;
        break;
    case HttpEnding::Cancelled:
        failure.failure = FailureClass::Cancelled;
        break;
    case HttpEnding::SinkFailed:
        failure.failure = end.sinkError && end.sinkError->reason == Reason::InputFileBad ? FailureClass::LyingSuccess
                                                                                         : FailureClass::Unknown;
        if (end.sinkError) failure.message = end.sinkError->message;
        break;
    case HttpEnding::Broken:
    case HttpEnding::Complete:
        failure.failure = FailureClass::Unknown;
        break;
    }
    if (failure.message.empty()) failure.message = "the connection ended before the answer was whole";
    failure.charged = paid && failure.failure != FailureClass::NotSent;
    return failure;
}

std::optional<Failure> classifyAnswer(ProtocolKind protocol, const HttpEnd& end, std::string_view body)
{
    const int status = end.status;
    if (status >= 200 && status < 300) return classifyLie(protocol, end, body);
    const ErrorWords words = wordsOf(body);
    if (status >= 300 && status < 400) {
        Failure failure = made(FailureClass::BadRequest, status, words);
        failure.message = "the service sends the call elsewhere (HTTP " + std::to_string(status) +
                          "), which is never followed with a key; correct base_url";
        return failure;
    }
    auto hint = hintOf(end);
    if (!hint) hint = words.hint;
    const FailureClass kind = status >= 500   ? classOfServerError(status, words, protocol, hint.has_value())
                              : status >= 400 ? classOfClientError(status, words, protocol)
                                              : FailureClass::Unknown;
    Failure failure = made(kind, status, words);
    if (kind == FailureClass::Throttled || kind == FailureClass::Outage || kind == FailureClass::ServerError)
        failure.retryAfter = hint;
    return failure;
}

} // namespace aiflow
