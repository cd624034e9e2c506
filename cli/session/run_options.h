// Options of the commands that run a job.
#pragma once

#include "aiflow/engine.h"
#include "cli/program/command.h"
#include "cli/terminal/choices.h"

#include <chrono>

namespace aiflow {

class Console;

enum class OutputFormat : std::uint8_t { Text, Json, JsonLines };

// How a job is shown and stopped; as typed until settle() read it.
class RunOptions {
public:
    void declare(OptionSet& options);
    // Only what concerns looking at a job.
    void declareView(OptionSet& options);
    // UsageInvalid for a value that does not parse. Looks at the console and the environment for what was not given.
    Result<void> settle(const Console& console);

    OutputFormat output = OutputFormat::Text;
    terminal::Progress progress = terminal::Progress::Plain;
    std::chrono::milliseconds interval{60'000};
    std::chrono::seconds grace{120};
    std::optional<std::string> onFinish;
    bool rehearsal = false; // cannot be resumed; its command sums it up
    std::string again;      // what a batch over the failed rows needs on its command line: " --offline"

private:
    std::string m_output = "text", m_progress = "auto";
    std::optional<std::string> m_interval;
    std::optional<std::int64_t> m_grace;
};

// What the work itself may be told: the part of a BatchRequest that a resumed job takes too.
class WorkOptions {
public:
    void declare(OptionSet& options);
    // Writes into `request`. UsageInvalid for a value that does not parse.
    Result<void> apply(BatchRequest& request) const;

private:
    Result<void> applyPatience(BatchRequest& request) const;

    bool m_failFast = false;
    std::optional<std::string> m_maxFailures, m_memory, m_budget, m_maxWait;
    std::string m_onOutage = "wait";
    std::optional<std::int64_t> m_cores, m_priority;
};

// "title=商品标题"; UsageInvalid without a name or a "=".
Result<std::vector<std::pair<std::string, std::string>>> pairsOf(std::string_view option,
                                                                 const std::vector<std::string>& words);

OutputFormat outputFormatOf(std::string_view word) noexcept;

} // namespace aiflow
