// What the journal says of a job that no process owns, as the values of the front door.
#pragma once

#include "aiflow/job_client.h"
#include "aiflow/messages.h"
#include "core/store/job_directory.h"
#include "core/store/journal.h"

#include <memory>

namespace aiflow {

// Names of JobField records; the journal keeps the last value of each.
namespace job_field {
inline constexpr std::string_view kTotal = "total"; // items, once the input is checked
inline constexpr std::string_view kFinalSnapshot =
    "snapshot"; // JSON of the last JobSnapshot, when a process ended in order
inline constexpr std::string_view kCancelled = "cancelled"; // "1": a person gave the job up
} // namespace job_field

// The picture of a job at rest: what its last process left, or, when that was killed, what the journal adds up to
// (state Interrupted, unfinished items Queued).
Result<JobSnapshot> snapshotAtRest(const JobEntry& entry);

ItemLine toItemLine(const ItemRow& row, const std::vector<std::string>& stepNames);
FailureGroupSnapshot toSnapshot(const FailureGroup& group, const std::vector<std::string>& stepNames,
                                JournalReader& reader);

} // namespace aiflow
