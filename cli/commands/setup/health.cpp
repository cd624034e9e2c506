#include "aiflow/workspace.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/session/job_run.h"

#include <algorithm>

namespace aiflow {

namespace {

class InitCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"init",
                {"Write a commented aiflow.yaml and pipelines to start from.", "写出带注释的 aiflow.yaml 与起步流程。"},
                "[DIR]",
                {{"init", {"in this folder", "在当前文件夹"}},
                 {"init shop", {"in a folder of its own", "在单独的文件夹"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("DIR", m_folder, Need::Optional, {"default: this folder", "默认当前文件夹"});
    }
    int run(const Invocation& invocation) override
    {
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, OutputFormat::Text, workspace.error());
        const auto summary = (*workspace)->init(m_folder);
        if (!summary) return reportError(invocation, OutputFormat::Text, summary.error());
        Console& console = invocation.console;
        if (!console.quiet()) {
            for (const auto& path : summary->written)
                console.out(std::string(console.say({"written  ", "已写出  "})) + path.string() + "\n");
            for (const auto& path : summary->kept)
                console.out(std::string(console.say({"kept     ", "已保留  "})) + path.string() + "\n");
        }
        std::vector<std::string> next;
        for (const auto& path : summary->written)
            if (path.filename() == "pipeline.yaml") next.push_back("pipelines check " + shellWord(path.string()));
        next.emplace_back("config show --origin");
        console.next(next);
        return 0;
    }

private:
    std::string m_folder = ".";
};

class DoctorCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"doctor",
                {"Check that this machine is fit for the work.", "检查本机环境是否就绪。"},
                "[--json]",
                {{"doctor", {"exit 1 when something is bad", "有严重问题时退出码为 1"}},
                 {"doctor --json", {"for scripts", "供脚本使用"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.flag("--json", m_json, {"one object on standard output", "标准输出为一个 JSON 对象"});
    }
    int run(const Invocation& invocation) override
    {
        const OutputFormat output = m_json ? OutputFormat::Json : OutputFormat::Text;
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, output, workspace.error());
        auto checks = (*workspace)->doctor();
        checks.push_back(terminalCheck(invocation.console));
        if (m_json)
            invocation.console.out(doctorJson(checks) + "\n");
        else
            tell(invocation.console, checks);
        const bool bad = std::any_of(checks.begin(), checks.end(),
                                     [](const auto& check) { return check.verdict == DoctorCheck::Verdict::Bad; });
        return bad ? 1 : 0;
    }

private:
    static DoctorCheck terminalCheck(const Console& console)
    {
        DoctorCheck check;
        check.name = "terminal";
        const bool terminal = console.errTraits().terminal;
        check.detail = terminal ? std::to_string(console.errLook().columns) + " columns" : "none";
        check.detail += console.ascii() ? ", ASCII signs" : ", UTF-8";
        if (!console.ascii()) return check;
        check.verdict = DoctorCheck::Verdict::Warning;
        check.hint = "export LC_ALL=C.UTF-8 shows the usual signs";
        return check;
    }

    static void tell(Console& console, const std::vector<DoctorCheck>& checks)
    {
        static constexpr const char* kSigns[]{"✓", "!", "✗"};
        static constexpr const char* kAsciiSigns[]{"+", "!", "x"};
        std::size_t widest = 0;
        for (const DoctorCheck& check : checks) widest = std::max(widest, check.name.size());
        for (const DoctorCheck& check : checks) {
            const auto verdict = static_cast<std::size_t>(check.verdict);
            std::string line = std::string(" ") + (console.ascii() ? kAsciiSigns : kSigns)[verdict] + " " + check.name;
            line.append(widest + 2 - check.name.size(), ' ');
            line += check.detail + "\n";
            if (!check.hint.empty()) line += "     " + check.hint + "\n";
            console.out(line);
        }
    }

    bool m_json = false;
};

} // namespace

std::unique_ptr<Command> makeInitCommand() { return std::make_unique<InitCommand>(); }
std::unique_ptr<Command> makeDoctorCommand() { return std::make_unique<DoctorCommand>(); }

} // namespace aiflow
