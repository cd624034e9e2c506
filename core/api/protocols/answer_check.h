// Whether a model's text is the answer that its step asked for, and what to tell the model when it is not.
#pragma once

#include "core/api/protocols/protocol.h"

namespace aiflow {

struct CheckedAnswer {
    std::shared_ptr<Json> value;       // fits; null: it does not
    std::vector<std::string> mistakes; // one sentence each, for the model and for people; at most ten
};

// Finds the JSON value in `text`: the whole, the content of a code fence, or the first whole value with text before or
// after it; then checks it against `schema` (draft 7). Numbers that are not finite, depth above 64: mistakes.
CheckedAnswer checkAnswer(std::string_view text, const Json& schema);
// Refuses empty texts and texts that are an error message of a gateway (HTML, {"error":..}); nothing: it is fine.
std::optional<std::string> whyNoText(std::string_view text);

} // namespace aiflow
