// The file in which a large answer is kept as it came: a line that says what it is, then the body.
#pragma once

#include "aiflow/result.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

struct RecordHead {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::int64_t bytes = -1; // of the body; -1: it was not known to be whole
};

// The first line, with its end. Its length does not depend on `bytes`.
std::string recordLine(const RecordHead& head);
// Nothing: this is no such line.
std::optional<RecordHead> readRecordLine(std::string_view line);
const std::string* headerOf(const RecordHead& head, std::string_view lowerCaseName);

} // namespace aiflow
