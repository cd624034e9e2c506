// Tells everyone who counts that a task ended: its item, the journal, the viewers.
#pragma once

#include "core/engine/job_context.h"

namespace aiflow {

// Writes the task's record, unless it is written or belongs to a plain op that did well (its item's record says so).
// Threads: any; the item must have a piece of work.
void reportTask(JobContext& job, const Token& token, ActiveItem& item, const TaskResult& result);

} // namespace aiflow
