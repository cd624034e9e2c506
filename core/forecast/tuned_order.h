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
};
// Windows from a third to four times what the accounts take at once, lags from none to five times; each is judged in
// five worlds whose durations differ a little, so that what it finds does not hang on a coincidence. The plain order
// stays unless half a percent is saved. Flows of more than `mostItems` items are judged by their first so many.
// Cost: some 700 virtual runs. PipelineInvalid as runVirtually().
Result<TunedOrder> tuneOrder(ModelledFlow flow, const ApiSettings& settings, std::uint64_t seed,
                             std::int64_t mostItems = 400);

} // namespace aiflow
