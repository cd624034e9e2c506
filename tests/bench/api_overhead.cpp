// What an API step costs of our own: 20,000 items x 3 chained no-op calls through the real engine, lane, libcurl,
// shared limits and a durable journal, against simulated services in a process of their own. Beside it a bare libcurl
// loop. bench_api_overhead [items] [folder]; the last line is one JSON object.
#include "core/api/lane/network_lane.h"
#include "core/base/json.h"
#include "core/engine/job_runner.h"
#include "core/pipeline/loader.h"
#include "core/rehearsal/simulated_provider.h"
#include "core/store/limits/limit_database.h"
#include "tests/support/must.h"
#include "tests/support/product_rows.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <curl/curl.h>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace aiflow;
using aiflow::test::must;
using aiflow::test::ProductRows;
using namespace std::chrono_literals;

namespace {

constexpr int kSteps = 3;
constexpr std::int64_t kBareOpen = 64;

const char* const kPipeline = "aiflow: 1\nname: bench\ninput:\n  id: sku\n  columns:\n    sku: { type: text }\nsteps:\n"
                              "  a: { api: text, prompt: \"Write about {{item.sku}}\" }\n"
                              "  b: { api: text, prompt: \"Shorten {{a.text}} for {{item.sku}}\" }\n"
                              "  c: { api: text, prompt: \"Translate {{b.text}} for {{item.sku}}\" }\n";

class Catalog final : public StepCatalog {
public:
    const Signature* findOp(std::string_view) const override { return nullptr; }
    const Signature* findModel(std::string_view) const override { return nullptr; }
    bool hasRoute(std::string_view) const override { return true; }
    std::string routeKind(std::string_view) const override { return "text"; }
    std::string routeIdentity(std::string_view) const override { return "text"; }
    std::vector<std::string> opNames() const override { return {}; }
    std::vector<std::string> modelNames() const override { return {}; }
    std::vector<std::string> routeNames() const override { return {}; }
};

// ---- figures of this process

struct Used {
    double user = 0, system = 0;
    double cpu() const { return user + system; }
    static Used now()
    {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
        };
        return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
    }
};

double peakMiB()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

Json figures(std::int64_t calls, const Used& before, std::chrono::steady_clock::time_point start)
{
    const Used after = Used::now();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto count = static_cast<double>(calls);
    return {{"steps_per_s", count / seconds},
            {"cpu_ms_per_step", (after.cpu() - before.cpu()) * 1e3 / count},
            {"user_ms_per_step", (after.user - before.user) * 1e3 / count},
            {"rss_mib", peakMiB()}};
}

// In a process of its own, so that memory and CPU are of this measurement alone.
Json apart(const std::function<Json()>& measure)
{
    int ends[2];
    if (::pipe(ends) != 0) std::exit(1);
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string text = measure().dump();
        const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
        std::_Exit(written ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return must(parseJson(text));
}

// ---- the services, in a process of their own

LimitSet generousLimits()
{
    LimitSet limits;
    limits.windows = {{LimitUnit::Requests, 10'000'000, 60s}};
    limits.concurrency = 256;
    return limits;
}

SimulatedWorld world()
{
    SimulatedModel model;
    model.name = "m";
    model.price.perCall = nanosOf(0.0001);
    model.price.currency = "USD";
    model.outputTokens = 20;
    SimulatedService service;
    service.name = "svc";
    service.accounts.push_back({"main", "sk-bench", generousLimits(), {}});
    service.models.push_back(model);
    SimulatedWorld world;
    world.services.push_back(service);
    world.keepEntries = false;
    return world;
}

struct Services {
    Services()
    {
        int toUs[2], toThem[2];
        if (::pipe(toUs) != 0 || ::pipe(toThem) != 0) std::exit(1);
        pid = ::fork();
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(toThem[1]);
            auto provider = must(SimulatedProvider::start(world()));
            const std::string url = provider->baseUrl("svc") + "\n";
            std::ignore = ::write(toUs[1], url.data(), url.size());
            char byte = 0;
            std::ignore = ::read(toThem[0], &byte, 1); // until our end is closed
            const Verdict verdict = provider->verdict();
            const std::string text = Json{{"calls", verdict.calls},
                                          {"paid_twice", verdict.paidTwice},
                                          {"violations", verdict.violations},
                                          {"open_at_once", verdict.highestConcurrency}}
                                         .dump();
            std::ignore = ::write(toUs[1], text.data(), text.size());
            std::_Exit(0);
        }
        ::close(toUs[1]);
        ::close(toThem[0]);
        m_from = toUs[0];
        m_end = toThem[1];
        for (char c = 0; ::read(m_from, &c, 1) == 1 && c != '\n';) baseUrl += c;
    }

    Json verdict()
    {
        ::close(m_end);
        std::string text;
        char buffer[512];
        for (ssize_t got = 0; (got = ::read(m_from, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(got));
        ::waitpid(pid, nullptr, 0);
        return must(parseJson(text));
    }

    pid_t pid = 0;
    std::string baseUrl;

private:
    int m_from = -1;
    int m_end = -1;
};

ApiSettings settingsFor(const std::string& baseUrl)
{
    ApiSettings settings;
    const SimulatedWorld theirs = world();
    ProviderSettings provider;
    provider.name = "svc";
    provider.baseUrl = baseUrl;
    provider.options = std::make_shared<const Json>(Json::object());
    AccountSettings account;
    account.name = "svc/main";
    account.scope = "svc#bench";
    account.key = std::make_shared<const Secret>(account.name, "sk-bench");
    account.limits = generousLimits();
    provider.accounts.push_back(account);
    settings.providers.push_back(provider);
    ApiModel model;
    model.name = model.remoteName = "m";
    model.provider = 0;
    model.price = theirs.services[0].models[0].price;
    model.maxOutputTokens = 100;
    model.options = std::make_shared<const Json>(Json::object());
    settings.models.push_back(model);
    RouteSettings route;
    route.name = "text";
    route.choices.push_back({0, 1});
    settings.routes.push_back(route);
    return settings;
}

// ---- the two measurements

Json engine(const std::string& baseUrl, std::int64_t items, const std::filesystem::path& folder)
{
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder / "job");
    const SystemClock clock;
    SystemRandom random;
    const auto log = Log::nowhere();
    const auto ops = must(OpRegistry::open({}));
    const Catalog catalog;
    const Pipeline pipeline = must(parsePipeline(kPipeline, folder, "bench.yaml", catalog));
    auto lane = makeNetworkLane({settingsFor(baseUrl), must(makeCurlTransport({}, clock)),
                                 must(openLimitStore(folder, clock)), clock, random, *log});
    const auto artifacts = must(ArtifactStore::open(folder / "artifacts", systemFiles()));
    const auto cache = must(ResultCache::open(folder / "results"));
    const auto journal =
        must(Journal::open(folder / "job" / "journal.db", {.beforeCommit = [&] { return artifacts->sync(); }}));
    const auto reader = must(journal->reader());
    ProductRows rows(items);
    LiveIdentity identity;
    identity.job = "bench";
    identity.total = items;
    for (const Step& step : pipeline.steps) identity.steps.push_back({step.name, {}, {}, "api", step.target});
    const auto live = LiveJob::create(std::move(identity), clock, [&](const EventLine& line) {
        journal->write(EventRecord{line.seq, line.json});
    });
    auto attempts = must(AttemptRecorder::open(*journal, *reader, *artifacts, clock, folder / "job" / "spool"));
    auto runner = must(JobRunner::create({pipeline, rows, *ops, nullptr, lane.get(), *journal, *artifacts, cache.get(),
                                          nullptr, *live, clock, *log, attempts},
                                         {}, {}));
    const Used before = Used::now();
    const auto start = std::chrono::steady_clock::now();
    runner->serveCalls("bench", {});
    const JobEnd end = must(runner->run());
    Json result = figures(items * kSteps, before, start);
    result["succeeded"] = end.items[TaskState::Succeeded];
    result["cost"] = live->snapshot().cost.amount;
    runner.reset();
    lane.reset();
    return result;
}

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// As little as a program can do with libcurl's multi handle: one request again and again, answers thrown away.
Json bare(const std::string& baseUrl, std::int64_t calls)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM* multi = curl_multi_init();
    curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer sk-bench");
    const std::string url = baseUrl + "/chat/completions";
    const std::string body =
        R"({"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Write about it"}]})";
    std::int64_t started = 0, done = 0, failed = 0;
    const auto add = [&](CURL* easy) {
        ++started;
        curl_multi_add_handle(multi, easy);
    };
    const Used before = Used::now();
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < std::min(kBareOpen, calls); ++i) {
        CURL* easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        add(easy);
    }
    while (done < calls) {
        int running = 0, left = 0;
        curl_multi_perform(multi, &running);
        while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
            long status = 0;
            CURL* easy = message->easy_handle;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            failed += message->data.result != CURLE_OK || status != 200;
            ++done;
            curl_multi_remove_handle(multi, easy);
            if (started < calls)
                add(easy);
            else
                curl_easy_cleanup(easy);
        }
        if (done < calls) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    Json result = figures(calls, before, start);
    result["failed"] = failed;
    curl_slist_free_all(headers);
    curl_multi_cleanup(multi);
    return result;
}

} // namespace

int main(int argc, char** argv)
{
    const std::int64_t items = argc > 1 ? std::atoll(argv[1]) : 20'000;
    const std::filesystem::path folder =
        argc > 2 ? std::filesystem::path(argv[2])
                 : std::filesystem::current_path() / "build" / ("api-overhead-" + std::to_string(::getpid()));
    const auto show = [](const char* name, Json line) {
        std::printf("%-28s %s\n", name, line.dump().c_str());
        std::fflush(stdout);
        return line;
    };
    Json result;
    Services services;
    result["engine"] = show("engine, journal durable", apart([&] { return engine(services.baseUrl, items, folder); }));
    result["services"] = show("the services saw", services.verdict());
    Services others;
    result["bare"] = show("bare libcurl loop", apart([&] { return bare(others.baseUrl, items * kSteps); }));
    others.verdict();
    std::filesystem::remove_all(folder);
    result["items"] = items;
    result["bars"] = {{"engine.cpu_ms_per_step", 0.12}, {"engine.steps_per_s", 4000}, {"engine.rss_mib", 60}};
    const auto figure = [&](const char* name) { return result["engine"][name].get<double>(); };
    result["ok"] = figure("cpu_ms_per_step") <= 0.12 && figure("steps_per_s") >= 4000 && figure("rss_mib") <= 60 &&
                   result["engine"]["succeeded"].get<std::int64_t>() == items &&
                   result["services"]["paid_twice"].get<std::int64_t>() == 0 &&
                   result["services"]["violations"].get<std::int64_t>() == 0;
    std::printf("%s\n", result.dump().c_str());
    return result["ok"].get<bool>() ? 0 : 1;
}
