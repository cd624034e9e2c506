// How a job's items should queue for its accounts, chosen in virtual time before it starts.
#pragma once

#include "core/base/log.h"
#include "core/facade/forecasting/modelled_pipeline.h"

namespace aiflow {

// For EngineSettings; zeros: the plain order, the oldest item first.
struct ChosenOrder {
    std::int64_t callingItems = 0;
    std::int64_t stepLag = 0;
};

// The plain order for jobs of fewer than 20 items and for those whose calls no limit holds back. Of other jobs the log
// hears what was chosen and why. At life speed; costs some 0.1 s of a processor.
ChosenOrder chooseOrder(const Pipeline& pipeline, const ApiSettings& settings, const JobSize& size, Log& log);

} // namespace aiflow
