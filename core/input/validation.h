// Looks at the whole input once, before any work: how many rows, which are bad and why, and what the file is.
#pragma once

#include "core/input/column_map.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <vector>

namespace aiflow {

struct ValidationProgress {
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    std::int64_t totalBytes = 0; // 0: a folder
};

struct ValidationOptions {
    InputSettings input;
    std::optional<ColumnMapSettings> columns;                // none: only the file's own form is checked
    std::size_t keptErrors = 100;                            // the first ones
    std::function<void(const ValidationProgress&)> progress; // every 16,384 rows
    std::stop_token stop;                                    // looked at as often: Cancelled
};

struct ValidationReport {
    InputDescription description;
    std::optional<ColumnMap> columns;
    std::int64_t totalRows = 0;
    std::int64_t goodRows = 0;
    std::int64_t badRows() const noexcept { return totalRows - goodRows; }
    std::vector<Error> errors;                     // of the first bad rows
    std::map<Reason, std::int64_t> errorsByReason; // of all bad rows
    ContentHash contentHash;                       // of the file's bytes, or of the folder's listing
    std::int64_t bytes = 0;
};

// Memory does not depend on the file's length, but for 12 bytes for each id. Bad rows are counted; an error is the
// file's own: InputFileBad, or InputFieldMissing when a required column is not there.
Result<ValidationReport> validateInput(const std::filesystem::path& path, const ValidationOptions& options);

} // namespace aiflow
