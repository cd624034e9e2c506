// Runs a job in this process from its header line to its summary.
#pragma once

#include "aiflow/engine.h"
#include "cli/session/run_options.h"

#include <functional>
#include <optional>
#include <string>

namespace aiflow {

struct Invocation;

// Makes the session; may take long for a large input.
using SessionMaker = std::function<Result<std::unique_ptr<JobSession>>(const CheckProgress& progress)>;

struct RunOutcome {
    int exitCode = 0;
    std::optional<JobReport> report; // none: the job did not start, or its run failed
};

// Shows, stops, sums up, runs the hook. `input` is shown until the session knows better.
// `lastWords` say what comes next, before the hook runs; without them the summary ends with the usual commands.
RunOutcome runJob(const Invocation& invocation, const RunOptions& options, const std::string& input,
                  const SessionMaker& make, const std::function<void(const RunOutcome&)>& lastWords = {});

// An error that kept a command from its work, as text or as JSON; gives the exit code.
int reportError(const Invocation& invocation, OutputFormat output, const Error& error);

} // namespace aiflow
