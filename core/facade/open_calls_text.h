// What people are told of calls that were open when the job's last process ended.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/engine/calls/attempt_recorder.h"

#include <string>

namespace aiflow {

// "3 calls were open when the last process ended: 1 was answered and is read again, 2 may have been paid (at most 0.12
// USD); they are sent once more". Empty when there were none.
std::string openCallsText(const EarlierCalls& earlier, const UnknownSettings& policy);

} // namespace aiflow
