// Worlds, ledger entries and verdicts as JSON, so that a provider can run in a process of its own.
#pragma once

#include "core/base/json_fwd.h"
#include "core/rehearsal/simulated_provider.h"

namespace aiflow {

Json worldJson(const SimulatedWorld& world);
// Whatever is absent keeps its default. UsageInvalid: a value of the wrong kind, an unknown word.
Result<SimulatedWorld> readWorld(const Json& json);

Json ledgerLine(const LedgerEntry& entry);
Result<LedgerEntry> readLedgerLine(const Json& json);

Json verdictJson(const Verdict& verdict);
Result<Verdict> readVerdict(const Json& json);

} // namespace aiflow
