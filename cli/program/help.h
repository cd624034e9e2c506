// The text of --help: examples first, 24 lines and 80 columns for the first screen.
#pragma once

#include "cli/program/command.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct OptionRow {
    std::string names; // "-o, --out DIR"
    Text help;
};

struct HelpMaterial {
    CommandCard card;
    std::span<const OptionRow> options;
    std::span<const OptionRow> common;
};

// One command on one screen: options without their explanations when these do not fit.
std::string helpScreen(const HelpMaterial& material, Language language);
// One command with every option explained.
std::string helpInFull(const HelpMaterial& material, Language language);
// The overview of all commands.
std::string helpOverview(Language language);
// A group's commands: "pipelines".
std::string helpOfGroup(const CommandGroup& group, std::span<const CommandCard> cards, Language language);

// "exit-codes", "states", "reasons", "env", "files", "faults"; empty text for an unknown topic.
std::string helpTopic(std::string_view topic, Language language);
std::span<const std::string_view> helpTopics() noexcept;

} // namespace aiflow
