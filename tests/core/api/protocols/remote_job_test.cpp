// Remote jobs: submitted once, polled through every trouble, fetched, gone on with, and found again.
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;
using std::chrono::milliseconds;

namespace {

const Json kPrompt{{"prompt", "a chair"}};

std::string urlOf(const NextMove& move)
{
    if (const auto* exchange = std::get_if<Exchange>(&move)) return exchange->http.url;
    if (const auto* kept = std::get_if<KeepRemoteId>(&move)) return kept->next.http.url;
    return shown(move);
}

milliseconds pauseOf(const NextMove& move)
{
    if (const auto* exchange = std::get_if<Exchange>(&move)) return exchange->after;
    if (const auto* kept = std::get_if<KeepRemoteId>(&move)) return kept->next.after;
    return milliseconds(-1);
}

std::string state(const std::string& word, const Json& more = Json::object())
{
    Json body{{"id", "job-1"}, {"status", word}};
    body.update(more);
    return dumpJson(body);
}

// A conversation that has submitted and knows its job.
struct Job {
    TalkWorld world;
    std::unique_ptr<Conversation> talk;
    NextMove kept;

    explicit Job(RouteKind kind = RouteKind::Text, Json options = Json::object())
        : world(ProtocolKind::RemoteJob, std::move(options)), talk(world.begin(kind, kPrompt)),
          kept(answered(*talk, state("queued"), 202))
    {
    }
    NextMove poll(const std::string& body, int status = 200, Headers headers = {}) const
    {
        return answered(*talk, body, status, std::move(headers));
    }
};

} // namespace

class RemoteJobTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theIdIsKeptBeforeTheFirstPoll()
    {
        const Job job;
        QCOMPARE(shown(job.kept), std::string("keep id"));
        const KeepRemoteId& kept = std::get<KeepRemoteId>(job.kept);
        QCOMPARE(kept.id, std::string("job-1"));
        QCOMPARE(kept.next.http.url, std::string("https://api.example.com/v1/jobs/job-1"));
        QCOMPARE(kept.next.http.method, std::string("GET"));
        QVERIFY(!kept.next.paid && kept.next.http.body == nullptr);
        QCOMPARE(kept.next.after, milliseconds(2'000));
    }

    void pollsComeSlowerAndAsTheProviderSays()
    {
        const Job job;
        QCOMPARE(pauseOf(job.poll(state("running"))), milliseconds(3'000));
        QCOMPARE(pauseOf(job.poll(state("RUNNING"))), milliseconds(4'500));
        QCOMPARE(pauseOf(job.poll(state("queued"), 200, {{"retry-after", "9"}})), milliseconds(9'000));
        for (int i = 0; i < 10; ++i) job.poll(state("running"));
        QCOMPARE(pauseOf(job.poll(state("running"))), milliseconds(15'000));
        const Job own(RouteKind::Text, {{"interval_ms", 100}, {"longest_interval_ms", 120}});
        QCOMPARE(pauseOf(own.kept), milliseconds(100));
        QCOMPARE(pauseOf(own.poll(state("running"))), milliseconds(120));
    }

    void aCallBackMakesTheNextPollWorthMakingNow()
    {
        const Job job;
        job.talk->calledBack();
        QCOMPARE(pauseOf(job.poll(state("running"))), milliseconds(0));
        QVERIFY(pauseOf(job.poll(state("running"))) > milliseconds(0));
    }

    void resultsAreTexts()
    {
        const auto text = [](const Json& output) {
            const Job job;
            const NextMove move = job.poll(
                state("succeeded", {{"output", output}, {"usage", {{"input_tokens", 5}, {"output_tokens", 6}}}}));
            if (!std::holds_alternative<ProtocolAnswer>(move)) return shown(move);
            const auto& answer = std::get<ProtocolAnswer>(move);
            return (*answer.body)["text"].get<std::string>() + "|" + std::to_string(answer.usage.outputTokens) + "|" +
                   answer.requestId;
        };
        QCOMPARE(text("a chair"), std::string("a chair|6|job-1"));
        QCOMPARE(text({{"text", "a chair"}}), std::string("a chair|6|job-1"));
        QCOMPARE(text({"a ", "chair"}), std::string("a chair|6|job-1"));
        QVERIFY(text({{"name", "chair"}}).starts_with("{\"name\":\"chair\"}"));
        QVERIFY(text("  ").starts_with("LyingSuccess"));
        QVERIFY(text(nullptr).starts_with("LyingSuccess"));
    }

    void anObjectThatASchemaAskedForIsKeptWhole()
    {
        const TalkWorld world(ProtocolKind::RemoteJob);
        const auto talk = world.protocol().resume(
            world.plan(RouteKind::Text, {{"prompt", "p"}, {"schema", {{"type", "object"}}}}), "job-1");
        const NextMove move = answered(*talk, state("done", {{"output", {{"text", "a"}, {"lang", "en"}}}}));
        QVERIFY(std::holds_alternative<ProtocolAnswer>(move));
        QCOMPARE((*std::get<ProtocolAnswer>(move).body)["text"].get<std::string>(),
                 dumpJson({{"text", "a"}, {"lang", "en"}}));
    }

    void resultsArePictures()
    {
        const auto kind = [](const Json& output, Json options = Json::object()) {
            const Job job(RouteKind::Image, std::move(options));
            return urlOf(job.poll(state("done", {{"output", output}})));
        };
        const std::string url = "https://cdn.example.com/a.png";
        for (const Json& output : {Json(url), Json{{"url", url}}, Json{{{"url", url}}}, Json{{"images", {url}}},
                                   Json{{"image", {{"url", url}}}}})
            QCOMPARE(kind(output), url);
        QCOMPARE(kind("data:image/png;base64," + kPngBase64), std::string("answer"));
        QCOMPARE(kind({{"b64_json", kPngBase64}}), std::string("answer"));
        QCOMPARE(kind({{"deep", {{"here", url}}}}, {{"files", "/output/deep/here"}}), url);
        QVERIFY(kind({{"note", "nothing"}}).starts_with("LyingSuccess"));
        QVERIFY(kind(Json::array()).starts_with("LyingSuccess"));
    }

    void resultsMayStandElsewhere()
    {
        const Job job(RouteKind::Text, {{"fetch", "/jobs/{id}/result"}, {"result", "/answer"}});
        const NextMove move = job.poll(state("completed"));
        QCOMPARE(urlOf(move), std::string("https://api.example.com/v1/jobs/job-1/result"));
        QCOMPARE(shown(job.poll("", 503)), std::string("exchange"));
        QCOMPARE(shown(job.poll("", 404)), std::string("exchange"));
        QCOMPARE(shown(job.poll("{\"answer\":\"a chair\"}")), std::string("answer"));
    }

    void aForeignServiceIsSpokenToByOptions()
    {
        const Job job(RouteKind::Image, {{"id", "/output/task_id"},
                                         {"status", "/output/task_status"},
                                         {"poll", "/tasks/{id}"},
                                         {"result", "/output/results"},
                                         {"error", "/output"}});
        const TalkWorld world(ProtocolKind::RemoteJob, *job.world.settings.providers[0].options);
        const auto talk = world.begin(RouteKind::Image, kPrompt);
        QCOMPARE(urlOf(answered(*talk, "{\"output\":{\"task_id\":\"t/1\",\"task_status\":\"PENDING\"}}")),
                 std::string("https://api.example.com/v1/tasks/t%2F1"));
        QCOMPARE(shown(answered(*talk, "{\"output\":{\"task_status\":\"RUNNING\"}}")), std::string("exchange"));
        QCOMPARE(
            urlOf(answered(
                *talk,
                "{\"output\":{\"task_status\":\"SUCCEEDED\",\"results\":[{\"url\":\"https://cdn.example.com/1\"}]}}")),
            std::string("https://cdn.example.com/1"));
    }

    void failedJobsSayWhy()
    {
        const auto why = [](const Json& error) { return shown(Job().poll(state("failed", {{"error", error}}))); };
        QCOMPARE(why("out of memory"), std::string("JobFailed: the remote job failed: out of memory"));
        QVERIFY(why({{"code", "content_policy_violation"}, {"message", "no"}}).starts_with("ContentRefused"));
        QVERIFY(why({{"code", "insufficient_quota"}, {"message", "no"}}).starts_with("QuotaExhausted"));
        QVERIFY(why(nullptr).starts_with("JobFailed"));
        QVERIFY(shown(Job().poll(state("CANCELED"))).starts_with("JobFailed"));
        QVERIFY(shown(Job(RouteKind::Text, {{"failed", {"broken"}}}).poll(state("broken"))).starts_with("JobFailed"));
    }

    void troubleWhilePollingLosesNothing()
    {
        const Job job;
        for (const int status : {500, 502, 503, 504, 429, 408, 409, 425, 520, 524})
            QCOMPARE(shown(job.poll("<html>", status)), std::string("exchange"));
        HttpEnd broken;
        for (const HttpEnding ending : {HttpEnding::Broken, HttpEnding::NotSent, HttpEnding::TimedOut}) {
            broken.ending = ending;
            const auto again = job.talk->again(broken);
            QVERIFY(again && again->http.url == "https://api.example.com/v1/jobs/job-1" && again->after.count() > 0);
        }
        broken.ending = HttpEnding::Cancelled;
        QVERIFY(!job.talk->again(broken));
        QCOMPARE(shown(job.poll("<html>busy</html>")), std::string("exchange"));
        QCOMPARE(shown(job.poll("")), std::string("exchange"));
        QCOMPARE(shown(job.poll(state("running"))), std::string("exchange"));
        QCOMPARE(shown(job.poll(state("succeeded", {{"output", "a chair"}}))), std::string("answer"));
    }

    void nonsenseIsBorneForAWhileOnly()
    {
        const Job job;
        QCOMPARE(shown(job.poll("nonsense")), std::string("exchange"));
        QCOMPARE(shown(job.poll("{}")), std::string("exchange"));
        QVERIFY(shown(job.poll("nonsense")).starts_with("LyingSuccess"));
        const Job gone;
        QCOMPARE(shown(gone.poll("", 404)), std::string("exchange"));
        QCOMPARE(shown(gone.poll("", 404)), std::string("exchange"));
        QVERIFY(shown(gone.poll("", 404)).starts_with("JobFailed"));
        QVERIFY(shown(Job().poll("", 401)).starts_with("KeyRefused"));
        QVERIFY(shown(Job().poll("", 400)).starts_with("JobFailed"));
    }

    void unknownWordsMeanNotYetUntilPatienceEnds()
    {
        const Job job(RouteKind::Text, {{"patience_ms", 60'000}});
        NextMove move = job.poll(state("cooking"));
        int polls = 0;
        while (std::holds_alternative<Exchange>(move) && ++polls < 100) move = job.poll(state("cooking"));
        QVERIFY2(shown(move).starts_with("LyingSuccess") && shown(move).find("cooking") != std::string::npos,
                 shown(move).c_str());
        QVERIFY(polls >= 4 && polls < 20);
        const Job known(RouteKind::Text, {{"patience_ms", 60'000}, {"running", {"cooking"}}});
        for (int i = 0; i < 15; ++i) QCOMPARE(shown(known.poll(state("cooking"))), std::string("exchange"));
    }

    void aJobThatNeverEndsTimesOut()
    {
        const Job job;
        NextMove move = job.poll(state("running"));
        int polls = 0;
        while (std::holds_alternative<Exchange>(move) && ++polls < 200) move = job.poll(state("running"));
        QVERIFY2(shown(move).starts_with("TimedOut"), shown(move).c_str());
        QVERIFY(polls >= 15 && polls < 40); // 300 s
    }

    void aSubmitIsNeverRepeatedByItself()
    {
        const TalkWorld world(ProtocolKind::RemoteJob);
        const auto talk = world.begin(RouteKind::Text, kPrompt);
        for (const HttpEnding ending : {HttpEnding::NotSent, HttpEnding::Broken, HttpEnding::TimedOut}) {
            HttpEnd end;
            end.ending = ending;
            QVERIFY(!talk->again(end));
        }
        QVERIFY(shown(answered(*talk, "", 504)).starts_with("TimedOut"));
        QVERIFY(shown(answered(*world.begin(RouteKind::Text, kPrompt), "", 429, {{"retry-after", "3"}}))
                    .starts_with("Throttled"));
    }

    void idsThatCannotBeAreLies()
    {
        for (const char* body : {"{}", "{\"id\":null}", "{\"id\":\"\"}", "{\"id\":\"..\"}", "{\"id\":{\"a\":1}}"}) {
            const TalkWorld world(ProtocolKind::RemoteJob);
            QVERIFY2(shown(answered(*world.begin(RouteKind::Text, kPrompt), body)).starts_with("LyingSuccess"), body);
        }
        const TalkWorld world(ProtocolKind::RemoteJob);
        QCOMPARE(urlOf(answered(*world.begin(RouteKind::Text, kPrompt), "{\"id\":42}")),
                 std::string("https://api.example.com/v1/jobs/42"));
        QCOMPARE(urlOf(answered(*world.begin(RouteKind::Text, kPrompt), "{\"id\":\"https://evil.example.com/x?y\"}")),
                 std::string("https://api.example.com/v1/jobs/https%3A%2F%2Fevil.example.com%2Fx%3Fy"));
    }

    void anotherProcessGoesOnByTheId()
    {
        const TalkWorld world(ProtocolKind::RemoteJob);
        const auto talk = world.protocol().resume(world.plan(RouteKind::Text, kPrompt), "job-1");
        QVERIFY(talk);
        const auto first = talk->first();
        QVERIFY(first && !first->paid);
        QCOMPARE(first->http.url, std::string("https://api.example.com/v1/jobs/job-1"));
        QCOMPARE(first->after, milliseconds(0));
        QCOMPARE(shown(answered(*talk, state("succeeded", {{"output", "a chair"}}))), std::string("answer"));
        QVERIFY(protocolOf(ProtocolKind::OpenAi).resume(world.plan(RouteKind::Text, kPrompt), "x") == nullptr);
    }

    void aLostSubmitIsLookedUp()
    {
        const TalkWorld world(ProtocolKind::RemoteJob,
                              {{"reference", "ref"}, {"lookup", "/jobs?reference={reference}"}});
        const auto look = [&](const std::string& body, int status = 200) {
            const auto talk = world.protocol().lookUp(world.plan(RouteKind::Text, kPrompt));
            const auto first = talk->first();
            if (!first || first->http.url != "https://api.example.com/v1/jobs?reference=at-1" || first->paid)
                return std::string("wrong question");
            const NextMove move = answered(*talk, body, status);
            return shown(move) + (std::holds_alternative<KeepRemoteId>(move) ? " " + urlOf(move) : "");
        };
        const std::string found = "keep id https://api.example.com/v1/jobs/job-7";
        QCOMPARE(look("{\"jobs\":[{\"id\":\"job-7\",\"status\":\"running\"}]}"), found);
        QCOMPARE(look("{\"data\":[{\"id\":\"job-7\"}]}"), found);
        QCOMPARE(look("[{\"id\":\"job-7\"}]"), found);
        QCOMPARE(look("{\"id\":\"job-7\"}"), found);
        QVERIFY(look("{\"jobs\":[]}").starts_with("NotSent"));
        QVERIFY(look("", 404).starts_with("NotSent"));
        QCOMPARE(look("", 503), std::string("exchange"));
        QVERIFY(look("<html>").starts_with("LyingSuccess"));
        QVERIFY(look("", 401).starts_with("KeyRefused"));
        const TalkWorld without(ProtocolKind::RemoteJob);
        QVERIFY(without.protocol().lookUp(without.plan(RouteKind::Text, kPrompt)) == nullptr);
        QVERIFY(protocolOf(ProtocolKind::OpenAi).lookUp(world.plan(RouteKind::Text, kPrompt)) == nullptr);
    }

    void truncatedAnswersWhilePollingAreNeverTakenForResults()
    {
        const std::string whole = state("succeeded", {{"output", "a chair"}});
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const Job job;
            const std::string what = shown(job.poll(whole.substr(0, length)));
            QVERIFY2(what == "exchange", (std::to_string(length) + what).c_str());
        }
    }
};

QTEST_GUILESS_MAIN(RemoteJobTest)
#include "remote_job_test.moc"
