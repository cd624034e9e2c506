// Sentences about jobs that several commands say.
#pragma once

#include "aiflow/engine.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

class Console;

// "AIFlow 0.1.0  job 7f3a9c  5,000 items x 5 steps  products.csv (GB18030, 12 columns)"
std::string headerSentence(const Console& console, const Preparation& preparation);
// Why this pipeline, which columns were matched, bad rows, what was left behind: a line each.
std::vector<std::string> preparationNotes(const Console& console, const Preparation& preparation);
// What Ctrl-C does, and how to watch from elsewhere; of a rehearsal: what it touches.
std::string ctrlCSentence(const Console& console, const Preparation& preparation);
std::string stoppingSentence(const Console& console, const JobSnapshot& snapshot, std::chrono::seconds grace);
// "Stopped. 2,887 of 5,000 done, checkpoint saved.", and how to resume.
std::string stoppedSentence(const Console& console, const JobSnapshot& snapshot);
// Id, state and the narrow terminal's line, for SIGUSR1.
std::string statusSentence(const Console& console, const JobSnapshot& snapshot);
// What a job came to, with its next commands; for one that this process did not run.
std::string snapshotSummary(const Console& console, const JobSnapshot& snapshot);
// The same for a job that this process ran; `next` without the program's name.
std::string reportSummary(const Console& console, const JobReport& report, const std::vector<std::string>& next);
// Now, as "2026-11-22T02:00:00+08:00".
std::string timeText();
// The ready-to-paste commands for where a job stands, without the program's name. `flags` go with a batch.
std::vector<std::string> nextAfter(const JobSnapshot& snapshot, const std::string& flags = {});

} // namespace aiflow
