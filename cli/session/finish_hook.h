// Runs the user's command after a job.
#pragma once

#include "aiflow/engine.h"

#include <string>

namespace aiflow {

class Console;

// `command` goes to /bin/sh and gets the final JSON object on its standard input, AIFLOW_JOB and AIFLOW_EXIT_CODE in
// its environment, and its output on standard error. Waits for it; its failure is a warning.
void runFinishHook(Console& console, const std::string& command, const JobReport& report, int exitCode);

} // namespace aiflow
