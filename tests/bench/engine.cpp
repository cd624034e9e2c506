// What the engine itself costs: no-op ops through generated pipelines, the journal on and off, parked items, the
// window.
#include "core/base/json.h"
#include "core/engine/job_runner.h"
#include "core/pipeline/loader.h"
#include "tests/support/must.h"
#include "tests/support/product_rows.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace aiflow;
using aiflow::test::must;
using aiflow::test::ProductRows;

namespace {

const char* const kHead = "aiflow: 1\nname: bench\ninput:\n  id: sku\n  columns:\n"
                          "    sku: { type: text }\n    n: { type: integer }\nsteps:\n";

const char* const kChain = "  a: { op: bench.pass, inputs: { a: $item.n } }\n"
                           "  b: { op: bench.pass, inputs: { a: $a.value } }\n"
                           "  c: { op: bench.pass, inputs: { a: $b.value } }\n"
                           "  d: { op: bench.pass, inputs: { a: $c.value } }\n"
                           "  e: { op: bench.pass, inputs: { a: $d.value } }\n"
                           "  f: { op: bench.pass, inputs: { a: $e.value } }\n";

const char* const kTenSteps = "  a: { op: bench.pass, inputs: { a: $item.n } }\n"
                              "  b: { op: bench.pass, inputs: { a: $a.value } }\n"
                              "  c: { op: bench.pass, inputs: { a: $a.value } }\n"
                              "  d: { op: bench.pass, inputs: { a: $b.value, b: $c.value } }\n"
                              "  e: { op: bench.list, inputs: { a: $d.value } }\n"
                              "  f: { op: bench.pass, for_each: $e.list, inputs: { a: $each } }\n"
                              "  g: { op: bench.odd, optional: true, inputs: { a: $d.value } }\n"
                              "  h: { op: bench.pass, when: { greater: [$item.n, 49999] }, inputs: { a: $d.value } }\n"
                              "  i: { op: bench.pass, inputs: { a: $f.value } }\n"
                              "  j: { op: bench.pass, inputs: { a: $i.value, b: $g.value, c: $h.value } }\n";

const char* const kWaiting = "  a: { op: bench.pass, inputs: { a: $item.n } }\n"
                             "  t: { api: text, prompt: \"Write about {{item.sku}}\" }\n"
                             "  z: { op: bench.pass, inputs: { a: $a.value, b: $t.text } }\n";

Result<Values> pass(const OpCall& call)
{
    Values values;
    values.set("value", call.inputs.get("a"));
    return values;
}

Result<Values> list(const OpCall& call)
{
    Values values;
    values.set("list", Value(Value::List{call.inputs.get("a"), call.inputs.get("a"), call.inputs.get("a")}));
    return values;
}

Result<Values> odd(const OpCall& call)
{
    // Every tenth fails, so that failures cost what they cost in life.
    if (call.inputs.get("a").json()->get<std::int64_t>() % 10 == 0)
        return fail(Reason::ComputeNoResult, "nothing found");
    return pass(call);
}

// Never answers until it is told to drop everything.
class SilentLane final : public ApiLane {
public:
    bool hasRoute(std::string_view) const override { return true; }
    std::vector<std::string> routes() const override { return {"text"}; }
    std::string routeIdentity(std::string_view) const override { return "text"; }
    void submit(ApiCall, ApiDone done) override
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back(std::move(done));
        m_changed.notify_all();
    }
    void cancelWaiting() override
    {
        std::vector<ApiDone> waiting;
        {
            const std::lock_guard lock(m_mutex);
            waiting = std::exchange(m_waiting, {});
        }
        for (ApiDone& done : waiting) done(fail(Reason::Cancelled, "stopped"));
    }
    std::int64_t inFlight() const override { return 0; }
    void waitFor(std::size_t count)
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_waiting.size() >= count; });
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<ApiDone> m_waiting;
};

class Catalog final : public StepCatalog {
public:
    explicit Catalog(const OpRegistry& ops) : m_ops(ops) {}
    const Signature* findOp(std::string_view name) const override { return m_ops.find(name); }
    const Signature* findModel(std::string_view) const override { return nullptr; }
    bool hasRoute(std::string_view) const override { return true; }
    std::string routeKind(std::string_view) const override { return "text"; }
    std::string routeIdentity(std::string_view) const override { return "text"; }
    std::vector<std::string> opNames() const override { return {}; }
    std::vector<std::string> modelNames() const override { return {}; }
    std::vector<std::string> routeNames() const override { return {}; }

private:
    const OpRegistry& m_ops;
};

std::int64_t residentKiB()
{
    std::ifstream status("/proc/self/statm");
    std::int64_t size = 0, resident = 0;
    status >> size >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

double cpuSeconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peakMiB()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Bench {
    explicit Bench(const std::string& steps, std::int64_t count, bool durable) : rows(count)
    {
        const Port any{"a", PortType::Any, true};
        const std::vector<Port> inputs{any, {"b", PortType::Any, false}, {"c", PortType::Any, false}};
        ops->add({"bench.pass", "1", inputs, {{"value", PortType::Any}}, {}, ""}, pass);
        ops->add({"bench.odd", "1", inputs, {{"value", PortType::Any}}, {}, ""}, odd);
        ops->add({"bench.list", "1", inputs, {{"list", PortType::List}}, {}, ""}, list);
        const Catalog catalog(*ops);
        pipeline = must(parsePipeline(kHead + steps, folder, "bench.yaml", catalog));
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        journal = must(Journal::open(folder / "journal.db", {.durable = durable}));
        artifacts = must(ArtifactStore::open(folder / "artifacts", systemFiles()));
        LiveIdentity identity;
        identity.job = "bench";
        identity.total = count;
        for (const Step& step : pipeline.steps) identity.steps.push_back({step.name, {}, {}, "op", step.target});
        live = LiveJob::create(std::move(identity), clock, [this](const EventLine& line) {
            journal->write(EventRecord{line.seq, line.json});
        });
        runner = must(JobRunner::create(
            {pipeline, rows, *ops, nullptr, &silent, *journal, *artifacts, nullptr, nullptr, *live, clock, *log}, {},
            {}));
    }
    ~Bench()
    {
        runner.reset();
        live.reset();
        journal.reset();
        std::filesystem::remove_all(folder);
    }

    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("aiflow-bench-" + std::to_string(::getpid()));
    SystemClock clock;
    std::shared_ptr<Log> log = Log::nowhere();
    std::unique_ptr<OpRegistry> ops = must(OpRegistry::open({}));
    SilentLane silent;
    ProductRows rows;
    Pipeline pipeline;
    std::unique_ptr<ArtifactStore> artifacts;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<LiveJob> live;
    std::unique_ptr<JobRunner> runner;
};

Json flow(const char* steps, std::int64_t count, bool durable)
{
    Bench bench(steps, count, durable);
    const double cpu = cpuSeconds();
    const auto start = std::chrono::steady_clock::now();
    const JobEnd end = must(bench.runner->run());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto tasks = static_cast<double>(end.tasksRun);
    return {{"items", count},
            {"tasks", end.tasksRun},
            {"succeeded", end.items[TaskState::Succeeded]},
            {"tasks_per_s", tasks / seconds},
            {"cpu_us_per_task", (cpuSeconds() - cpu) * 1e6 / tasks},
            {"rss_mib", peakMiB()}};
}

Json parked(std::int64_t count)
{
    Bench bench(kWaiting, count, true);
    const std::int64_t before = residentKiB();
    std::int64_t after = 0;
    std::thread watcher([&] {
        bench.silent.waitFor(static_cast<std::size_t>(count));
        must(bench.journal->flush().map([] { return 0; }));
        after = residentKiB();
        bench.runner->stop(StopKind::Now);
    });
    must(bench.runner->run());
    watcher.join();
    return {{"items", count}, {"growth_mib", static_cast<double>(after - before) / 1024}};
}

// Each figure in a process of its own: memory that one has freed must not look like the next one's.
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

} // namespace

int main(int argc, char** argv)
{
    const bool isLong = argc > 1 && std::string(argv[1]) == "--long";
    const auto show = [](const char* name, const Json& figures) {
        std::printf("%-28s %s\n", name, figures.dump().c_str());
        std::fflush(stdout);
        return figures;
    };
    Json result;
    result["chain"] = show("chain of 6, journal on", apart([] { return flow(kChain, 100'000, true); }));
    result["chain_off"] = show("chain of 6, journal off", apart([] { return flow(kChain, 100'000, false); }));
    result["ten"] = show("10 steps, journal on", apart([] { return flow(kTenSteps, 100'000, true); }));
    result["ten_off"] = show("10 steps, journal off", apart([] { return flow(kTenSteps, 100'000, false); }));
    result["small"] = show("window at 10,000 items", apart([] { return flow(kChain, 10'000, true); }));
    const std::int64_t many = isLong ? 1'000'000 : 200'000;
    result["large"] = show("window at many items", apart([many] { return flow(kChain, many, true); }));
    result["parked"] = show("parked items", apart([] { return parked(100'000); }));
    result["small_off"] = show("... journal off, 10,000", apart([] { return flow(kChain, 10'000, false); }));
    result["large_off"] = show("... journal off, many", apart([many] { return flow(kChain, many, false); }));
    // The journal fills its own bounded buffers; what the engine holds must not grow at all.
    const double growth = result["large_off"]["rss_mib"].get<double>() - result["small_off"]["rss_mib"].get<double>();
    result["window_growth_mib"] = growth;
    result["bars"] = {{"chain.tasks_per_s", 50'000},
                      {"chain.cpu_us_per_task", 15},
                      {"parked.growth_mib", 60},
                      {"window_growth_mib", 4},
                      {"large.rss_mib", 64}};
    result["ok"] = result["chain"]["tasks_per_s"].get<double>() >= 50'000 &&
                   result["chain"]["cpu_us_per_task"].get<double>() <= 15 &&
                   result["parked"]["growth_mib"].get<double>() <= 60 && growth <= 4 &&
                   result["large"]["rss_mib"].get<double>() <= 64 &&
                   result["ten"]["succeeded"].get<std::int64_t>() == 100'000;
    std::printf("%s\n", result.dump().c_str());
    return result["ok"].get<bool>() ? 0 : 1;
}
