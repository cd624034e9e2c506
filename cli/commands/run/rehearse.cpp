#include "aiflow/rehearsal.h"

#include "cli/commands/commands.h"
#include "cli/commands/run/batch_options.h"
#include "cli/commands/run/fault_words.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"
#include "cli/terminal/rehearsal_text.h"

namespace aiflow {

namespace {

class RehearseCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"rehearse",
                {"Run the job against simulated services: what it would take and cost, no key.",
                 "用模拟服务演练任务：预知时间、费用与故障处理，无需密钥。"},
                "INPUT|--sample [--speed N] [--fault ...] [options]",
                {{"rehearse --sample", {"what ships", "示例商品与服务"}},
                 {"rehearse products.csv --limit 50", {"the first 50", "前 50 个商品"}},
                 {"rehearse products.csv --fault outage=2m", {"nobody answers", "服务中断"}},
                 {"rehearse products.csv --fault throttle=0.3", {"429s", "限流"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("INPUT", m_input, Need::Optional,
                           {"a CSV or JSONL file, a folder of pictures", "CSV 或 JSONL 文件、图片文件夹"});
        options.flag("--sample", m_request.sample, {"what ships, instead of INPUT", "使用自带示例代替 INPUT"});
        options.number("--speed", m_speed, 1, {"times life speed, of the services; 20", "服务的加速倍数；默认 20"});
        options.number("--limit", m_request.limit, 1, {"the first so many items", "只取前若干个商品"});
        options.repeated("--fault", m_faults, "KIND[=...]",
                         {"what goes wrong; see help faults", "安排的故障；见 help faults"});
        options.number("--seed", m_seed, 0, {"of chance; the same gives the same faults", "随机种子"});
        options.flag("--keep", m_request.keep, {"keep the rehearsal's folder", "保留演练文件夹"});
        m_batch.declare(options);
        m_work.declare(options);
        m_run.declare(options);
    }

    int run(const Invocation& invocation) override
    {
        if (auto settled = settle(invocation); !settled) return reportError(invocation, m_run.output, settled.error());
        m_run.rehearsal = true;
        return runJob(
                   invocation, m_run, m_request.sample ? "products.csv" : m_input,
                   [&](const CheckProgress& progress) {
                       return rehearse(surroundingsOf(invocation.common), m_request, progress);
                   },
                   [&](const RunOutcome& outcome) { tell(invocation.console, *outcome.report); })
            .exitCode;
    }

private:
    Result<void> settle(const Invocation& invocation)
    {
        if (auto settled = m_run.settle(invocation.console); !settled) return settled;
        if (m_input.empty() != m_request.sample)
            return m_request.sample ? fail(Reason::UsageInvalid, "--sample takes no INPUT")
                                    : fail(Reason::UsageInvalid, "INPUT is missing",
                                           "the products that ship: aiflow-cli rehearse --sample");
        m_request.batch.input = m_input;
        m_request.batch.commandLine = invocation.commandLine;
        if (m_speed) m_request.speed = static_cast<double>(*m_speed);
        if (m_seed) m_request.seed = static_cast<std::uint64_t>(*m_seed);
        for (const std::string& words : m_faults) {
            auto fault = faultOf(words);
            if (!fault) return tl::unexpected(fault.error());
            m_request.faults.push_back(std::move(*fault));
        }
        return m_batch.apply(m_request.batch).and_then([this] { return m_work.apply(m_request.batch); });
    }

    void tell(Console& console, const JobReport& report) const
    {
        if (!report.rehearsal) return;
        if (m_run.output == OutputFormat::Text && !(console.quiet() && report.exitCode == 0))
            console.out(terminal::renderRehearsal(*report.rehearsal, report.snapshot, console.outLook()));
        if (m_request.sample)
            console.next({"init shop", "rehearse products.csv"});
        else
            console.next({"batch " + shellWord(m_input), "providers test"});
    }

    std::string m_input;
    RehearsalRequest m_request;
    std::optional<std::int64_t> m_speed, m_seed;
    std::vector<std::string> m_faults;
    BatchOptions m_batch;
    WorkOptions m_work;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeRehearseCommand() { return std::make_unique<RehearseCommand>(); }

} // namespace aiflow
