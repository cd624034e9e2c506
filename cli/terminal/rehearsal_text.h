// What a rehearsal came to: time, cost, limits, trouble.
#pragma once

#include "aiflow/rehearsal.h"
#include "cli/terminal/look.h"

#include <string>

namespace aiflow::terminal {

// Ends with a line end.
std::string renderRehearsal(const RehearsalReport& report, const JobSnapshot& job, const Look& look);

} // namespace aiflow::terminal
