#include "aiflow/job_client.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"

namespace aiflow {

namespace {

constexpr Text kJobHelp{"id, its beginning, or last", "任务号、其开头或 last"};

// Opens the client and names the job in full, so that the next commands can be pasted whatever "last" means then.
template <typename Action> int onRunningJob(const Invocation& invocation, const std::string& job, Action action)
{
    auto client = JobClient::open(invocation.common.stateDirectory);
    if (!client) return reportError(invocation, OutputFormat::Text, client.error());
    const auto status = (*client)->status(job);
    if (!status) return reportError(invocation, OutputFormat::Text, status.error());
    if (status->ownerPid == 0 || isTerminal(status->state)) {
        return reportError(invocation, OutputFormat::Text,
                           Error{Reason::UsageInvalid, "job " + status->job + " is not running",
                                 "how it stands: aiflow-cli status " + status->job, std::nullopt});
    }
    const Result<std::string> answer = action(**client, status->job);
    if (!answer) return reportError(invocation, OutputFormat::Text, answer.error());
    if (!invocation.common.quiet) invocation.console.out(*answer + "\n");
    invocation.console.next({"resume " + status->job, "status " + status->job});
    return 0;
}

class PauseCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"pause",
                {"Hold a running job: what is in flight finishes, nothing new starts.",
                 "暂停运行中的任务：进行中的会完成，不再开始新的。"},
                "JOB",
                {{"pause last", {"the newest job", "最近的任务"}}, {"resume last", {"lets it go on", "让它继续"}}}};
    }
    void declare(OptionSet& options) override { options.positional("JOB", m_job, Need::Required, kJobHelp); }
    int run(const Invocation& invocation) override
    {
        return onRunningJob(invocation, m_job,
                            [](JobClient& client, const std::string& job) { return client.pause(job); });
    }

private:
    std::string m_job;
};

class CancelCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"cancel",
                {"End a running job; what is done is kept, and resume can go on later.",
                 "结束运行中的任务；已完成的会保留，之后可用 resume 继续。"},
                "JOB [--now]",
                {{"cancel last", {"what is in flight finishes first", "先完成进行中的工作"}},
                 {"cancel last --now", {"what is in flight is dropped", "放弃进行中的工作"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Required, kJobHelp);
        options.flag("--now", m_now, {"drop what is in flight", "放弃进行中的工作"});
    }
    int run(const Invocation& invocation) override
    {
        return onRunningJob(invocation, m_job,
                            [this](JobClient& client, const std::string& job) { return client.cancel(job, m_now); });
    }

private:
    std::string m_job;
    bool m_now = false;
};

} // namespace

std::unique_ptr<Command> makePauseCommand() { return std::make_unique<PauseCommand>(); }
std::unique_ptr<Command> makeCancelCommand() { return std::make_unique<CancelCommand>(); }

} // namespace aiflow
