// What real jobs do when things go wrong, or when they must share, at 20 times life speed.
//   bench_lane [--scenario storm|outage|priorities|places] [--speed N]
// storm: 30 % of all calls are refused with 429 in every form, nonsense included.
// outage: one of two providers is down for ten minutes of life.
// priorities: a job of priority 1 comes while one of priority 9 uses all accounts.
// places: two jobs share accounts that count open calls; one is killed.
#include "core/base/json.h"
#include "tests/support/flow_jobs/flow_job.h"
#include "tests/support/flow_jobs/flow_services.h"
#include "tests/support/modelled_flows/lane_scenarios.h"
#include "tests/support/must.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace aiflow;
using namespace aiflow::test;

namespace {

NamedFlow flowNamed(const std::string& name)
{
    if (name == "storm") return stormFlow(350);
    if (name == "outage") return outageFlow(1500);
    if (name == "shared_patient") return sharedFlow("patient", 3000);
    if (name == "shared_express") return sharedFlow("express", 500);
    if (name == "places_patient") return placesFlow("patient", 3000);
    if (name == "places_express") return placesFlow("express", 1000);
    std::fprintf(stderr, "no flow \"%s\"\n", name.c_str());
    std::exit(2);
}

// The services of one scenario, the folder of its jobs, and the ledger in seconds of life since the services began.
class Stage {
public:
    Stage(const std::string& flow, double speed, std::vector<SimulatedFault> faults = {},
          const std::string& faultyService = "studio")
        : m_speed(speed), m_folder(std::filesystem::current_path() / "build" / ("lane-" + std::to_string(::getpid())))
    {
        std::filesystem::remove_all(m_folder);
        SimulatedWorld world = flowWorld(flowNamed(flow), speed);
        for (SimulatedService& service : world.services)
            if (service.name == faultyService) service.faults = std::move(faults);
        m_start = now();
        m_services = must(SimulatedProvider::start(std::move(world)));
    }
    ~Stage() { std::filesystem::remove_all(m_folder); }

    FlowJobProcess start(const std::string& flow, std::int32_t priority = 5)
    {
        FlowJob job;
        job.flow = flow;
        job.speed = m_speed;
        job.port = m_services->port();
        job.name = flow;
        job.folder = m_folder / flow;
        job.state = m_folder / "state";
        job.priority = priority;
        return FlowJobProcess::start(job);
    }
    void sleep(double lifeSeconds) const
    {
        std::this_thread::sleep_for(std::chrono::duration<double>(lifeSeconds / m_speed));
    }
    double life(std::int64_t ns) const { return static_cast<double>(ns - m_start) * 1e-9 * m_speed; }
    double elapsed() const { return life(now()); }

    // Paid calls by arrival.
    std::vector<LedgerEntry> ledger() const
    {
        std::vector<LedgerEntry> entries = m_services->ledger();
        std::erase_if(entries, [](const LedgerEntry& entry) { return !entry.paid; });
        std::ranges::sort(entries, {}, &LedgerEntry::arrivedNs);
        return entries;
    }
    Verdict verdict() const { return m_services->verdict(); }

private:
    static std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

    double m_speed;
    std::filesystem::path m_folder;
    std::int64_t m_start = 0;
    std::unique_ptr<SimulatedProvider> m_services;
};

Json basics(const Stage& stage, const std::vector<FlowJobEnd>& ends)
{
    const Verdict verdict = stage.verdict();
    Json figures{{"calls", verdict.calls},
                 {"refusals", verdict.refusals},
                 {"violations", verdict.violations},
                 {"paid_twice", verdict.sameBody},
                 {"early", verdict.early},
                 {"succeeded", 0},
                 {"failed", 0}};
    for (const FlowJobEnd& end : ends) {
        figures["succeeded"] = figures["succeeded"].get<std::int64_t>() + end.succeeded;
        figures["failed"] = figures["failed"].get<std::int64_t>() + end.failed;
        if (!end.failure.empty()) figures["failure"] = end.failure;
    }
    return figures;
}

bool clean(const Json& figures)
{
    return figures["refusals"] == 0 && figures["violations"] == 0 && figures["early"] == 0 && figures["failed"] == 0;
}

// ---- storm

std::vector<SimulatedFault> stormFaults(double share)
{
    constexpr std::array kForms{FaultKind::ThrottleSeconds, FaultKind::ThrottleDecimal, FaultKind::ThrottleDate,
                                FaultKind::ThrottleMillis,  FaultKind::ThrottleReset,   FaultKind::ThrottleBare};
    std::vector<SimulatedFault> faults;
    const double each = share / (kForms.size() + 1);
    double left = 1; // of the calls that no rule before has met
    const auto add = [&](FaultKind kind, int variant, double part) {
        SimulatedFault fault;
        fault.kind = kind;
        fault.variant = variant;
        fault.probability = part / left;
        left -= part;
        faults.push_back(fault);
    };
    int tellMs = 300;
    for (const FaultKind kind : kForms) add(kind, tellMs += 170, each);
    for (int nonsense = 0; nonsense < 10; ++nonsense) add(FaultKind::ThrottleGarbage, nonsense, each / 10);
    return faults;
}

bool tellsTime(const LedgerEntry& entry)
{
    return entry.fault && *entry.fault != FaultKind::ThrottleBare && *entry.fault != FaultKind::ThrottleGarbage;
}

// The most that sends exceeded 1.10 x first attempts + 10 by, in any five minutes; repeats that were told left out.
double worstExcess(const Stage& stage, const std::vector<LedgerEntry>& ledger)
{
    std::map<std::string, const LedgerEntry*> last;
    std::vector<std::pair<double, bool>> sends; // when, and whether it was the call's first
    for (const LedgerEntry& entry : ledger) {
        const LedgerEntry*& before = last[entry.bodyHash];
        if (before == nullptr || !tellsTime(*before))
            sends.emplace_back(stage.life(entry.arrivedNs), before == nullptr);
        before = &entry;
    }
    double worst = -1e9;
    for (std::size_t from = 0; from < sends.size(); ++from) {
        double first = 0, all = 0;
        for (std::size_t i = from; i < sends.size() && sends[i].first < sends[from].first + 300; ++i) {
            all += 1;
            first += sends[i].second ? 1 : 0;
            worst = std::max(worst, all - 1.10 * first - 10);
        }
    }
    return worst;
}

Json storm(double speed)
{
    Stage stage("storm", speed, stormFaults(0.30));
    FlowJobProcess job = stage.start("storm");
    const FlowJobEnd end = job.wait();
    const std::vector<LedgerEntry> ledger = stage.ledger();
    Json figures = basics(stage, {end});
    const auto told = std::ranges::count_if(ledger, tellsTime);
    const auto untold =
        std::ranges::count_if(ledger, [](const auto& entry) { return entry.fault && !tellsTime(entry); });
    figures["life_s"] = static_cast<double>(end.endedNs - end.startedNs) * 1e-9 * speed;
    figures["throttled_told"] = told;
    figures["throttled_untold"] = untold;
    figures["share_throttled"] = static_cast<double>(told + untold) / static_cast<double>(ledger.size());
    figures["worst_excess"] = worstExcess(stage, ledger); // at most 0
    figures["ok"] = clean(figures) && figures["paid_twice"] == 0 && figures["worst_excess"].get<double>() <= 0 &&
                    end.succeeded == flowNamed("storm").flow.items;
    return figures;
}

// ---- outage

// How much of its limit an account used between two moments: whole windows of `each` calls, from burst to burst.
double useOf(const std::vector<double>& arrivals, double from, double until, std::size_t each, double window)
{
    const auto first = static_cast<std::size_t>(std::ranges::lower_bound(arrivals, from) - arrivals.begin());
    std::size_t last = first;
    while (last + each < arrivals.size() && arrivals[last + each] <= until) last += each;
    if (last == first) return 0;
    return static_cast<double>(last - first) / static_cast<double>(each) * window / (arrivals[last] - arrivals[first]);
}

Json outage(double speed)
{
    constexpr double kFrom = 120, kUntil = 720;
    SimulatedFault down;
    down.kind = FaultKind::Unavailable;
    down.from = std::chrono::seconds(static_cast<int>(kFrom));
    down.until = std::chrono::seconds(static_cast<int>(kUntil));
    Stage stage("outage", speed, {down}, "atelier");
    FlowJobProcess job = stage.start("outage");
    const FlowJobEnd end = job.wait();
    std::map<std::string, std::vector<double>> others;
    double back = 1e9;
    std::int64_t during = 0;
    for (const LedgerEntry& entry : stage.ledger()) {
        const double at = stage.life(entry.arrivedNs);
        if (entry.service == "studio") others[entry.account].push_back(at);
        if (entry.service == "atelier" && at > kFrom && at < kUntil) ++during;
        if (entry.service == "atelier" && at >= kUntil && entry.executed) back = std::min(back, at - kUntil);
    }
    double least = 1, sum = 0;
    for (const auto& [account, arrivals] : others) {
        const double use = useOf(arrivals, kFrom, kUntil, 12, 60);
        least = std::min(least, use);
        sum += use / static_cast<double>(others.size());
    }
    Json figures = basics(stage, {end});
    figures["life_s"] = stage.life(end.endedNs);
    figures["other_use"] = sum;
    figures["least_used_account"] = least;
    figures["back_after_s"] = back;
    figures["sent_into_the_outage"] = during;
    figures["ok"] = clean(figures) && figures["paid_twice"] == 0 && sum >= 0.97 && back <= 60 &&
                    end.succeeded == flowNamed("outage").flow.items;
    return figures;
}

// ---- priorities

Json priorities(double speed)
{
    Stage stage("shared_patient", speed);
    FlowJobProcess patient = stage.start("shared_patient", 9);
    stage.sleep(150);
    FlowJobProcess express = stage.start("shared_express", 1);
    const FlowJobEnd end = express.wait();
    stage.sleep(90);
    patient.kill();
    std::ignore = patient.wait();
    std::vector<double> urgent, other;
    for (const LedgerEntry& entry : stage.ledger())
        (entry.model == "express" ? urgent : other).push_back(stage.life(entry.arrivedNs));
    // From the first place that the urgent job could get until it had nothing left to send.
    const double from = urgent.front(), until = urgent.back();
    const auto others = std::ranges::count_if(other, [&](double at) { return at >= from && at <= until; });
    const auto after = std::ranges::count_if(other, [&](double at) { return at > until && at <= until + 60; });
    const double share = static_cast<double>(urgent.size()) / static_cast<double>(std::ssize(urgent) + others);
    Json figures = basics(stage, {end});
    figures["urgent_share"] = share;
    figures["other_calls_meanwhile"] = others;
    figures["other_calls_in_the_minute_after"] = after;
    figures["urgent_life_s"] = until - from;
    figures["ok"] = clean(figures) && figures["paid_twice"] == 0 && share >= 0.9 && others > 0 && after >= 60 &&
                    end.succeeded == flowNamed("shared_express").flow.items;
    return figures;
}

// ---- places

// Calls of the model that were open at the moment.
std::int64_t openAt(const Stage& stage, const std::vector<LedgerEntry>& ledger, const std::string& model, double at)
{
    return std::ranges::count_if(ledger, [&](const LedgerEntry& entry) {
        return entry.model == model && stage.life(entry.arrivedNs) <= at && stage.life(entry.endedNs) > at;
    });
}

Json places(double speed)
{
    constexpr std::int64_t kPlaces = 20;
    Stage stage("places_patient", speed);
    FlowJobProcess living = stage.start("places_patient");
    FlowJobProcess dying = stage.start("places_express");
    stage.sleep(100);
    dying.kill();
    const double killed = stage.elapsed();
    std::ignore = dying.wait();
    stage.sleep(100);
    living.kill();
    std::ignore = living.wait();
    const std::vector<LedgerEntry> ledger = stage.ledger();
    double back = 1e9;
    for (const LedgerEntry& entry : ledger) {
        const double at = stage.life(entry.arrivedNs);
        if (at > killed && openAt(stage, ledger, "patient", at) == kPlaces) back = std::min(back, at - killed);
    }
    Json figures = basics(stage, {});
    figures["open_before_the_kill"] = {{"dying", openAt(stage, ledger, "express", killed - 1)},
                                       {"living", openAt(stage, ledger, "patient", killed - 1)}};
    figures["all_places_after_s"] = back;
    // A killed call may be open at the provider until its time limit, and a grace.
    figures["ok"] = clean(figures) && back <= 45 && figures["open_before_the_kill"]["dying"].get<std::int64_t>() >= 6;
    return figures;
}

} // namespace

int main(int argc, char** argv)
{
    if (const auto status = runAsFlowJob(argc, argv, flowNamed)) return *status;
    std::string only;
    double speed = 20;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::string(argv[i]) == "--scenario") only = argv[i + 1];
        if (std::string(argv[i]) == "--speed") speed = std::max(1.0, std::atof(argv[i + 1]));
    }
    const std::vector<std::pair<const char*, Json (*)(double)>> scenarios{
        {"storm", storm}, {"outage", outage}, {"priorities", priorities}, {"places", places}};
    Json result{{"speed", speed},
                {"bars",
                 {{"storm.worst_excess", 0},
                  {"storm.early", 0},
                  {"outage.other_use", 0.97},
                  {"outage.back_after_s", 60},
                  {"priorities.urgent_share", 0.9},
                  {"places.all_places_after_s", 45}}}};
    bool ok = true;
    for (const auto& [name, run] : scenarios) {
        if (!only.empty() && only != name) continue;
        result[name] = run(speed);
        ok = ok && result[name]["ok"].get<bool>();
        std::printf("%-11s %s\n", name, result[name].dump().c_str());
        std::fflush(stdout);
    }
    result["ok"] = ok;
    std::printf("%s\n", result.dump().c_str());
    return ok ? 0 : 1;
}
