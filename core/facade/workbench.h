// What a command needs before it knows its job: clocks, configuration, state directory, tools.
#pragma once

#include "aiflow/engine.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/facade/installed_files.h"
#include "core/facade/toolbox.h"
#include "core/pipeline/config_file.h"

#include <filesystem>
#include <memory>

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

    // Makes the lane that a job of this pipeline needs. Errors: as Toolbox::connect().
    Result<void> connect(const Pipeline& pipeline) { return tools->connect(pipeline, {state, clock, random, *log}); }
};

} // namespace aiflow
