#include "aiflow/job_client.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"

namespace aiflow {

namespace {

class ResumeCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"resume",
                {"Go on with an interrupted or paused job; nothing finished is done again.",
                 "继续被中断或暂停的任务；已完成的不会重做。"},
                "JOB [options]",
                {{"resume last", {"the newest job", "最近的任务"}},
                 {"resume 7f3a9c", {"or enough of its beginning: 7f3", "或其开头几位：7f3"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Required, {"id, its beginning, or last", "任务号、其开头或 last"});
        options.flag("--offline", m_request.offline, {"no remote call; stand-ins answer", "不联网，由替身应答"});
        m_work.declare(options);
        m_run.declare(options);
    }

    int run(const Invocation& invocation) override
    {
        m_request.commandLine = invocation.commandLine;
        auto settled = m_run.settle(invocation.console).and_then([&] { return m_work.apply(m_request); });
        if (!settled) return reportError(invocation, m_run.output, settled.error());

        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, m_run.output, client.error());
        const auto status = (*client)->status(m_job);
        if (!status) return reportError(invocation, m_run.output, status.error());
        if (status->ownerPid != 0 && !isTerminal(status->state)) return continuePaused(invocation, **client, *status);
        return runJob(invocation, m_run, status->input,
                      [&](const CheckProgress&) {
                          return JobSession::resume(surroundingsOf(invocation.common), status->job, m_request);
                      })
            .exitCode;
    }

private:
    int continuePaused(const Invocation& invocation, JobClient& client, const JobSnapshot& status) const
    {
        if (status.state == JobState::Running)
            return reportError(
                invocation, m_run.output,
                Error{Reason::JobLocked,
                      "job " + status.job + " is running already (process " + std::to_string(status.ownerPid) + ")",
                      "watch it: aiflow-cli attach " + status.job, std::nullopt});
        const auto answer = client.resume(status.job);
        if (!answer) return reportError(invocation, m_run.output, answer.error());
        invocation.console.out(*answer + "\n");
        invocation.console.next({"attach " + status.job});
        return 0;
    }

    std::string m_job;
    BatchRequest m_request;
    WorkOptions m_work;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeResumeCommand() { return std::make_unique<ResumeCommand>(); }

} // namespace aiflow
