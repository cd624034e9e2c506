// What the remote services of a job are doing, in few words: how full their limits are, who is away and until when.
#pragma once

#include "aiflow/messages.h"
#include "cli/terminal/look.h"

#include <string>

namespace aiflow::terminal {

// Beside a step: "imagehub paused, probe in 0:06", "qwen 171/180 rpm", "qwen 12 open"; else the step's own note.
std::string noteOf(const JobSnapshot& job, const StepSnapshot& step, const Look& look);
// "openai/b benched, openai/c benched": accounts that get no work although their service answers; empty: none.
std::string benchedText(const JobSnapshot& job, const Look& look);
// "16.83/60.00 CNY", "16.83 CNY"; empty when nothing was spent and nothing is limited.
std::string spentText(const JobSnapshot& job, const Look& look);
// Whether a pause is more than a limit that is full for a moment.
bool isOutage(const PauseSnapshot& pause);
// "qwen:171/180,openai:3/60": for plain lines; empty when no account has a limit of requests.
std::string ratesText(const JobSnapshot& job);

} // namespace aiflow::terminal
