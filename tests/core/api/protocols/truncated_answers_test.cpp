// Good answers cut at every byte, and with every byte changed: never a success by accident, never a crash.
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;

namespace {

struct Good {
    const char* name;
    ProtocolKind protocol;
    RouteKind route;
    Json request;
    std::string body;
};

std::vector<Good> goods()
{
    const Json prompt{{"prompt", "p"}};
    return {
        {"openai text", ProtocolKind::OpenAi, RouteKind::Text, prompt,
         "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a "
         "\\\"chair\\\" "
         "\\u00e9\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3}}"},
        {"openai picture", ProtocolKind::OpenAi, RouteKind::Image, prompt,
         "{\"created\":1,\"data\":[{\"b64_json\":\"iVBORw0KGgp0aW55\"}],\"usage\":{\"input_tokens\":1,\"output_"
         "tokens\":2}}"},
        {"openai address", ProtocolKind::OpenAi, RouteKind::Image, prompt,
         "{\"data\":[{\"url\":\"https://cdn.example.com/a.png\"}]}"},
        {"openai embedding", ProtocolKind::OpenAi, RouteKind::Embedding, Json{{"text", "a"}},
         "{\"data\":[{\"index\":0,\"embedding\":[0.25,-1e-3,3]}],\"model\":\"m\"}"},
        {"gemini text", ProtocolKind::Gemini, RouteKind::Text, prompt,
         "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"a "
         "chair\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":12}}"},
        {"gemini picture", ProtocolKind::Gemini, RouteKind::Image, prompt,
         "{\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/"
         "png\",\"data\":\"iVBORw0KGgp0aW55\"}}]},\"finishReason\":\"STOP\"}]}"},
        {"anthropic text", ProtocolKind::Anthropic, RouteKind::Text, prompt,
         "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"a "
         "chair\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":10,\"output_tokens\":3}}"},
        {"model service", ProtocolKind::ModelService, RouteKind::Model, Json{{"x", 1}},
         "{\"outputs\":{\"score\":0.5,\"mask\":{\"base64\":\"iVBORw0KGgp0aW55\",\"media_type\":\"image/png\"}}}"},
        {"remote job", ProtocolKind::RemoteJob, RouteKind::Text, prompt, "{\"id\":\"job-1\",\"status\":\"queued\"}"},
    };
}

} // namespace

class TruncatedAnswersTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void wholeAnswersAreTaken()
    {
        for (const Good& good : goods()) {
            const TalkWorld world(good.protocol);
            QVERIFY2(!shown(answered(*world.begin(good.route, good.request), good.body)).starts_with("Lying"),
                     good.name);
        }
    }

    void cutAtAnyByteTheyAreNoSuccess()
    {
        for (const Good& good : goods()) {
            const TalkWorld world(good.protocol);
            for (std::size_t length = 0; length < good.body.size(); ++length) {
                const std::string what =
                    shown(answered(*world.begin(good.route, good.request), good.body.substr(0, length)));
                QVERIFY2(what.starts_with("LyingSuccess"),
                         (std::string(good.name) + " at " + std::to_string(length) + ": " + what).c_str());
            }
        }
    }

    // Some changes leave a good answer (another letter of its text): what counts is that nothing breaks.
    void changedBytesBreakNothing()
    {
        int outcomes = 0;
        for (const Good& good : goods()) {
            const TalkWorld world(good.protocol);
            for (std::size_t at = 0; at < good.body.size(); ++at)
                for (const char byte : {'\0', '"', '{', '}', '[', ']', '9', '-', '\xFF', ',', '\\'}) {
                    std::string body = good.body;
                    body[at] = byte;
                    outcomes += shown(answered(*world.begin(good.route, good.request), body)).empty() ? 0 : 1;
                }
        }
        QVERIFY(outcomes > 5'000);
    }

    void everyStatusWithEveryBodyHasAnOutcome()
    {
        for (const Good& good : goods())
            for (int status = 0; status < 1000; status += status < 600 ? 1 : 37) {
                const TalkWorld world(good.protocol);
                const auto talk = world.begin(good.route, good.request);
                const NextMove move = answered(*talk, status % 2 == 0 ? good.body : "<html>", status);
                QVERIFY(status / 100 == 2 || !std::holds_alternative<ProtocolAnswer>(move));
            }
    }
};

QTEST_GUILESS_MAIN(TruncatedAnswersTest)
#include "truncated_answers_test.moc"
