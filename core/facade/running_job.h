// A job that this process owns: its folder, stores, lanes and feed around the engine's runner.
#pragma once

#include "aiflow/engine.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/facade/installed_files.h"
#include "core/facade/job_plan.h"
#include "core/facade/toolbox.h"
#include "core/store/job_directory.h"

#include <filesystem>
#include <memory>
#include <set>

namespace aiflow {

// What every session needs before it knows its job.
struct Workbench {
    SystemClock clock;
    SystemRandom random;
    std::shared_ptr<Log> log = Log::nowhere(); // of the lanes, which outlive one job's log
    std::filesystem::path state;
    InstalledFiles files;
    Configuration configuration;
    std::unique_ptr<Toolbox> tools;

    static Result<std::unique_ptr<Workbench>> setUp(const Surroundings& surroundings);
};

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
