// What it costs to keep the living picture of a job: nanoseconds per call on the hot path, one thread.
#include "core/live/live_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace aiflow;

namespace {

// The best of five rounds, in nanoseconds per call.
template <typename Act> double nanosecondsOf(int calls, Act act)
{
    double best = 1e12;
    for (int round = 0; round < 5; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) act();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
        best = std::min(best, took.count() / calls);
    }
    return best;
}

} // namespace

int main()
{
    const SystemClock clock;
    LiveIdentity identity;
    identity.job = "7f3a9c";
    identity.total = 1'000'000;
    identity.steps.resize(5);
    std::size_t bytes = 0;
    const auto job = LiveJob::create(identity, clock, [&](const EventLine& line) { bytes += line.json.size(); });
    const StepIndex step{1};
    const double moved = nanosecondsOf(100'000,
                                       [&] {
                                           job->taskMoved(step, TaskState::Queued, TaskState::Running);
                                           job->taskMoved(step, TaskState::Running, TaskState::Succeeded);
                                       }) /
                         2;
    const double worked = nanosecondsOf(100'000, [&] { job->taskWorked(step, std::chrono::microseconds(70)); });
    ItemOutcome outcome;
    outcome.id = "SKU-20931";
    outcome.line = 119;
    const double finished = nanosecondsOf(100'000, [&] { job->itemFinished(outcome); });
    const double snapshot = nanosecondsOf(2'000, [&] { static_cast<void>(job->snapshot()); });
    constexpr double kMovedBar = 100;
    constexpr double kFinishedBar = 2'000;
    std::printf("{\"bench\":\"live\",\"task_moved_ns\":%.0f,\"task_moved_bar_ns\":%.0f,\"task_worked_ns\":%.0f,"
                "\"item_finished_ns\":%.0f,\"item_finished_bar_ns\":%.0f,\"snapshot_ns\":%.0f,\"event_bytes\":%zu,"
                "\"ok\":%s}\n",
                moved, kMovedBar, worked, finished, kFinishedBar, snapshot, bytes / 500'000,
                moved <= kMovedBar && finished <= kFinishedBar ? "true" : "false");
    return moved <= kMovedBar && finished <= kFinishedBar ? 0 : 1;
}
