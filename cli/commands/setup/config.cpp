#include "aiflow/workspace.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/program/table.h"
#include "cli/session/job_run.h"

namespace aiflow {

namespace {

class ConfigShow final : public Command {
public:
    CommandCard card() const override
    {
        return {"config show",
                {"The settings in force; keys are never shown.", "生效的设置；密钥从不显示。"},
                "[--origin]",
                {{"config show --origin", {"with the file and line of each", "附每项的文件与行号"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.flag("--origin", m_origin, {"where each comes from", "显示每项的来源"});
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }
    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, output, workspace.error());
        const auto lines = (*workspace)->configuration();
        if (!lines) return reportError(invocation, output, lines.error());
        Console& console = invocation.console;
        if (output == OutputFormat::Json) {
            console.out(configJson(*lines) + "\n");
            return 0;
        }
        std::vector<std::string> heads{std::string(console.say({"setting", "设置"})),
                                       std::string(console.say({"value", "值"}))};
        if (m_origin) heads.emplace_back(console.say({"from", "来源"}));
        Table table(std::move(heads));
        for (const ConfigLine& line : *lines)
            table.row(m_origin ? std::vector{line.name, line.value, line.origin} : std::vector{line.name, line.value});
        console.out(table.text());
        return 0;
    }

private:
    bool m_origin = false;
    std::string m_output = "text";
};

class ConfigExample final : public Command {
public:
    CommandCard card() const override
    {
        return {"config example",
                {"Print an example to copy.", "打印可复制的示例。"},
                "crontab|systemd-service|systemd-timer",
                {{"config example crontab", {"every night", "每晚运行"}},
                 {"config example systemd-service > aiflow.service", {"a unit", "单元"}},
                 {"config example systemd-timer > aiflow.timer", {"its timer", "其定时器"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("KIND", m_kind, Need::Required,
                           {"crontab, systemd-service or systemd-timer", "crontab、systemd-service 或 systemd-timer"});
    }
    int run(const Invocation& invocation) override
    {
        if (m_kind != "crontab" && m_kind != "systemd-service" && m_kind != "systemd-timer")
            return reportError(invocation, OutputFormat::Text,
                               Error{Reason::UsageInvalid, "there is no example \"" + m_kind + "\"",
                                     "one of crontab, systemd-service, systemd-timer", std::nullopt});
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, OutputFormat::Text, workspace.error());
        const auto text = (*workspace)->example(m_kind);
        if (!text) return reportError(invocation, OutputFormat::Text, text.error());
        invocation.console.out(*text);
        return 0;
    }

private:
    std::string m_kind;
};

} // namespace

void addConfigCommands(CommandList& commands)
{
    commands.push_back(std::make_unique<ConfigShow>());
    commands.push_back(std::make_unique<ConfigExample>());
}

} // namespace aiflow
