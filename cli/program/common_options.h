// Options that every command takes.
#pragma once

#include "aiflow/engine.h"
#include "cli/program/command.h"

namespace aiflow {

struct CommonOptions {
    std::optional<std::string> language;
    std::string color = "auto";
    std::optional<std::filesystem::path> stateDirectory;
    std::optional<std::filesystem::path> configFile;
    std::optional<std::filesystem::path> logFile;
    std::string logFormat = "text";
    bool ascii = false;
    bool quiet = false;
    bool noInput = false; // never ask
    bool yes = false;     // every question is answered with yes
    int verbose = 0;
};

void declareCommon(OptionSet& options, CommonOptions& common);
Surroundings surroundingsOf(const CommonOptions& common);

} // namespace aiflow
