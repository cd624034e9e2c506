// The neutral request, read: what every protocol needs of it, checked once.
#pragma once

#include "core/api/protocols/protocol.h"

#include <string>
#include <vector>

namespace aiflow {

struct NeutralPicture {
    std::optional<RequestFile> file;
    std::string url; // without a file: an https address that the provider fetches itself
};

struct NeutralRequest {
    std::string prompt;
    std::string system;
    const Json* schema = nullptr; // null: none
    std::vector<NeutralPicture> pictures;
    std::optional<RequestFile> mask;
    int width = 0; // 0: no size asked for
    int height = 0;
    std::int64_t count = 1;
    std::optional<double> temperature;
    std::vector<std::string> texts; // of embeddings
    bool severalTexts = false;      // a list was given, even of one
    const Json* all = nullptr;
    std::string size() const { return std::to_string(width) + "x" + std::to_string(height); }
};

// UsageInvalid with the field's name: it is missing or has the wrong form. The plan's request must outlive the result.
Result<NeutralRequest> readNeutral(const AttemptPlan& plan);
// A picture's object, {"artifact","media_type","size"}; nothing: it is none.
std::optional<RequestFile> fileFrom(const Json& value);

} // namespace aiflow
