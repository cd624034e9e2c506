// Names the JSON type without its cost.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace aiflow {

using Json = nlohmann::json;

} // namespace aiflow
