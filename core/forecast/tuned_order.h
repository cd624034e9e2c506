// How narrow a job's way into its calls should be, and how far later steps should stand back, found by trying it in
// virtual time: no fixed rule is good for every flow.
#pragma once

#include "core/forecast/virtual_run.h"

namespace aiflow {

// For ModelledFlow and the engine's settings of the same names.
struct TunedOrder {
    std::int64_t callingItems = 0;
    std::int64_t stepLag = 0;
    std::chrono::nanoseconds makespan{0}; // with them
    std::chrono::nanoseconds plain{0};    // without
    std::int64_t items = 0;               // that were judged
};
// Windows from a third to four times what the accounts take at once, lags from none to five times: a coarse grid, then
// what lies around its best. The finalists are judged in five worlds whose durations differ a little, so that what it
// finds does not hang on a coincidence. The plain order stays unless half a percent is saved.
// Cost: some 90 virtual runs of at most `mostTasks` tasks each; longer flows are judged by their first items, and where
// not even 20 fit, the plain order stays. PipelineInvalid as runVirtually().
Result<TunedOrder> tuneOrder(ModelledFlow flow, const ApiSettings& settings, std::uint64_t seed,
                             std::int64_t mostTasks = 600);

} // namespace aiflow
