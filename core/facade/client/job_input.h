// The rows of a job again: its input's snapshot and how to read single records of it.
#pragma once

#include "core/input/record_reader.h"
#include "core/store/job_directory.h"

#include <memory>
#include <string>
#include <vector>

namespace aiflow {

struct JobInput {
    InputDescription description;
    std::shared_ptr<const RecordAccess> records;

    // Opens jobs/<id>/input.snapshot as the job's description says it was read.
    static Result<JobInput> open(const std::filesystem::path& jobFolder, const JobDescription& job);

    std::vector<std::string> columnNames() const; // without the ignored ones
    // The cells of those columns, as text, in the same order. A bad row gives what can be read of it.
    std::vector<std::string> cells(const InputRecord& record) const;
};

// How recordings of a job read its snapshot: its format there, encoding and delimiter.
InputSettings snapshotSettings(const JobDescription& job);

} // namespace aiflow
