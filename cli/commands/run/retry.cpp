#include "aiflow/job_client.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"
#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow {

namespace {

bool fits(const FailureGroupSnapshot& group, const std::vector<std::string>& reasons)
{
    const std::string_view code = info(group.reason).code;
    return reasons.empty() || std::any_of(reasons.begin(), reasons.end(), [&](const std::string& wanted) {
               if (wanted.ends_with(".*"))
                   return code.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1));
               return code == wanted;
           });
}

class RetryCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"retry",
                {"Try failed items of a job again, in the same job.", "在同一任务中重试失败的商品。"},
                "JOB [--failed|--group REASON|--where FILTER] [options]",
                {{"retry last --failed", {"all that failed", "所有失败的商品"}},
                 {"retry last --group input.image_missing", {"one group", "其中一组"}},
                 {"retry last --where 'reason:input.*' --yes", {"without asking", "不询问"}},
                 {"retry last --where 'id:SKU-1' --where 'id:SKU-2'", {"named items", "指定的商品"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Required, {"id, its beginning, or last", "任务号、其开头或 last"});
        options.flag("--failed", m_failed, {"everything that failed; the default", "全部失败的商品；默认"});
        options.repeated("--group", m_groups, "REASON", {"failures with this reason code", "此原因代码的失败"});
        options.repeated("--where", m_where, "FILTER",
                         {"reason:CODE, reason:CLASS.* or id:ITEM", "reason:代码、reason:类.* 或 id:商品"});
        options.number("--limit", m_selection.limit, 1, {"at most so many items", "最多重试的商品数"});
        options.flag("--offline", m_request.offline, {"no remote call; stand-ins answer", "不联网，由替身应答"});
        m_work.declare(options);
        m_run.declare(options);
    }

    int run(const Invocation& invocation) override
    {
        m_request.commandLine = invocation.commandLine;
        auto settled = m_run.settle(invocation.console).and_then([&] { return select(); }).and_then([&] {
            return m_work.apply(m_request);
        });
        if (!settled) return reportError(invocation, m_run.output, settled.error());

        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, m_run.output, client.error());
        const auto status = (*client)->status(m_job);
        if (!status) return reportError(invocation, m_run.output, status.error());
        const auto agreed = preview(invocation, *status);
        if (!agreed) return reportError(invocation, m_run.output, agreed.error());
        if (!*agreed) return 0;
        return runJob(invocation, m_run, status->input,
                      [&](const CheckProgress&) {
                          return JobSession::retry(surroundingsOf(invocation.common), status->job, m_selection,
                                                   m_request);
                      })
            .exitCode;
    }

private:
    Result<void> select()
    {
        for (const std::string& reason : m_groups)
            if (auto added = addReason(reason); !added) return added;
        for (const std::string& filter : m_where) {
            if (filter.starts_with("reason:")) {
                if (auto added = addReason(filter.substr(7)); !added) return added;
            } else if (filter.starts_with("id:") && filter.size() > 3) {
                m_selection.items.push_back(filter.substr(3));
            } else {
                return fail(Reason::UsageInvalid, "--where does not understand \"" + filter + "\"",
                            "reason:CODE, reason:CLASS.* or id:ITEM, e.g. --where 'reason:input.*'");
            }
        }
        return {};
    }

    Result<void> addReason(const std::string& reason)
    {
        if (!reason.ends_with(".*") && !reasonFromCode(reason))
            return fail(Reason::UsageInvalid, "no reason code is \"" + reason + "\"",
                        "all of them: aiflow-cli help reasons");
        m_selection.reasons.push_back(reason);
        return {};
    }

    std::int64_t countOf(const JobSnapshot& status) const
    {
        std::int64_t count = 0;
        for (const FailureGroupSnapshot& group : status.failures)
            if (fits(group, m_selection.reasons)) count += group.count;
        if (!m_selection.items.empty()) count = std::min(count, static_cast<std::int64_t>(m_selection.items.size()));
        return std::min(count, m_selection.limit.value_or(count));
    }

    // What would be retried, and may it be? False: the person said no.
    Result<bool> preview(const Invocation& invocation, const JobSnapshot& status) const
    {
        Console& console = invocation.console;
        const std::int64_t count = countOf(status);
        if (count == 0)
            return fail(Reason::UsageInvalid, "nothing to retry: no such failure in job " + status.job,
                        "see: aiflow-cli status " + status.job);
        if (invocation.common.yes) return true;
        if (!console.canAsk())
            return fail(Reason::UsageInvalid, fill("{} items of job {} would be retried", {count, status.job}),
                        "add --yes to do it");
        std::string text;
        for (const FailureGroupSnapshot& group : status.failures)
            if (fits(group, m_selection.reasons))
                text += terminal::padLeft(terminal::grouped(group.count), 8) + "  " +
                        terminal::pad(info(group.reason).code, 24) + "  " + terminal::harmless(group.step) + "  " +
                        terminal::harmless(group.message) + "\n";
        console.err(text);
        const auto question =
            fill(console.say({"Retry {} items of job {}? [y/N] ", "重试 {} 个商品（任务 {}）？[y/N] "}),
                 {count, status.job});
        const auto answer = Console::ask(question);
        return answer && (*answer == "y" || *answer == "Y" || *answer == "yes" || *answer == "是");
    }

    std::string m_job;
    bool m_failed = false;
    std::vector<std::string> m_groups, m_where;
    RetrySelection m_selection;
    BatchRequest m_request;
    WorkOptions m_work;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeRetryCommand() { return std::make_unique<RetryCommand>(); }

} // namespace aiflow
