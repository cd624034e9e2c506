// The host's shared knowledge of calls: one SQLite file that every process of a state directory reads and writes.
#pragma once

#include "core/base/clock.h"
#include "core/base/limit_store.h"

#include <filesystem>
#include <memory>
#include <string>

namespace aiflow {

struct LimitDatabaseSettings {
    std::string bootId; // empty: the machine's
};

// $folder/limits.db (rollback journal, not synced: what a power cut takes was sent by a machine that was then down).
// Who died is known at once by a lock in $folder/limits.alive: what it had reserved counts as sent now, its demands are
// gone, its places stay until their `openUntil`.
//
// Written under another boot: boot times of then mean nothing, so uses are placed by the wall clock at the latest
// moment that is possible within the usual windows (second, minute, hour, day): what may lie within one counts as now.
// With a wall clock that went back everything counts as now. A damaged file is renamed to limits.db.damaged-N and a
// fresh one begins: the sends of the last windows are forgotten then, and the providers' own refusals remain.
//
// Uses are kept one by one for three minutes, in slots of five seconds for a day (placed at a slot's last use), and as
// money a day for 40 days; so processes that start later see older uses as sums (requests, tokens, money of a slot in
// one LimitUse).
// `clock` outlives the store. Errors: OutputDiskFull, OutputDenied, Internal.
Result<std::unique_ptr<LimitStore>> openLimitStore(const std::filesystem::path& folder, const Clock& clock,
                                                   const LimitDatabaseSettings& settings = {});

} // namespace aiflow
