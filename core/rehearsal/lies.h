// Answers that look like a success and are none: each made from the right answer.
#pragma once

#include "core/rehearsal/wire/wire.h"

namespace aiflow {

// The right reply, turned into the lie `variant` (0 to kLieVariants - 1, others wrap). `origin`:
// "http://127.0.0.1:PORT".
Reply lieOf(int variant, Reply right, const Ask& ask, const Places& places, const std::string& origin);

} // namespace aiflow
