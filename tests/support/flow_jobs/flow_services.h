// The simulated services of a flow, and the settings with which its jobs call them.
#pragma once

#include "core/rehearsal/simulated_provider.h"
#include "tests/support/modelled_flows/modelled_flows.h"

namespace aiflow::test {

// Strict, without any tolerance; every model answers after exactly its step's duration.
SimulatedWorld flowWorld(const NamedFlow& flow, double speed);
// The same in every process: limits and windows at `speed` times life.
ApiSettings jobSettings(const NamedFlow& flow, double speed, int port);

} // namespace aiflow::test
