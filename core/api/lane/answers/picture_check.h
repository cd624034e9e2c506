// Whether a file that came as a picture is one, and whole, as far as its outer form tells; nothing is decoded.
#pragma once

#include "core/api/transport/answer_spool.h"

#include <optional>
#include <string>

namespace aiflow {

// Nothing: it is fine. PNG, JPEG, WebP and GIF are looked at from their beginning to their end; of other image types
// only the name is known.
std::optional<std::string> whyNoPicture(const SpooledFile& file);

} // namespace aiflow
