// Reads the command line; the one place that knows the parsing library.
#pragma once

#include "aiflow/result.h"
#include "cli/program/command.h"
#include "cli/program/help.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

// What the command line asks for: a command to run, or its help, or the version. With neither command nor anything
// else, the overview is wanted.
struct Wish {
    Command* command = nullptr;
    std::string helpFor; // name of a command or group; only with `help`
    bool help = false;
    bool version = false;
};

// Words must be typed in full; a mistyped one is an error that names the nearest.
// Threads: one.
class CommandLine {
public:
    CommandLine(CommandList& commands, std::span<const CommandGroup> groups, CommonOptions& common);
    ~CommandLine();

    // UsageInvalid: the hint says what was meant, or where to look.
    Result<Wish> parse(int count, const char* const* words);
    // Options of one command, for its help; the common ones apart.
    const std::vector<OptionRow>& optionsOf(std::string_view command) const;
    const std::vector<OptionRow>& commonOptions() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace aiflow
