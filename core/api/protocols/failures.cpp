#include "core/api/protocols/parts/error_words.h"
#include "core/api/protocols/parts/retry_hints.h"
#include "core/api/protocols/parts/wire_answer.h"
#include "core/api/protocols/protocol.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::size_t kLongestMessage = 2048;

// What the words alone say, whatever the status; nothing: they say nothing that is known.
std::optional<FailureClass> classByWords(const ErrorWords& words, ProtocolKind protocol)
{
    if (words.sayQuota(protocol)) return FailureClass::QuotaExhausted;
    if (words.sayLength()) return FailureClass::TooLarge;
    if (words.sayContent()) return FailureClass::ContentRefused;
    if (words.sayKey()) return FailureClass::KeyRefused;
    return std::nullopt;
}

bool isPage(std::string_view body)
{
    const std::size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return first != std::string_view::npos && body[first] == '<';
}

// More tokens at once than a whole minute allows: waiting will not help.
bool neverFits(const ErrorWords& words) { return words.all.find("request too large for") != std::string::npos; }

FailureClass classOfClientError(int status, const ErrorWords& words, ProtocolKind protocol, bool byGateway)
{
    const auto told = classByWords(words, protocol);
    switch (status) {
    case 401:
        return told == FailureClass::QuotaExhausted ? *told : FailureClass::KeyRefused;
    case 402:
        return FailureClass::QuotaExhausted;
    case 403:
        if (byGateway) return FailureClass::Outage; // not the service's own words: a gateway before it
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
        if (neverFits(words)) return FailureClass::TooLarge;
        return told == FailureClass::QuotaExhausted ? *told : FailureClass::Throttled;
    case 451:
        return FailureClass::ContentRefused;
    default:
        return told.value_or(FailureClass::BadRequest);
    }
}

FailureClass classOfServerError(int status, const ErrorWords& words, ProtocolKind protocol, bool hasTime)
{
    if (words.sayQuota(protocol)) return FailureClass::QuotaExhausted;
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
    one.modelOnly = failure == FailureClass::Throttled && words.sayOneModel();
    return one;
}

// {"code": 50001, "message": ".."} and nothing else that could be a result.
bool isBareTrouble(const Json& body)
{
    if (!body.contains("code") || !body.contains("message")) return false;
    constexpr std::array kResults{"choices", "data", "output", "outputs", "result",
                                  "results", "id",   "status", "images",  "text"};
    if (std::ranges::any_of(kResults, [&](const char* key) { return body.contains(key); })) return false;
    const std::string code = body["code"].is_string() ? body["code"].get<std::string>() : dumpJson(body["code"]);
    constexpr std::array kGood{"0", "200", "ok", "OK", "success", "Success", "null"};
    return std::ranges::find(kGood, code) == kGood.end();
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
    if (!hasError && !isBareTrouble(*json)) return std::nullopt;
    const ErrorWords words = errorWordsOf(body);
    auto told = classByWords(words, protocol);
    if (!told && words.sayThrottled()) told = FailureClass::Throttled;
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
    const ErrorWords words = errorWordsOf(body);
    if (status >= 300 && status < 400) {
        Failure failure = made(FailureClass::BadRequest, status, words);
        failure.message = "the service sends the call elsewhere (HTTP " + std::to_string(status) +
                          "), which is never followed with a key; correct base_url";
        return failure;
    }
    auto hint = hintOf(end);
    if (!hint) hint = words.hint;
    const FailureClass kind = status >= 500   ? classOfServerError(status, words, protocol, hint.has_value())
                              : status >= 400 ? classOfClientError(status, words, protocol, isPage(body))
                                              : FailureClass::Unknown;
    Failure failure = made(kind, status, words);
    if (kind == FailureClass::Throttled || kind == FailureClass::Outage || kind == FailureClass::ServerError)
        failure.retryAfter = hint;
    return failure;
}

} // namespace aiflow
