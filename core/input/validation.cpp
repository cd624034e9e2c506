#include "core/input/validation.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::int64_t kProgressRows = 16'384;

void note(ValidationReport& report, const Error& error, std::size_t keptErrors)
{
    ++report.errorsByReason[error.reason];
    if (report.errors.size() < keptErrors) report.errors.push_back(error);
}

// The table of ids is made in one go once the length of a row is known.
void expectRows(IdSet& seen, const ValidationProgress& progress)
{
    if (progress.rows != kProgressRows || progress.bytes == 0) return;
    const double rows = static_cast<double>(progress.totalBytes) / static_cast<double>(progress.bytes) * kProgressRows;
    seen.expect(std::min<std::int64_t>(static_cast<std::int64_t>(rows * 1.02), 10'000'000));
}

} // namespace

Result<ValidationReport> validateInput(const std::filesystem::path& path, const ValidationOptions& options)
{
    Hasher hasher;
    auto reader = RecordReader::open(path, options.input, &hasher);
    if (!reader) return tl::unexpected(reader.error());
    ValidationReport report;
    report.description = (*reader)->description();
    if (options.columns) {
        auto columns = ColumnMap::make(*options.columns, report.description);
        if (!columns) return tl::unexpected(columns.error());
        if (auto complete = columns->requireAll(); !complete) return tl::unexpected(complete.error());
        report.columns = std::move(*columns);
    }
    std::error_code ignored;
    ValidationProgress progress;
    if (std::filesystem::is_regular_file(path, ignored))
        progress.totalBytes = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
    IdSet seen;
    InputRecord record;
    for (;;) {
        const auto found = (*reader)->next(record);
        if (!found) return tl::unexpected(found.error());
        if (!*found) break;
        ++report.totalRows;
        const auto problem = report.columns ? report.columns->check(record, &seen) : record.error;
        if (problem) note(report, *problem, options.keptErrors);
        if (!problem) ++report.goodRows;
        if (report.totalRows % kProgressRows != 0) continue;
        progress.rows = report.totalRows;
        progress.bytes = record.byteOffset + record.byteLength;
        expectRows(seen, progress);
        if (options.progress) options.progress(progress);
        if (options.stop.stop_requested()) return fail(Reason::Cancelled, "cancelled while the input was checked");
    }
    report.bytes = (*reader)->bytesRead();
    report.contentHash = hasher.finish();
    return report;
}

} // namespace aiflow
