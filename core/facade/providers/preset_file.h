// The services that the program knows by name: protocol, address and the rest, so that a key and a model are all that a
// configuration must say.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/facade/installed_files.h"

#include <memory>

namespace aiflow {

// share/aiflow/providers/*.yaml as one object; empty when none is installed. ConfigInvalid: a file is damaged.
Result<std::shared_ptr<const Json>> readPresets(const InstalledFiles& files);

} // namespace aiflow
