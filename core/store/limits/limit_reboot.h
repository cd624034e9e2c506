// What the uses of another boot mean now: boot times of then are of no use, the wall clock says how long ago.
#pragma once

#include "core/base/clock.h"
#include "core/store/limits/limit_file.h"

namespace aiflow {

// When a use of then is placed: `ago` before now at the latest that a window of a second, a minute, an hour or a day
// allows, so that what may lie within one counts as now. Older ones keep their age.
std::chrono::nanoseconds agoAfterReboot(std::chrono::nanoseconds ago) noexcept;

// Rewrites everything for this boot; whoever ran then is dead. Within a transaction. `state` is brought up to date, but
// not written.
Result<void> carryOverReboot(LimitFile& file, LimitFileState& state, BootTime now, WallTime wall);

} // namespace aiflow
