// How near real jobs come to the best schedule: the engine, the lane, libcurl, the shared limits and a durable journal
// against strict simulated services, at 20 times life speed; the jobs in processes of their own.
//   bench_makespan [--flow NAME] [--speed N] [--processes N] [--kill] [--items N] [--smoke] [--ledger FILE]
//                  [--calling-items N --step-lag N]
// --processes: so many jobs share the accounts, each with a device and cores of its own. --kill: each job is killed
// (-9) in the middle and resumed; what was open then may be paid twice.
#include "core/base/json.h"
#include "core/forecast/tuned_order.h"
#include "tests/support/flow_jobs/flow_job.h"
#include "tests/support/flow_jobs/flow_services.h"
#include "tests/support/must.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr double kBar = 1.03;

struct Options {
    std::string flow; // empty: all
    double speed = 20;
    int processes = 1;
    bool kill = false;
    bool smoke = false;             // the ratio is not judged
    std::int64_t items = 0;         // 0: the flow's own
    std::int64_t callingItems = -1; // negative: tuned in virtual time
    std::int64_t stepLag = 0;
    std::string ledger; // empty: in memory alone
};

Options optionsFrom(int argc, char** argv)
{
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const char* value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--kill" || name == "--smoke") {
            (name == "--kill" ? options.kill : options.smoke) = true;
            continue;
        }
        ++i;
        if (name == "--flow") options.flow = value;
        if (name == "--items") options.items = std::atoll(value);
        if (name == "--calling-items") options.callingItems = std::atoll(value);
        if (name == "--step-lag") options.stepLag = std::atoll(value);
        if (name == "--ledger") options.ledger = value;
        if (name == "--speed") options.speed = std::max(1.0, std::atof(value));
        if (name == "--processes") options.processes = std::max(1, std::atoi(value));
    }
    return options;
}

NamedFlow flowNamed(const std::string& name)
{
    for (NamedFlow& flow : benchFlows())
        if (flow.name == name) return std::move(flow);
    std::fprintf(stderr, "no flow \"%s\"; there are hero, annotation, fan_out, unequal\n", name.c_str());
    std::exit(2);
}

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) * 1e-9; }

// What virtual time says of the flow, at life speed.
struct Expected {
    explicit Expected(const NamedFlow& named)
        : bound(lowerBound(named.flow, named.settings)),
          best(must(bestSchedule(named.flow, named.settings, 10'000, 1))),
          tuned(must(tuneOrder(named.flow, named.settings, 1))),
          plain(must(runVirtually(named.flow, named.settings, OrderPolicy::ByItem, 1)))
    {
    }
    LowerBound bound;
    BestSchedule best;
    TunedOrder tuned;
    VirtualResult plain; // without the tuned window and lag
};

class Run {
public:
    Run(const NamedFlow& named, const Options& options, const TunedOrder& order)
        : m_named(named), m_options(options),
          m_folder(std::filesystem::current_path() / "build" / ("makespan-" + std::to_string(::getpid()))),
          m_services(must(SimulatedProvider::start(worldFor(named, options))))
    {
        std::filesystem::remove_all(m_folder);
        const auto share = [&](std::int64_t whole) { return (whole + options.processes - 1) / options.processes; };
        for (int i = 0; i < options.processes; ++i) {
            FlowJob job;
            job.flow = named.name;
            job.speed = options.speed;
            job.port = m_services->port();
            job.name = "job" + std::to_string(i);
            job.folder = m_folder / job.name;
            job.state = m_folder / "state";
            job.items = named.flow.items / options.processes + (i < named.flow.items % options.processes ? 1 : 0);
            job.callingItems = share(order.callingItems);
            job.stepLag = share(order.stepLag);
            m_jobs.push_back(job);
        }
    }
    ~Run() { std::filesystem::remove_all(m_folder); }

    // When the first job began its work and the last ended it, in life's seconds.
    double run(std::chrono::nanoseconds killAfter)
    {
        std::vector<FlowJobProcess> processes;
        for (const FlowJob& job : m_jobs) processes.push_back(FlowJobProcess::start(job));
        std::int64_t begun = INT64_MAX, ended = 0;
        if (m_options.kill) {
            begun = std::chrono::steady_clock::now().time_since_epoch().count();
            std::this_thread::sleep_for(killAfter);
            for (FlowJobProcess& process : processes) process.kill();
            for (FlowJobProcess& process : processes) std::ignore = process.wait();
            processes.clear();
            for (const FlowJob& job : m_jobs) processes.push_back(FlowJobProcess::start(job));
        }
        for (FlowJobProcess& process : processes) {
            ends.push_back(process.wait());
            begun = std::min(begun, ends.back().startedNs);
            ended = std::max(ended, ends.back().endedNs);
        }
        verdict = m_services->verdict();
        return static_cast<double>(ended - begun) * 1e-9 * m_options.speed;
    }

    Verdict verdict;
    std::vector<FlowJobEnd> ends;

private:
    static SimulatedWorld worldFor(const NamedFlow& named, const Options& options)
    {
        SimulatedWorld world = flowWorld(named, options.speed);
        world.ledgerFile = options.ledger;
        return world;
    }

    const NamedFlow& m_named;
    Options m_options;
    std::filesystem::path m_folder;
    std::unique_ptr<SimulatedProvider> m_services;
    std::vector<FlowJob> m_jobs;
};

// What the jobs say of themselves, together.
struct Told {
    explicit Told(const std::vector<FlowJobEnd>& ends)
    {
        for (const FlowJobEnd& end : ends) {
            succeeded += end.succeeded;
            openAtKill += end.openAtStart;
            for (const auto& [currency, nanos] : end.cost) billed += nanos;
            cpu += end.cpuSeconds;
            if (!end.failure.empty()) std::printf("a failure: %s\n", end.failure.c_str());
        }
    }
    std::int64_t succeeded = 0;
    std::int64_t openAtKill = 0;
    std::int64_t billed = 0;
    double cpu = 0;
};

Json figuresOf(double measured, const Expected& expected, const Verdict& verdict, const Told& told)
{
    const double best = seconds(expected.best.makespan), bound = seconds(expected.bound.time);
    std::int64_t ledger = 0;
    for (const auto& [currency, nanos] : verdict.cost) ledger += nanos.count();
    return {{"measured_s", measured},
            {"best_s", best},
            {"found", expected.best.found},
            {"bound_s", bound},
            {"binds", expected.bound.binding},
            {"ratio_best", measured / best},
            {"ratio_bound", measured / bound},
            {"calling_items", expected.tuned.callingItems},
            {"step_lag", expected.tuned.stepLag},
            {"ratio_best_untuned_virtual", seconds(expected.plain.makespan) / best},
            {"items", told.succeeded},
            {"calls", verdict.calls},
            {"refusals", verdict.refusals},
            {"violations", verdict.violations},
            {"paid_twice", verdict.sameBody},
            {"open_at_kill", told.openAtKill},
            {"ledger_nanos", ledger},
            {"billed_nanos", told.billed},
            {"cost_exact", ledger == told.billed},
            {"cpu_s", told.cpu}};
}

void show(const std::string& name, const Json& figures, const Options& options)
{
    const auto number = [&](const char* key) { return figures[key].get<double>(); };
    const auto count = [&](const char* key) { return static_cast<long long>(figures[key].get<std::int64_t>()); };
    const std::string ofOpen =
        options.kill ? " of " + std::to_string(count("open_at_kill")) + " open at the kill" : std::string();
    std::printf("%-11s %6.1f s, best %6.1f, bound %6.1f (%s): %.4f of the best, %.3f of the bound; %lld calls, "
                "%lld refused, %lld over, %lld paid twice%s, cost %s\n",
                name.c_str(), number("measured_s"), number("best_s"), number("bound_s"),
                figures["binds"].get<std::string>().c_str(), number("ratio_best"), number("ratio_bound"),
                count("calls"), count("refusals"), count("violations"), count("paid_twice"), ofOpen.c_str(),
                figures["cost_exact"].get<bool>() ? "exact" : "not exact");
    std::fflush(stdout);
}

Json measure(const NamedFlow& named, const Options& options)
{
    Expected expected(named);
    if (options.callingItems >= 0) {
        expected.tuned.callingItems = options.callingItems;
        expected.tuned.stepLag = options.stepLag;
    }
    const double best = seconds(expected.best.makespan);
    Run run(named, options, expected.tuned);
    const double measured =
        run.run(std::chrono::nanoseconds(static_cast<std::int64_t>(best * 0.45 / options.speed * 1e9)));
    const Told told(run.ends);
    Json figures = figuresOf(measured, expected, run.verdict, told);
    const bool plain = !options.kill && !options.smoke && options.processes == 1;
    figures["ok"] = told.succeeded == named.flow.items && run.verdict.refusals == 0 && run.verdict.violations == 0 &&
                    run.verdict.sameBody <= told.openAtKill && (options.kill || figures["cost_exact"].get<bool>()) &&
                    (!plain || measured / best <= kBar);
    show(named.name, figures, options);
    return figures;
}

} // namespace

int main(int argc, char** argv)
{
    if (const auto status = runAsFlowJob(argc, argv, flowNamed)) return *status;
    const Options options = optionsFrom(argc, argv);
    std::vector<NamedFlow> flows;
    if (options.flow.empty())
        flows = benchFlows();
    else
        flows.push_back(flowNamed(options.flow));
    Json result{{"speed", options.speed},
                {"processes", options.processes},
                {"kill", options.kill},
                {"bars", {{"ratio_best", kBar}, {"refusals", 0}, {"violations", 0}, {"paid_twice", 0}}}};
    bool ok = true;
    for (NamedFlow& flow : flows) {
        if (options.items > 0) flow.flow.items = options.items;
        result["flows"][flow.name] = measure(flow, options);
        ok = ok && result["flows"][flow.name]["ok"].get<bool>();
    }
    result["ok"] = ok;
    std::printf("%s\n", result.dump().c_str());
    return ok ? 0 : 1;
}
