// The beginning of an input, for a rehearsal of a few items.
#pragma once

#include "aiflow/engine.h"

#include <cstdint>
#include <filesystem>

namespace aiflow {

// The request made to read only the first `limit` rows, objects or pictures, from a copy of them in `folder`; paths
// still begin where they began. Errors: as for the input itself; UsageInvalid for standard input.
Result<BatchRequest> firstItems(BatchRequest request, std::int64_t limit, const std::filesystem::path& folder);

} // namespace aiflow
