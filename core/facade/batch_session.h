// Starts a batch on tools that are set up already.
#pragma once

#include "aiflow/engine.h"
#include "core/facade/workbench.h"

#include <memory>

namespace aiflow {

// As JobSession::batch().
Result<std::unique_ptr<JobSession>> startBatch(std::unique_ptr<Workbench> bench, const BatchRequest& request,
                                               const Surroundings& surroundings, const CheckProgress& progress);

} // namespace aiflow
