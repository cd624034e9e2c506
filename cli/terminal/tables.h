// Jobs as tables: `list` and `status`.
#pragma once

#include "aiflow/messages.h"
#include "cli/terminal/look.h"

#include <span>
#include <string>

namespace aiflow::terminal {

// One line per job in the given order, under a line of heads; a sentence when there is none. Names give way to numbers
// on a narrow terminal.
std::string renderList(std::span<const JobSnapshot> jobs, const Look& look);
// One job: what it is, its block (for a job that ended, too), its failure groups.
std::string renderStatus(const JobSnapshot& job, const Look& look);

} // namespace aiflow::terminal
