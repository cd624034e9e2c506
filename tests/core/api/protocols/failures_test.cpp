// What an ending, a status and a provider's words mean, and when a call may be made again.
#include "core/api/protocols/parts/retry_hints.h"
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;
using std::chrono::milliseconds;

namespace {

std::string classOf(ProtocolKind protocol, int status, const std::string& body, Headers headers = {})
{
    const auto failure = classifyAnswer(protocol, ended(status, std::move(headers)), body);
    if (!failure) return "success";
    const std::string text = shown(*failure);
    return text.substr(0, text.find(':'));
}

std::optional<milliseconds> hint(Headers headers, const std::string& body = "", int status = 429)
{
    headers.emplace_back("date", "Sun, 22 Nov 2026 14:00:00 GMT");
    return classifyAnswer(ProtocolKind::OpenAi, ended(status, std::move(headers)), body)->retryAfter;
}

std::string openAi(const std::string& code, const std::string& message)
{
    return dumpJson({{"error", {{"code", code}, {"message", message}, {"type", "x"}, {"param", nullptr}}}});
}

} // namespace

class FailuresTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void endings()
    {
        const auto classOfEnding = [](HttpEnding ending, bool paid) {
            HttpEnd end;
            end.ending = ending;
            end.error = "x";
            const Failure failure = classifyEnding(end, paid);
            const std::string text = shown(failure);
            return text.substr(0, text.find(':')) + (failure.charged ? " charged" : "");
        };
        QCOMPARE(classOfEnding(HttpEnding::NotSent, true), std::string("NotSent"));
        QCOMPARE(classOfEnding(HttpEnding::Broken, true), std::string("Unknown charged"));
        QCOMPARE(classOfEnding(HttpEnding::Broken, false), std::string("Unknown"));
        QCOMPARE(classOfEnding(HttpEnding::TimedOut, true), std::string("TimedOut charged"));
        QCOMPARE(classOfEnding(HttpEnding::TooLarge, true), std::string("TooLarge charged"));
        QCOMPARE(classOfEnding(HttpEnding::Cancelled, true), std::string("Cancelled charged"));
        HttpEnd refused;
        refused.ending = HttpEnding::SinkFailed;
        refused.sinkError = Error{Reason::InputFileBad, "no picture", {}, std::nullopt};
        QVERIFY(classifyEnding(refused, true).failure == FailureClass::LyingSuccess);
        refused.sinkError = Error{Reason::OutputDiskFull, "full", {}, std::nullopt};
        QVERIFY(classifyEnding(refused, true).failure == FailureClass::Unknown);
    }

    void statusesAndWords_data()
    {
        QTest::addColumn<int>("protocol");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("body");
        QTest::addColumn<QString>("expected");
        const auto add = [](ProtocolKind protocol, int status, const std::string& body, const char* expected) {
            QTest::newRow((std::to_string(status) + " " + body.substr(0, 100)).c_str())
                << int(protocol) << status << QString::fromStdString(body) << expected;
        };
        constexpr auto kOpenAi = ProtocolKind::OpenAi;
        constexpr auto kGemini = ProtocolKind::Gemini;
        constexpr auto kAnthropic = ProtocolKind::Anthropic;
        add(kOpenAi, 400, openAi("invalid_value", "bad size"), "BadRequest");
        add(kOpenAi, 400, openAi("context_length_exceeded", "This model's maximum context length is 128000 tokens"),
            "TooLarge");
        add(kOpenAi, 400, openAi("content_policy_violation", "Your request was rejected"), "ContentRefused");
        add(kOpenAi, 400, openAi("moderation_blocked", "rejected by the safety system"), "ContentRefused");
        add(kOpenAi, 400, openAi("billing_hard_limit_reached", "Billing hard limit has been reached"),
            "QuotaExhausted");
        add(kOpenAi, 401, openAi("invalid_api_key", "Incorrect API key provided"), "KeyRefused");
        add(kOpenAi, 401, "", "KeyRefused");
        add(kOpenAi, 402, "{\"error\":{\"message\":\"Insufficient Balance\"}}", "QuotaExhausted");
        add(kOpenAi, 403, openAi("unsupported_country", "not here"), "KeyRefused");
        add(kOpenAi, 403, openAi("insufficient_quota", "x"), "QuotaExhausted");
        add(kOpenAi, 403, "{\"error\":{\"message\":\"用户额度不足, 剩余额度: 0\"}}", "QuotaExhausted");
        add(kOpenAi, 403, openAi("content_filter", "x"), "ContentRefused");
        add(kOpenAi, 404, openAi("model_not_found", "The model does not exist"), "BadRequest");
        add(kOpenAi, 408, "", "TimedOut");
        add(kOpenAi, 409, "", "ServerError");
        add(kOpenAi, 413, "", "TooLarge");
        add(kOpenAi, 425, "", "Throttled");
        add(kOpenAi, 422, "{\"detail\":[{\"msg\":\"field required\"}]}", "BadRequest");
        add(kOpenAi, 429, "", "Throttled");
        add(kOpenAi, 429,
            openAi("rate_limit_exceeded", "Rate limit reached for gpt-x on tokens per min (TPM): Limit 30000"),
            "Throttled");
        add(kOpenAi, 429,
            openAi("insufficient_quota",
                   "You exceeded your current quota, please check your plan and billing details."),
            "QuotaExhausted");
        add(kOpenAi, 429,
            openAi("rate_limit_exceeded",
                   "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 50000"),
            "TooLarge");
        add(kOpenAi, 403, "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>", "Outage");
        add(kOpenAi, 500, "", "ServerError");
        add(kOpenAi, 500, "{\"error\":{\"message\":\"insufficient balance\"}}", "QuotaExhausted");
        add(kOpenAi, 501, "", "BadRequest");
        add(kOpenAi, 502, "<html><head><title>502 Bad Gateway</title></head></html>", "ServerError");
        add(kOpenAi, 503, "", "Outage");
        add(kOpenAi, 504, "", "TimedOut");
        for (const int status : {520, 527})
            add(kOpenAi, status, "<html><title>x | 520: Web server is returning an unknown error</title></html>",
                "ServerError");
        for (const int status : {521, 522, 523, 525, 526, 530})
            add(kOpenAi, status, "<!DOCTYPE html><title>Cloudflare</title>", "Outage");
        add(kOpenAi, 524, "<!DOCTYPE html><title>A timeout occurred</title>", "TimedOut");
        add(kOpenAi, 599, "", "ServerError");
        // DashScope, in compatible mode and its own
        add(kOpenAi, 400,
            "{\"code\":\"Arrearage\",\"message\":\"Access denied, please make sure your account is in good "
            "standing.\"}",
            "QuotaExhausted");
        add(kOpenAi, 400,
            "{\"error\":{\"code\":\"data_inspection_failed\",\"message\":\"Input data may contain inappropriate "
            "content.\"}}",
            "ContentRefused");
        add(kOpenAi, 400,
            "{\"code\":\"DataInspectionFailed\",\"message\":\"Output data may contain inappropriate content.\"}",
            "ContentRefused");
        add(kOpenAi, 400, "{\"code\":\"InvalidParameter\",\"message\":\"Range of input length should be [1, 30720]\"}",
            "TooLarge");
        add(kOpenAi, 401, "{\"code\":\"InvalidApiKey\",\"message\":\"Invalid API-key provided.\"}", "KeyRefused");
        add(kOpenAi, 403,
            "{\"code\":\"AllocationQuota.FreeTierOnly\",\"message\":\"The free tier of the model has been "
            "exhausted.\"}",
            "QuotaExhausted");
        add(kOpenAi, 429,
            "{\"code\":\"Throttling.RateQuota\",\"message\":\"Requests rate limit exceeded, please try again later.\"}",
            "Throttled");
        add(kOpenAi, 429,
            "{\"code\":\"Throttling.AllocationQuota\",\"message\":\"Allocated quota exceeded, please increase your "
            "quota limit.\"}",
            "Throttled");
        add(kOpenAi, 429, "{\"code\":\"Throttling.AllocationQuota\",\"message\":\"Free allocated quota exceeded.\"}",
            "QuotaExhausted");
        // Gemini
        add(kGemini, 400,
            "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API "
            "key.\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}",
            "KeyRefused");
        add(kGemini, 400,
            "{\"error\":{\"code\":400,\"message\":\"The input token count (2000000) exceeds the maximum number of "
            "tokens allowed (1048576).\",\"status\":\"INVALID_ARGUMENT\"}}",
            "TooLarge");
        add(kGemini, 403,
            "{\"error\":{\"code\":403,\"message\":\"Permission denied\",\"status\":\"PERMISSION_DENIED\"}}",
            "KeyRefused");
        add(kGemini, 429,
            "{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota, please check your plan and "
            "billing "
            "details.\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"violations\":[{\"quotaId\":"
            "\"GenerateRequestsPerMinutePerProjectPerModel\"}]},{\"retryDelay\":\"34s\"}]}}",
            "Throttled");
        add(kGemini, 429,
            "{\"error\":{\"code\":429,\"message\":\"You exceeded your current "
            "quota\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"violations\":[{\"quotaId\":"
            "\"GenerateRequestsPerDayPerProjectPerModel\"}]},{\"retryDelay\":\"34s\"}]}}",
            "QuotaExhausted");
        add(kGemini, 429,
            "[{\"error\":{\"code\":429,\"message\":\"Resource has been exhausted (e.g. check "
            "quota).\",\"status\":\"RESOURCE_EXHAUSTED\"}}]",
            "Throttled");
        add(kGemini, 500,
            "{\"error\":{\"code\":500,\"message\":\"An internal error has occurred\",\"status\":\"INTERNAL\"}}",
            "ServerError");
        add(kGemini, 503,
            "{\"error\":{\"code\":503,\"message\":\"The model is overloaded. Please try again "
            "later.\",\"status\":\"UNAVAILABLE\"}}",
            "Outage");
        add(kGemini, 504, "{\"error\":{\"code\":504,\"status\":\"DEADLINE_EXCEEDED\",\"message\":\"x\"}}", "TimedOut");
        // Anthropic
        const auto anthropic = [](const char* type, const char* message) {
            return dumpJson({{"type", "error"}, {"error", {{"type", type}, {"message", message}}}});
        };
        add(kAnthropic, 400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            "TooLarge");
        add(kAnthropic, 400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
            "QuotaExhausted");
        add(kAnthropic, 400, anthropic("invalid_request_error", "Output blocked by content filtering policy"),
            "ContentRefused");
        add(kAnthropic, 400, anthropic("invalid_request_error", "max_tokens: Field required"), "BadRequest");
        add(kAnthropic, 401, anthropic("authentication_error", "invalid x-api-key"), "KeyRefused");
        add(kAnthropic, 402, anthropic("billing_error", "x"), "QuotaExhausted");
        add(kAnthropic, 403, anthropic("permission_error", "x"), "KeyRefused");
        add(kAnthropic, 413, anthropic("request_too_large", "Request exceeds the maximum size"), "TooLarge");
        add(kAnthropic, 429,
            anthropic("rate_limit_error",
                      "This request would exceed your organization's rate limit of 50 requests per minute"),
            "Throttled");
        add(kAnthropic, 429,
            "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"x\",\"details\":{\"error_"
            "code\":\"enforced_spend_limit_reached\"}}}",
            "QuotaExhausted");
        add(kAnthropic, 500, anthropic("api_error", "Internal server error"), "ServerError");
        add(kAnthropic, 529, anthropic("overloaded_error", "Overloaded"), "Outage");
        add(kOpenAi, 302, "", "BadRequest");
        add(kOpenAi, 100, "", "Unknown");
        add(kOpenAi, 200, "{}", "success");
        add(kOpenAi, 200, "{\"code\":0,\"message\":\"ok\",\"score\":1}", "success");
        add(kOpenAi, 200, "{\"code\":7,\"message\":\"working\",\"id\":\"job-1\"}", "success");
        add(kOpenAi, 200, "{\"code\":7,\"message\":\"no\"}", "LyingSuccess");
        add(kOpenAi, 200, "{\"error\":null,\"choices\":[]}", "success");
        add(kOpenAi, 200, "{\"error\":\"\",\"choices\":[]}", "success");
    }
    void statusesAndWords()
    {
        QFETCH(int, protocol);
        QFETCH(int, status);
        QFETCH(QString, body);
        QFETCH(QString, expected);
        QCOMPARE(QString::fromStdString(classOf(static_cast<ProtocolKind>(protocol), status, body.toStdString())),
                 expected);
    }

    void aServiceThatSaysWhenIsThrottled()
    {
        QCOMPARE(classOf(ProtocolKind::OpenAi, 503, "", {{"retry-after", "7"}}), std::string("Throttled"));
        QCOMPARE(classOf(ProtocolKind::Anthropic, 529, "", {{"retry-after", "7"}}), std::string("Throttled"));
    }

    void allFormsOfComingBackAreUnderstood()
    {
        QCOMPARE(hint({{"retry-after", "7"}}), milliseconds(7'000));
        QCOMPARE(hint({{"retry-after", "1.25"}}), milliseconds(1'250));
        QCOMPARE(hint({{"retry-after", "Sun, 22 Nov 2026 14:01:30 GMT"}}), milliseconds(90'000));
        QCOMPARE(hint({{"retry-after-ms", "1500"}, {"retry-after", "2"}}), milliseconds(1'500));
        QCOMPARE(hint({{"x-ratelimit-reset-requests", "6m0s"}}), milliseconds(360'000));
        QCOMPARE(hint({{"x-ratelimit-reset-requests", "20ms"}}), milliseconds(20));
        QCOMPARE(hint({{"x-ratelimit-reset-tokens", "1.5"}}), milliseconds(1'500));
        QCOMPARE(hint({{"x-ratelimit-reset", "1795356005"}}), milliseconds(5'000));
        QCOMPARE(hint({{"anthropic-ratelimit-requests-reset", "2026-11-22T14:00:30Z"}}), milliseconds(30'000));
        QCOMPARE(hint({{"anthropic-ratelimit-requests-reset", "2026-11-22T15:00:30.5+01:00"}}), milliseconds(30'500));
        QCOMPARE(hint({}, openAi("rate_limit_exceeded", "Limit 3. Please try again in 1.5s. Visit x")),
                 milliseconds(1'500));
        QCOMPARE(hint({}, openAi("rate_limit_exceeded", "Please try again in 1m30s.")), milliseconds(90'000));
        QCOMPARE(hint({}, "{\"error\":{\"details\":[{\"retryDelay\":\"34.5s\"}],\"message\":\"x\"}}"),
                 milliseconds(34'500));
        QCOMPARE(hint({{"retry-after", "86400"}}), milliseconds(86'400'000));
    }

    void theLimitThatIsUsedUpDecides()
    {
        QCOMPARE(hint({{"x-ratelimit-remaining-requests", "10"},
                       {"x-ratelimit-reset-requests", "8h"},
                       {"x-ratelimit-remaining-tokens", "0"},
                       {"x-ratelimit-reset-tokens", "3s"}}),
                 milliseconds(3'000));
        QCOMPARE(hint({{"x-ratelimit-remaining-requests", "10"},
                       {"x-ratelimit-reset-requests", "8h"},
                       {"x-ratelimit-remaining-tokens", "5"},
                       {"x-ratelimit-reset-tokens", "3s"}}),
                 milliseconds(3'000));
    }

    void nonsenseIsNoHint()
    {
        for (const char* text :
             {"", "soon", "-5", "0", "0.0", "NaN", "inf", "1e9", "99999999999999", "7 seconds", "0x10", "+5", "١",
              "Sun, 22 Nov 2026 13:00:00 GMT", "Sun, 99 Foo 2026 14:00:00 GMT", "1,5", "--", "1.2.3"}) {
            QVERIFY2(!hint({{"retry-after", text}}), text);
            QVERIFY2(!hint({{"retry-after-ms", text}}), text);
        }
        for (const char* text : {"", "soon", "-1s", "0s", "5x", "s", "1s2", "9999999d", "2026-13-45T00:00:00Z"})
            QVERIFY2(!hint({{"x-ratelimit-reset-requests", text}}), text);
        QVERIFY(!hint({}, openAi("x", "please try again in a moment")));
        QVERIFY(!hint({}, "{\"error\":{\"details\":[{\"retryDelay\":\"-3s\"}],\"message\":\"x\"}}"));
        // A date without the answer's own is held against our clock.
        HttpEnd end = ended(429, {{"retry-after", "Sun, 22 Nov 2099 14:00:00 GMT"}});
        QVERIFY(!classifyAnswer(ProtocolKind::OpenAi, end, "")->retryAfter);
    }

    void onlyThePauseOfOneModel()
    {
        const auto failure = [](ProtocolKind protocol, const std::string& body) {
            return *classifyAnswer(protocol, ended(429), body);
        };
        QVERIFY(failure(ProtocolKind::OpenAi,
                        openAi("rate_limit_exceeded", "Rate limit reached for gpt-x in organization o"))
                    .modelOnly);
        QVERIFY(!failure(ProtocolKind::OpenAi, "").modelOnly);
    }

    void messagesAreThoseOfTheProviderAndShort()
    {
        const auto failure = classifyAnswer(ProtocolKind::OpenAi, ended(400), openAi("bad", std::string(100'000, 'x')));
        QVERIFY(failure->message.size() <= 2048);
        QCOMPARE(failure->code, std::string("bad"));
        QCOMPARE(failure->status, 400);
        std::string chinese;
        for (int i = 0; i < 1000; ++i) chinese += "\xE6\x98\xAF";
        const auto cut = classifyAnswer(ProtocolKind::OpenAi, ended(400), openAi("bad", chinese));
        QVERIFY(cut->message.size() <= 2048 && cut->message.ends_with("\xE6\x98\xAF"));
        const auto page =
            classifyAnswer(ProtocolKind::OpenAi, ended(502), "<html><head><title>502 Bad Gateway</title></head>");
        QCOMPARE(page->message, std::string("HTTP 502: 502 Bad Gateway"));
    }

    void whatMayHaveBeenExecutedMayHaveBeenCharged()
    {
        const auto charged = [](int status) {
            return classifyAnswer(ProtocolKind::OpenAi, ended(status), "")->charged;
        };
        QVERIFY(charged(500) && charged(502) && charged(504));
        QVERIFY(!charged(429) && !charged(503) && !charged(400) && !charged(401));
    }

    void limitsAreLearntFromHeaders()
    {
        const WallTime now = *momentFrom("2026-11-22T14:00:00Z");
        auto learnt = learntLimits(ended(200, {{"x-ratelimit-limit-requests", "60"},
                                               {"x-ratelimit-remaining-requests", "59"},
                                               {"x-ratelimit-reset-requests", "1s"},
                                               {"x-ratelimit-limit-tokens", "150000"},
                                               {"x-ratelimit-remaining-tokens", "149984"},
                                               {"x-ratelimit-reset-tokens", "6ms"}}),
                                   now);
        QCOMPARE(learnt.size(), std::size_t(2));
        QVERIFY(learnt[0].unit == LimitUnit::Requests && learnt[0].limit == 60 && learnt[0].remaining == 59 &&
                learnt[0].resetAfter == milliseconds(1000));
        QVERIFY(learnt[1].unit == LimitUnit::TotalTokens && learnt[1].resetAfter == milliseconds(6));
        learnt = learntLimits(ended(200, {{"anthropic-ratelimit-input-tokens-limit", "40000"},
                                          {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                          {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T14:00:12Z"}}),
                              now);
        QCOMPARE(learnt.size(), std::size_t(1));
        QVERIFY(learnt[0].unit == LimitUnit::InputTokens && learnt[0].remaining == 0 &&
                learnt[0].resetAfter == milliseconds(12'000));
        QVERIFY(learntLimits(
                    ended(200, {{"x-ratelimit-limit-requests", "many"}, {"x-ratelimit-remaining-requests", "-1"}}), now)
                    .empty());
        QVERIFY(learntLimits(ended(200), now).empty());
    }
};

QTEST_GUILESS_MAIN(FailuresTest)
#include "failures_test.moc"
