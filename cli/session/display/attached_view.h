// Watches a job that another process runs, until it ends or the watcher leaves.
#pragma once

#include "aiflow/job_client.h"
#include "cli/session/run_options.h"

#include <chrono>
#include <optional>

namespace aiflow {

class Console;

struct Attached {
    JobSnapshot snapshot;  // the last one
    bool detached = false; // the watcher left; the job goes on
};

struct ViewOptions {
    terminal::Progress progress = terminal::Progress::Plain;
    std::chrono::milliseconds interval{60'000};
    // Every event from this one on goes to standard output as a JSON line.
    std::optional<std::int64_t> eventsFrom;
};

// The job never notices. JobNotFound when there is no such job; one that ended is told from its journal.
Result<Attached> watchJob(Console& console, JobClient& client, const std::string& job, const ViewOptions& options);

} // namespace aiflow
