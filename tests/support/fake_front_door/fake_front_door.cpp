// A front door without an engine: jobs whose course the environment decides, so that the program's own part (screens,
// signals, exit codes) is tested exactly.
//   FAKE_ITEMS=24 FAKE_FAIL=2   how many, and how many of them fail
//   FAKE_COURSE=finish          ends by itself
//               hang            until it is told to stop
//               stubborn        until it is told to stop now
//               stuck           never
//   FAKE_ERROR=provider.auth    does not start
//   FAKE_PROVIDERS=none, refused, away   nobody is configured; a key is refused; nobody answers
#include "aiflow/engine.h"
#include "aiflow/job_client.h"
#include "aiflow/providers.h"
#include "aiflow/rehearsal.h"
#include "aiflow/workspace.h"

#include <condition_variable>
#include <cstdlib>
#include <fmt/format.h>
#include <mutex>

namespace aiflow {

namespace {

std::string environment(const char* name, const char* otherwise)
{
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

class FakeSession : public JobSession {
public:
    explicit FakeSession(const BatchRequest& request) : m_course(environment("FAKE_COURSE", "finish"))
    {
        m_items = std::stoll(environment("FAKE_ITEMS", "24"));
        m_failing = std::stoll(environment("FAKE_FAIL", "0"));
        m_preparation.job = "fa4e01";
        m_preparation.pipeline = "hero-image";
        m_preparation.steps = {"load", "compose"};
        m_preparation.input = request.input.string();
        m_preparation.encoding = "GB18030";
        m_preparation.columns = 12;
        m_preparation.total = m_items;
        m_preparation.output = request.output.value_or("out");
        m_snapshot.job = m_preparation.job;
        m_snapshot.pipeline = m_preparation.pipeline;
        m_snapshot.input = m_preparation.input;
        m_snapshot.output = m_preparation.output.string();
        m_snapshot.total = m_items;
        m_snapshot.items[TaskState::Queued] = m_items;
        for (const std::string& name : m_preparation.steps) {
            StepSnapshot step;
            step.name = step.titleEn = step.titleZh = name;
            step.counts[TaskState::Queued] = m_items;
            m_snapshot.steps.push_back(step);
        }
    }

    const Preparation& preparation() const override { return m_preparation; }

    Result<JobReport> run(std::function<void(const EventLine&)> onEvent) override
    {
        m_onEvent = std::move(onEvent);
        emit("job_started", fmt::format(R"(,"job":"fa4e01","items":{})", m_items));
        const bool waits = m_course != "finish";
        const std::int64_t now = waits ? m_items / 2 : m_items;
        for (std::int64_t i = 0; i < now; ++i) finishItem(i);
        if (waits) waitForStop();
        return conclude();
    }

    JobSnapshot snapshot() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_snapshot;
    }
    EventLine progressLine() const override { return {0, "progress", R"({"v":1,"type":"progress","job":"fa4e01"})"}; }
    void stop(bool now) override
    {
        const std::lock_guard lock(m_mutex);
        m_stop = std::max(m_stop, now ? 2 : 1);
        m_changed.notify_all();
    }
    void pause() override {}
    void resume() override {}

protected:
    Preparation m_preparation;

private:
    void emit(const std::string& type, const std::string& members)
    {
        ++m_seq;
        m_onEvent({m_seq, type,
                   fmt::format(R"({{"v":1,"seq":{},"ts":"2026-11-22T02:00:00.012+08:00","type":"{}"{}}})", m_seq, type,
                               members)});
    }

    void finishItem(std::int64_t i)
    {
        const bool failed = i < m_failing;
        {
            const std::lock_guard lock(m_mutex);
            --m_snapshot.items[TaskState::Queued];
            ++m_snapshot.items[failed ? TaskState::Failed : TaskState::Succeeded];
            for (StepSnapshot& step : m_snapshot.steps) {
                --step.counts[TaskState::Queued];
                ++step.counts[failed ? TaskState::Failed : TaskState::Succeeded];
            }
            if (failed) addFailure(i);
        }
        const std::string item = fmt::format(R"(,"job":"fa4e01","item":"SKU-{}","line":{},"state":"{}")", i, i + 2,
                                             failed ? "failed" : "succeeded");
        const std::string why =
            R"(,"step":"load","reason":"input.image_missing","message":"images/\u001b[31mno.jpg not found")";
        emit("item_finished", item + (failed ? why : ""));
    }

    void addFailure(std::int64_t i)
    {
        if (m_snapshot.failures.empty()) {
            FailureGroupSnapshot group;
            group.reason = Reason::InputImageMissing;
            group.step = "load";
            group.message = "images/<name> not found";
            m_snapshot.failures.push_back(group);
        }
        ++m_snapshot.failures.front().count;
        if (i < 5) m_snapshot.failures.front().sampleItems.push_back(fmt::format("SKU-{}", i));
    }

    void waitForStop()
    {
        std::unique_lock lock(m_mutex);
        const int enough = m_course == "hang" ? 1 : m_course == "stubborn" ? 2 : 3;
        for (StepSnapshot& step : m_snapshot.steps) step.inFlight = 1;
        m_changed.wait(lock, [&] { return m_stop >= enough; });
    }

    JobReport conclude()
    {
        JobReport report;
        const bool complete = m_snapshot.items[TaskState::Queued] == 0;
        m_snapshot.state = !complete ? JobState::Interrupted : m_failing > 0 ? JobState::Partial : JobState::Succeeded;
        report.exitCode = !complete ? 1 : m_failing > 0 ? 3 : 0;
        m_snapshot.exitCode = report.exitCode;
        emit("job_finished", fmt::format(R"(,"job":"fa4e01","outcome":"{}","exit_code":{})", info(m_snapshot.state).key,
                                         report.exitCode));
        report.snapshot = m_snapshot;
        report.tasksRun = m_items;
        return report;
    }

    std::string m_course;
    std::int64_t m_items = 0, m_failing = 0, m_seq = 0;
    std::function<void(const EventLine&)> m_onEvent;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    JobSnapshot m_snapshot;
    int m_stop = 0;
};

Result<std::unique_ptr<JobSession>> open(const BatchRequest& request)
{
    const std::string error = environment("FAKE_ERROR", "");
    if (error.empty()) return std::make_unique<FakeSession>(request);
    Error made{reasonFromCode(error).value_or(Reason::Internal), "as asked", "a way out", std::nullopt};
    made.where = SourcePosition{"products.csv", 3, 7, -1};
    return tl::unexpected(made);
}

} // namespace

Result<std::unique_ptr<JobSession>> JobSession::batch(const Surroundings&, const BatchRequest& request,
                                                      const CheckProgress& progress)
{
    if (progress) progress(12);
    return open(request);
}

namespace {

std::string faultText(const RehearsalFault& fault)
{
    return fmt::format("fault {} share={} who={} from={} lasting={}", static_cast<int>(fault.kind), fault.share,
                       fault.account.empty() ? fault.provider : fault.account, fault.from.count(),
                       fault.lasting ? fault.lasting->count() : -1);
}

std::shared_ptr<RehearsalReport> rehearsalReport(const RehearsalRequest& request)
{
    auto report = std::make_shared<RehearsalReport>();
    report->speed = request.speed;
    report->took = std::chrono::seconds(41);
    report->serviceTime = std::chrono::seconds(778);
    report->localTime = std::chrono::seconds(31);
    report->cost = {{0.84, "USD"}, {2.1, "CNY"}};
    report->calls = 42;
    report->highestConcurrency = 8;
    report->accounts = {{"openai/main", 28, 0, 6, {0.84, "USD"}}, {"qwen/图像", 14, 0, 2, {2.1, "CNY"}}};
    report->troubles = {{"throttled", 12}, {"timed_out", 3}};
    report->failures = {{"SKU-0", 2, "load", Reason::InputImageMissing, "images/\x1b[31mno.jpg not found"}};
    return report;
}

class FakeRehearsal final : public FakeSession {
public:
    explicit FakeRehearsal(const RehearsalRequest& request) : FakeSession(request.batch), m_request(request)
    {
        m_preparation.rehearsalSpeed = request.speed;
        for (const RehearsalFault& fault : request.faults) m_preparation.notes.push_back(faultText(fault));
    }
    Result<JobReport> run(std::function<void(const EventLine&)> onEvent) override
    {
        auto report = FakeSession::run(std::move(onEvent));
        if (report) report->rehearsal = rehearsalReport(m_request);
        return report;
    }

private:
    RehearsalRequest m_request;
};

} // namespace

Result<std::unique_ptr<JobSession>> rehearse(const Surroundings&, const RehearsalRequest& request, const CheckProgress&)
{
    if (auto session = open(request.batch); !session) return session;
    return std::make_unique<FakeRehearsal>(request);
}

Result<ProviderList> listProviders(const Surroundings&)
{
    ProviderList list;
    if (environment("FAKE_PROVIDERS", "") == "none") return list;
    ProviderAccountLine main{
        "openai/main", "env:OPENAI_API_KEY", KeyState::Found, {}, "60 requests/min, 8 at once", "acme", ""};
    ProviderAccountLine second = main;
    second.name = "openai/second";
    second.keySource = "file:second.key";
    second.key = KeyState::Missing;
    second.problem = Error{Reason::ProviderAuth, "no file second.key", "write the key into it", std::nullopt};
    ProviderAccountLine local{"ollama/default", "", KeyState::NotNeeded, {}, "", "", ""};
    list.providers = {{"openai", "OpenAI", "openai", "https://api.openai.com/v1", "asked again", "", {main, second}},
                      {"ollama", "", "openai", "http://127.0.0.1:11434/v1", "asked again", "2 at once", {local}}};
    list.models = {{"small", "openai", "gpt-4o-mini", "0.15 USD/M in, 0.60 USD/M out", 128'000, 4'096, ""},
                   {"local", "ollama", "qwen3", "unknown", 0, 4'096, "1 at once"}};
    list.routes = {{"text", "text", {"small", "local"}, "in this order"}};
    list.organisations = {"acme: 500 requests/min"};
    return list;
}

Result<std::vector<AccountTest>> testProviders(const Surroundings&, const std::optional<std::string>& provider,
                                               const std::function<void(const AccountTest&)>& told)
{
    if (provider && provider != "openai" && provider != "ollama")
        return fail(Reason::UsageInvalid, "no provider is called \"" + *provider + "\"", "there are: openai, ollama");
    const std::string how = environment("FAKE_PROVIDERS", "");
    AccountTest main{"openai/main", AccountVerdict::Good, "answered", "", std::chrono::milliseconds(312)};
    if (how == "refused")
        main = {"openai/main", AccountVerdict::KeyRefused, "401 Unauthorized", "export OPENAI_API_KEY=...", {}};
    if (how == "away") main = {"openai/main", AccountVerdict::CannotConnect, "no such host", "check base_url", {}};
    std::vector<AccountTest> tests{main};
    if (!provider)
        tests.push_back({"ollama/default", AccountVerdict::Good, "answered", "", std::chrono::milliseconds(4)});
    for (const AccountTest& test : tests) told(test);
    return tests;
}

int exitCodeOf(const std::vector<AccountTest>& tests) noexcept
{
    for (const AccountTest& test : tests)
        if (test.verdict == AccountVerdict::KeyRefused) return 4;
    for (const AccountTest& test : tests)
        if (test.verdict != AccountVerdict::Good) return 5;
    return 0;
}

Result<std::unique_ptr<JobSession>> JobSession::resume(const Surroundings&, const std::string&,
                                                       const BatchRequest& options)
{
    return open(options);
}

Result<std::unique_ptr<JobSession>> JobSession::retry(const Surroundings&, const std::string&, const RetrySelection&,
                                                      const BatchRequest& options)
{
    return open(options);
}

Result<std::unique_ptr<JobClient>> JobClient::open(const std::optional<std::filesystem::path>&)
{
    return fail(Reason::JobNotFound, "there is no job here");
}

Result<std::unique_ptr<Workspace>> Workspace::open(const Surroundings&)
{
    return fail(Reason::ConfigInvalid, "there is no workspace here");
}

int exitCodeOf(const Error& error) noexcept
{
    switch (error.reason) {
    case Reason::ProviderAuth:
        return 4;
    case Reason::JobLocked:
        return 11;
    case Reason::Internal:
        return 1;
    default:
        return 2;
    }
}

} // namespace aiflow
