// What viewers are shown of a job that this process runs.
#pragma once

#include "core/api/api_lane.h"
#include "core/api/settings/api_settings.h"
#include "core/engine/job_runner.h"
#include "core/facade/job_plan.h"
#include "core/live/live_job.h"
#include "core/store/journal.h"

#include <cstdint>
#include <vector>

namespace aiflow {

// `firstSeq`: of the first event that this process adds.
LiveIdentity liveIdentity(const JobDescription& job, const JobPlan& plan, const ApiSettings& services,
                          const JobMoney& money, std::int64_t firstSeq);
std::vector<AccountSnapshot> accountsOf(const ApiLane& lane);
// Events from `from` on, for a viewer that missed them; what was queued for the journal is written first.
std::vector<EventLine> journaledEvents(Journal& journal, std::int64_t from, std::int64_t limit);

} // namespace aiflow
