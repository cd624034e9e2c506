// What the simulated services saw of a rehearsal, as its report tells it.
#pragma once

#include "aiflow/rehearsal.h"
#include "core/api/settings/api_settings.h"
#include "core/rehearsal/simulated_provider.h"

namespace aiflow {

// Fills in calls, costs, limits and accounts. `settings`: at life speed, as configured.
void addLedger(const SimulatedProvider& provider, const ApiSettings& settings, RehearsalReport& report);

} // namespace aiflow
