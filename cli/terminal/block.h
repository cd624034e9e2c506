// The living block of a job: one line per step and one of the whole.
#pragma once

#include "aiflow/messages.h"
#include "cli/terminal/look.h"

#include <string>
#include <vector>

namespace aiflow::terminal {

// Lines without ends, none wider than look.columns, at most look.rows - 2 (the busiest steps stay, in their order).
// Under 60 columns, or when there is no room for steps, a single line. Numbers go before names, bars and notes.
std::vector<std::string> renderBlock(const JobSnapshot& job, const Look& look);

// The single line of a narrow terminal: " 57% 2871/5000 x32 ~97 16-18m 16.83CNY".
std::string renderOneLine(const JobSnapshot& job, const Look& look);

} // namespace aiflow::terminal
