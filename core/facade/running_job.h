// A job that this process owns: its folder, stores, lanes and feed around the engine's runner.
#pragma once

#include "aiflow/engine.h"
#include "core/facade/job_plan.h"
#include "core/facade/workbench.h"
#include "core/store/job_directory.h"

#include <memory>
#include <set>

namespace aiflow {

// What is to be done of an existing job.
struct WorkChoice {
    bool fresh = false; // use no earlier results
    std::set<std::int64_t>
        again; // retry: these items, which ended, are done again, and no other; empty: all that did not end
};

// Opens journal, stores, lanes and the log. Nothing runs yet.
Result<std::unique_ptr<JobSession>> openRunningJob(std::unique_ptr<Workbench> bench, JobPlan plan,
                                                   std::unique_ptr<JobDirectory> directory, WorkChoice choice,
                                                   const Surroundings& surroundings);

} // namespace aiflow
