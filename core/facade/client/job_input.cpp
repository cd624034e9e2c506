#include "core/facade/client/job_input.h"

#include "core/base/json.h"
#include "core/facade/client/job_options.h"

namespace aiflow {

namespace {

std::string textOf(const Json& value)
{
    if (value.is_null()) return {};
    return value.is_string() ? value.get<std::string>() : dumpJson(value);
}

} // namespace

InputSettings snapshotSettings(const JobDescription& job)
{
    InputSettings settings;
    // A folder's snapshot is its listing, one JSON object a line.
    settings.format = job.inputFormat == "csv" ? InputFormat::Csv : InputFormat::Jsonl;
    settings.encoding = job.inputEncoding;
    settings.displayName = job.input.filename().string();
    if (const auto options = JobOptions::fromJson(job.settings); options) settings.delimiter = options->delimiter;
    return settings;
}

Result<JobInput> JobInput::open(const std::filesystem::path& jobFolder, const JobDescription& job)
{
    const std::filesystem::path file = jobFolder / "input.snapshot";
    const auto reader = RecordReader::open(file, snapshotSettings(job));
    if (!reader) return tl::unexpected(reader.error());
    JobInput snapshot;
    snapshot.description = (*reader)->description();
    auto records = RecordAccess::open(file, snapshot.description);
    if (!records) return tl::unexpected(records.error());
    snapshot.records = std::move(*records);
    return snapshot;
}

std::vector<std::string> JobInput::columnNames() const
{
    std::vector<std::string> names;
    for (const HeaderColumn& column : description.header)
        if (!column.ignored) names.push_back(column.name);
    return names;
}

std::vector<std::string> JobInput::cells(const InputRecord& record) const
{
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < description.header.size(); ++i) {
        const HeaderColumn& column = description.header[i];
        if (column.ignored) continue;
        std::string cell;
        if (record.object) {
            if (const auto it = record.object->find(column.name); it != record.object->end()) cell = textOf(*it);
        } else if (i < record.cells.size()) {
            cell = record.cells[i];
        }
        cells.push_back(std::move(cell));
    }
    return cells;
}

} // namespace aiflow
