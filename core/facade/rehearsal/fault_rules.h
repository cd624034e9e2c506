// What a rehearsal's faults mean for simulated services.
#pragma once

#include "aiflow/rehearsal.h"
#include "core/rehearsal/simulated_provider.h"

#include <vector>

namespace aiflow {

// Puts the faults into the services that they name. UsageInvalid for a provider or an account that is not there.
Result<void> addFaults(SimulatedWorld& world, const std::vector<RehearsalFault>& faults);

} // namespace aiflow
