// What a command is: how it introduces itself, which options it takes, what it does.
#pragma once

#include "cli/program/language.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

class Console;
struct CommonOptions;

enum class Need : bool { Optional, Required };

// Collects what a command line may hold. The targets must live as long as the set; they change only when the command
// line was good. `names` is "-o,--out"; `value` is the word that help shows for the value.
class OptionSet {
public:
    virtual ~OptionSet() = default;
    virtual void positional(std::string_view name, std::string& target, Need need, Text help) = 0;
    virtual void text(std::string_view names, std::optional<std::string>& target, std::string_view value,
                      Text help) = 0;
    virtual void path(std::string_view names, std::optional<std::filesystem::path>& target, std::string_view value,
                      Text help) = 0;
    // Whole numbers from `least` on.
    virtual void number(std::string_view names, std::optional<std::int64_t>& target, std::int64_t least, Text help) = 0;
    // One of `words`, separated by |.
    virtual void choice(std::string_view names, std::string& target, std::string_view words, Text help) = 0;
    // May be given more than once.
    virtual void repeated(std::string_view names, std::vector<std::string>& target, std::string_view value,
                          Text help) = 0;
    virtual void flag(std::string_view names, bool& target, Text help) = 0;
    // -vv counts two.
    virtual void counted(std::string_view names, int& target, Text help) = 0;
};

struct Example {
    std::string_view line; // without the program's name
    Text note;
};

struct CommandCard {
    std::string_view name;  // "batch"; of a command in a group: "pipelines list"
    Text summary;           // one sentence
    std::string_view usage; // what follows the name: "INPUT [options]"
    std::vector<Example> examples;
};

// Everything a command gets to work with.
struct Invocation {
    Console& console;
    const CommonOptions& common;
    std::string commandLine; // as typed
};

class Command {
public:
    virtual ~Command() = default;
    virtual CommandCard card() const = 0;
    virtual void declare(OptionSet& options) = 0;
    // The exit code.
    virtual int run(const Invocation& invocation) = 0;
};

// A word that needs another one: "pipelines". Alone it runs `whenAlone`.
struct CommandGroup {
    std::string_view name;
    Text summary;
    std::string_view whenAlone; // "list"
};

using CommandList = std::vector<std::unique_ptr<Command>>;

} // namespace aiflow
