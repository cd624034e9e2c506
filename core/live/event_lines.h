// The members of each event of the stream, as JSON text; the head (v, seq, ts) is the publisher's.
#pragma once

#include "core/live/json_text.h"
#include "core/live/live_job.h"

#include <span>
#include <string_view>
#include <vector>

namespace aiflow::event_lines {

JsonText jobStarted(const LiveIdentity& identity, std::int64_t total, std::int64_t reusedItems);
JsonText itemFinished(std::string_view job, const ItemOutcome& outcome);
JsonText taskFinished(std::string_view job, std::string_view step, const TaskOutcome& outcome);
JsonText jobFinished(const JobSnapshot& snapshot);
JsonText progress(const JobSnapshot& snapshot);

} // namespace aiflow::event_lines
