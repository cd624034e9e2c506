#include "core/api/protocols/parts/error_words.h"

#include "core/api/protocols/parts/retry_hints.h"
#include "core/api/protocols/parts/wire_answer.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

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
                                 "api usage limits",
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
                                   "moderation_flagged",
                                   "flagged by",
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
                               "account_deactivated",  "permission_error"};
constexpr std::array kThrottleWords{"rate_limit",         "rate limit",    "throttl", "too many requests",
                                    "resource_exhausted", "requests rate", "限流",    "请求过于频繁"};

std::string lower(std::string_view text)
{
    std::string made(text);
    std::ranges::transform(made, made.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

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

template <std::size_t N> bool speaksOf(const ErrorWords& words, const std::array<const char*, N>& list)
{
    return std::ranges::any_of(list, [&](const char* word) { return words.all.find(word) != std::string::npos; });
}

} // namespace

bool isTrouble(const Json& error)
{
    return !(error.is_boolean() && !error.get<bool>()) &&
           !(error.is_string() && error.get_ref<const std::string&>().empty()) &&
           !(error.is_structured() && error.empty()) && !error.is_null();
}

ErrorWords errorWordsOf(std::string_view body)
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

bool ErrorWords::sayQuota(ProtocolKind protocol) const
{
    if (!speaksOf(*this, kQuotaWords)) return false;
    // Gemini tells a limit per minute with the same sentence as an empty account; its quota's name tells them apart.
    if (all.find("perday") != std::string::npos) return true;
    if (protocol == ProtocolKind::Gemini && (hint || speaksOf(*this, kMinuteWords))) return false;
    return all.find("insufficient_quota") != std::string::npos || !speaksOf(*this, kMinuteWords);
}

bool ErrorWords::sayContent() const { return speaksOf(*this, kContentWords); }

bool ErrorWords::sayLength() const { return speaksOf(*this, kLengthWords); }

bool ErrorWords::sayKey() const { return speaksOf(*this, kKeyWords); }

bool ErrorWords::sayThrottled() const { return speaksOf(*this, kThrottleWords); }

// The limits of these services hold for each model on its own.
bool ErrorWords::sayOneModel() const
{
    return all.find("rate limit reached for") != std::string::npos || all.find("permodel") != std::string::npos ||
           all.find("model is overloaded") != std::string::npos;
}

} // namespace aiflow
