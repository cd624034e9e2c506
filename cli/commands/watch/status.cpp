#include "aiflow/job_client.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/session/display/attached_view.h"
#include "cli/session/job_run.h"
#include "cli/session/wording.h"
#include "cli/terminal/tables.h"

namespace aiflow {

namespace {

class StatusCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"status",
                {"How a job stands: counts, failures, time; also of jobs that ended.",
                 "查看任务的状态：数量、失败、时间；已结束的也可查看。"},
                "[JOB] [--watch] [--exit-status]",
                {{"status", {"the newest job", "最近的任务"}},
                 {"status 7f3a9c --watch", {"until it ends", "直到结束"}},
                 {"status last --exit-status", {"exits as the job did", "以任务的退出码退出"}},
                 {"status last --output json", {"for scripts", "供脚本使用"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Optional, {"id, its beginning, or last", "任务号、其开头或 last"});
        options.flag("--watch", m_watch, {"stay until it ends", "持续到任务结束"});
        options.flag("--exit-status", m_exitStatus, {"exit with the job's code", "以任务的退出码退出"});
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }

    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, output, client.error());
        auto status = (*client)->status(m_job);
        if (!status) return reportError(invocation, output, status.error());
        if (m_watch && !isTerminal(status->state)) {
            const bool terminal = invocation.console.errTraits().terminal && output == OutputFormat::Text;
            const auto style = terminal::chooseProgress("auto", environmentVariable, terminal);
            auto last = watchJob(invocation.console, **client, status->job, {style, std::chrono::minutes(1), {}});
            if (!last) return reportError(invocation, output, last.error());
            if (last->detached) return 0;
            status = std::move(last->snapshot);
        }
        show(invocation.console, *status, output);
        return m_exitStatus ? status->exitCode.value_or(0) : 0;
    }

private:
    static void show(Console& console, const JobSnapshot& status, OutputFormat output)
    {
        if (output == OutputFormat::Json) {
            console.out(statusJson(status) + "\n");
            return;
        }
        console.out(terminal::renderStatus(status, console.outLook()));
        console.next(nextAfter(status));
    }

    std::string m_job = "last", m_output = "text";
    bool m_watch = false, m_exitStatus = false;
};

class ListCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"list",
                {"All jobs, the newest first.", "所有任务，最新的在前。"},
                "[--limit N]",
                {{"list", {"the last twenty", "最近二十个"}},
                 {"list --output json", {"for scripts: all of them", "供脚本使用：全部"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.number("--limit", m_limit, 1, {"at most so many; 20", "最多显示的个数；默认 20"});
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }

    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, output, client.error());
        auto jobs = (*client)->list();
        if (!jobs) return reportError(invocation, output, jobs.error());
        Console& console = invocation.console;
        if (output == OutputFormat::Json) {
            cutTo(*jobs, m_limit);
            console.out(listJson(*jobs) + "\n");
            return 0;
        }
        const std::size_t all = jobs->size();
        cutTo(*jobs, m_limit.value_or(20));
        showTable(console, *jobs, all);
        return 0;
    }

private:
    static void cutTo(std::vector<JobSnapshot>& jobs, std::optional<std::int64_t> limit)
    {
        if (limit && std::ssize(jobs) > *limit) jobs.resize(static_cast<std::size_t>(*limit));
    }

    static void showTable(Console& console, const std::vector<JobSnapshot>& jobs, std::size_t all)
    {
        console.out(terminal::renderList(jobs, console.outLook()));
        if (all > jobs.size())
            console.err(
                fill(console.say({" {} older ones: --limit\n", " 另有 {} 个更早的：--limit\n"}), {all - jobs.size()}));
        console.next(nextAfterList(jobs));
    }

    // The newest that runs, and the newest that can go on.
    static std::vector<std::string> nextAfterList(const std::vector<JobSnapshot>& jobs)
    {
        if (jobs.empty()) return {"demo", "batch products.csv"};
        std::vector<std::string> next;
        for (const JobSnapshot& job : jobs)
            if (job.state == JobState::Running && next.empty()) next.push_back("attach " + job.job);
        for (const JobSnapshot& job : jobs)
            if (job.state == JobState::Interrupted && next.size() < 2) {
                next.push_back("resume " + job.job);
                break;
            }
        if (next.empty()) next.push_back("status " + jobs.front().job);
        return next;
    }

    std::optional<std::int64_t> m_limit;
    std::string m_output = "text";
};

} // namespace

std::unique_ptr<Command> makeStatusCommand() { return std::make_unique<StatusCommand>(); }
std::unique_ptr<Command> makeListCommand() { return std::make_unique<ListCommand>(); }

} // namespace aiflow
