// Events of a job as lines that stay on a terminal above the block.
#pragma once

#include "aiflow/job_event.h"
#include "cli/terminal/look.h"

#include <optional>
#include <string>

namespace aiflow::terminal {

// "✗ line 343  SKU-88410  load   image_missing   images/88410_3.jpg not found": a failed item, a provider that paused
// or is back, the job held or going on. Nothing for events that need no line. Not wider than look.columns.
std::optional<std::string> eventSentence(const JobEvent& event, const Look& look);

} // namespace aiflow::terminal
