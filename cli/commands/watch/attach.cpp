#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/session/display/attached_view.h"
#include "cli/session/job_run.h"
#include "cli/session/wording.h"

namespace aiflow {

namespace {

class AttachCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"attach",
                {"Watch a running job; d or Ctrl-C leaves, and the job goes on.",
                 "查看运行中的任务；按 d 或 Ctrl-C 离开，任务继续。"},
                "JOB [--output jsonl [--from-seq N]] [--exit-status]",
                {{"attach last", {"the live block", "实时画面"}},
                 {"attach 7f3a9c --output jsonl", {"every event so far", "从第一个起的全部事件"}},
                 {"attach last --output jsonl --from-seq 120", {"on from there", "续读事件流"}},
                 {"attach last --exit-status", {"exits as it did", "等待并以任务的退出码退出"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Required, {"id, its beginning, or last", "任务号、其开头或 last"});
        options.number("--from-seq", m_fromSeq, 1,
                       {"first event; only with --output jsonl", "第一个事件；仅用于 --output jsonl"});
        options.flag("--exit-status", m_exitStatus, {"exit with the job's code", "以任务的退出码退出"});
        m_run.declareView(options);
    }

    int run(const Invocation& invocation) override
    {
        auto settled = m_run.settle(invocation.console);
        if (settled && m_fromSeq && m_run.output != OutputFormat::JsonLines)
            settled = fail(Reason::UsageInvalid, "--from-seq needs --output jsonl");
        if (!settled) return reportError(invocation, m_run.output, settled.error());
        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, m_run.output, client.error());

        ViewOptions view{m_run.progress, m_run.interval, std::nullopt};
        if (m_run.output == OutputFormat::JsonLines) view.eventsFrom = m_fromSeq.value_or(1);
        const auto attached = watchJob(invocation.console, **client, m_job, view);
        if (!attached) return reportError(invocation, m_run.output, attached.error());
        return attached->detached ? leave(invocation.console, *attached) : ended(invocation.console, *attached);
    }

private:
    static int leave(Console& console, const Attached& attached)
    {
        console.err(std::string(console.say({"detached; the job goes on\n", "已离开；任务继续运行\n"})));
        console.next({"attach " + attached.snapshot.job, "cancel " + attached.snapshot.job});
        return 0;
    }

    int ended(Console& console, const Attached& attached) const
    {
        if (m_run.output == OutputFormat::Text && !console.quiet())
            console.out(snapshotSummary(console, attached.snapshot));
        return m_exitStatus ? attached.snapshot.exitCode.value_or(0) : 0;
    }

    std::string m_job;
    std::optional<std::int64_t> m_fromSeq;
    bool m_exitStatus = false;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeAttachCommand() { return std::make_unique<AttachCommand>(); }

} // namespace aiflow
