// Progress on a terminal: a block that lives at the bottom, permanent lines above it.
#pragma once

#include "cli/session/display/display.h"

namespace aiflow {

std::unique_ptr<Display> makeBlockDisplay(Console& console, Watched watched);

} // namespace aiflow
