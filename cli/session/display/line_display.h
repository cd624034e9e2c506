// Progress without a terminal: lines for cron and journals, JSON lines, or only what must be said.
#pragma once

#include "cli/session/display/display.h"

namespace aiflow {

std::unique_ptr<Display> makePlainDisplay(Console& console, const RunOptions& options, Watched watched);
std::unique_ptr<Display> makeJsonDisplay(Console& console, const RunOptions& options, Watched watched);
std::unique_ptr<Display> makeSilentDisplay(Console& console);

} // namespace aiflow
