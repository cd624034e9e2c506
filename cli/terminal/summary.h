// What a job came to: the text at its end.
#pragma once

#include "aiflow/messages.h"
#include "cli/terminal/look.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aiflow::terminal {

// What the snapshot does not know.
struct SummaryExtras {
    std::vector<std::string> results; // files that were written, as to be shown
    std::int64_t resultFiles = 0;     // pictures and the like beside them
    std::string failures;             // failures.csv; empty when there is none
    std::string cause;                // why it stopped by itself; empty
    std::vector<std::string> next;    // commands, ready to paste
};

// Ends with a line end. The item counts always add up to the total.
std::string renderSummary(const JobSnapshot& job, const SummaryExtras& extras, const Look& look);

} // namespace aiflow::terminal
