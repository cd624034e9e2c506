// What one configuration file may hold: its words, and the types of what stands behind them.
#pragma once

#include "core/base/units.h"
#include "core/pipeline/yaml_reader.h"

#include <optional>
#include <string>

namespace aiflow {

// Knows nothing of other files; what only the merged whole can tell is checked later.
void checkConfiguration(const YamlNode& root, Problems& problems);
// "512MiB", "4GiB"; nothing for anything else.
std::optional<Bytes> memorySize(const std::string& text);

} // namespace aiflow
