// The one place that names the JSON library. Headers use json_fwd.h.
#pragma once

#include "core/base/json_fwd.h"

#include "aiflow/result.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace aiflow {

// Parses a whole text. Error: position, and what was expected; depth is limited to 64.
Result<Json> parseJson(std::string_view text, std::string_view fileName = {});
// One line, keys sorted, so that equal values give equal bytes; invalid UTF-8 is replaced by U+FFFD.
std::string dumpJson(const Json& value);

} // namespace aiflow
