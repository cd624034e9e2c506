#include "cli/commands/commands.h"
#include "cli/commands/run/batch_options.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"

namespace aiflow {

namespace {

class BatchCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"batch",
                {"Run a pipeline over every product of a CSV, JSONL file or folder.",
                 "对 CSV、JSONL 文件或文件夹中的每个商品运行流程。"},
                "INPUT [--pipeline NAME] [--out DIR] [options]",
                {{"batch products.csv", {"finds the fitting pipeline", "自动选择匹配的流程"}},
                 {"batch photos/ -p hero-image", {"every picture in a folder", "文件夹中的每张图片"}},
                 {"batch out/failures.csv", {"the failed rows, after fixing", "修正后的失败行"}},
                 {"batch products.csv --offline", {"no network, no key", "不联网，无需密钥"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("INPUT", m_input, Need::Required,
                           {"a CSV or JSONL file, a folder of pictures, or - for standard input",
                            "CSV 或 JSONL 文件、图片文件夹，- 为标准输入"});
        m_batch.declare(options);
        options.flag("--offline", m_request.offline, {"no remote call; stand-ins answer", "不联网，由替身应答"});
        options.flag("--fresh", m_request.fresh, {"use no earlier results", "不使用以前的结果"});
        m_work.declare(options);
        m_run.declare(options);
    }

    int run(const Invocation& invocation) override
    {
        m_request.input = m_input;
        m_request.commandLine = invocation.commandLine;
        // The failed rows remember the rest: output folder, pipeline, parameters.
        if (m_request.offline) m_run.again = " --offline";
        if (auto settled = settle(invocation.console); !settled)
            return reportError(invocation, m_run.output, settled.error());
        return runJob(invocation, m_run, m_input,
                      [&](const CheckProgress& progress) {
                          return JobSession::batch(surroundingsOf(invocation.common), m_request, progress);
                      })
            .exitCode;
    }

private:
    Result<void> settle(const Console& console)
    {
        return m_run.settle(console).and_then([this] { return m_batch.apply(m_request); }).and_then([this] {
            return m_work.apply(m_request);
        });
    }

    std::string m_input;
    BatchRequest m_request;
    BatchOptions m_batch;
    WorkOptions m_work;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeBatchCommand() { return std::make_unique<BatchCommand>(); }

} // namespace aiflow
