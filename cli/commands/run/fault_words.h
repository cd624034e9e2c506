// Faults of a rehearsal as they are typed: "outage=2m", "throttle=0.3", "openai/main:quota@5m".
#pragma once

#include "aiflow/rehearsal.h"

#include <string>
#include <string_view>

namespace aiflow {

// [PROVIDER[/ACCOUNT]:]KIND[=SHARE|=TIME][@START]. UsageInvalid names the kinds.
Result<RehearsalFault> faultOf(std::string_view words);
// "outage, throttle, ..."
std::string faultKinds();

} // namespace aiflow
