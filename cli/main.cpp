#include "aiflow/version.h"
#include "cli/commands/commands.h"
#include "cli/program/command_line.h"
#include "cli/program/common_options.h"
#include "cli/program/console.h"
#include "cli/session/signals.h"

#include <exception>
#include <iostream>

namespace {

using namespace aiflow;

CommandList allCommands(std::unique_ptr<Command> help)
{
    CommandList commands;
    for (const auto make : {makeBatchCommand, makeResumeCommand, makeRetryCommand, makeDemoCommand, makeRehearseCommand,
                            makeStatusCommand, makeListCommand, makeAttachCommand, makePauseCommand, makeCancelCommand,
                            makeExportCommand, makeInitCommand, makeDoctorCommand})
        commands.push_back(make());
    addPipelineCommands(commands);
    addModelCommands(commands);
    addProviderCommands(commands);
    addConfigCommands(commands);
    commands.push_back(std::move(help));
    return commands;
}

// Only takes its words; the program answers, since help is about all the others.
class HelpCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"help",
                {"Everything about a command, or about a topic.", "某个命令或主题的完整说明。"},
                "[COMMAND|TOPIC]",
                {{"help batch", {"every option explained", "每个选项的说明"}},
                 {"help exit-codes",
                  {"also: states, reasons, env, files, faults", "另有 states、reasons、env、files、faults"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("WORD", word, Need::Optional, {"a command or a topic", "命令或主题"});
        options.positional("SECOND", second, Need::Optional, {"of a group: its command", "组内命令"});
    }
    int run(const Invocation&) override { return 0; }

    std::string word, second;
};

class Program {
public:
    int run(int count, const char* const* words)
    {
        auto owned = std::make_unique<HelpCommand>();
        m_help = owned.get();
        m_commands = allCommands(std::move(owned));
        CommandLine line(m_commands, kCommandGroups, m_common);
        const auto wish = line.parse(count, words);
        m_console.configure(m_common);
        if (!wish) return refuse(wish.error());
        if (const auto language = m_common.language; language && !languageOf(*language))
            return refuse({Reason::UsageInvalid, "--lang cannot be \"" + *language + "\"", "en or zh", std::nullopt});
        if (wish->version) return print(std::string("aiflow-cli ") + kVersion + "\n");
        if (wish->help) return print(shortHelp(line, wish->helpFor));
        if (!wish->command) return print(helpOverview(m_console.language()));
        if (wish->command == m_help) return longHelp(line);
        return wish->command->run({m_console, m_common, asTyped(count, words)});
    }

private:
    int print(const std::string& text)
    {
        m_console.out(text);
        return 0;
    }

    int refuse(const Error& error)
    {
        m_console.error(error);
        return 2;
    }

    static std::string asTyped(int count, const char* const* words)
    {
        std::string text = "aiflow-cli";
        for (int i = 1; i < count; ++i) text += " " + shellWord(words[i]);
        return text;
    }

    std::optional<HelpMaterial> materialOf(const CommandLine& line, const std::string& name) const
    {
        for (const auto& command : m_commands)
            if (command->card().name == name)
                return HelpMaterial{command->card(), line.optionsOf(name), line.commonOptions()};
        return std::nullopt;
    }

    std::string groupHelp(const std::string& name) const
    {
        std::vector<CommandCard> cards;
        for (const auto& command : m_commands)
            if (command->card().name.starts_with(name + " ")) cards.push_back(command->card());
        for (const CommandGroup& group : kCommandGroups)
            if (group.name == name) return helpOfGroup(group, cards, m_console.language());
        return {};
    }

    std::string shortHelp(const CommandLine& line, const std::string& name) const
    {
        if (const auto material = materialOf(line, name)) return helpScreen(*material, m_console.language());
        const std::string group = groupHelp(name);
        return group.empty() ? helpOverview(m_console.language()) : group;
    }

    int longHelp(const CommandLine& line)
    {
        if (m_help->word.empty()) return print(helpOverview(m_console.language()));
        const std::string name = m_help->word + (m_help->second.empty() ? "" : " " + m_help->second);
        if (const auto material = materialOf(line, name)) return print(helpInFull(*material, m_console.language()));
        std::string text = groupHelp(name);
        if (text.empty()) text = helpTopic(name, m_console.language());
        if (!text.empty()) return print(text);
        return refuse({Reason::UsageInvalid, "there is no help about \"" + name + "\"",
                       "topics: exit-codes, states, reasons, env, files, faults", std::nullopt});
    }

    Console m_console;
    CommonOptions m_common;
    CommandList m_commands;
    HelpCommand* m_help = nullptr; // one of m_commands
};

} // namespace

int main(int count, char** words)
{
    ignoreWriteSignals();
    try {
        return Program().run(count, words);
    } catch (const std::exception& exception) {
        // Nothing below lets one out; memory that ran out may.
        std::cerr << "error: " << exception.what() << '\n';
        return 1;
    }
}
