#include "cli/commands/commands.h"
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
        options.text("-p,--pipeline", m_request.pipeline, "NAME", {"a shipped one, or a file", "自带流程名或流程文件"});
        options.path("-o,--out", m_request.output, "DIR", {"output folder; ./out", "输出文件夹；默认 ./out"});
        options.flag("--offline", m_request.offline, {"no remote call; stand-ins answer", "不联网，由替身应答"});
        options.flag("--fresh", m_request.fresh, {"use no earlier results", "不使用以前的结果"});
        options.flag("--strict", m_request.strict, {"refuse an input with bad rows", "有坏行时拒绝整个输入"});
        options.repeated("--map", m_map, "COL=HEADER", {"which header is which column", "指定列对应的表头"});
        options.repeated("--set", m_set, "NAME=VALUE", {"a parameter of the pipeline", "流程参数"});
        options.path("--input-root", m_request.inputRoot, "DIR",
                     {"where relative paths of rows begin", "行内相对路径的起点"});
        options.text("--encoding", m_request.encoding, "NAME", {"default: detected", "默认自动识别"});
        options.text("--delimiter", m_delimiter, "CHAR", {"default: detected", "默认自动识别"});
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
        if (auto settled = m_run.settle(console); !settled) return settled;
        auto map = pairsOf("--map", m_map);
        if (!map) return tl::unexpected(map.error());
        auto set = pairsOf("--set", m_set);
        if (!set) return tl::unexpected(set.error());
        m_request.columnMap = std::move(*map);
        m_request.set = std::move(*set);
        if (m_delimiter) {
            const std::string& word = *m_delimiter;
            if (word == "tab" || word == "\\t")
                m_request.delimiter = '\t';
            else if (word.size() == 1)
                m_request.delimiter = word.front();
            else
                return fail(Reason::UsageInvalid, "--delimiter needs one character, or \"tab\"");
        }
        return m_work.apply(m_request);
    }

    std::string m_input;
    BatchRequest m_request;
    std::vector<std::string> m_map, m_set;
    std::optional<std::string> m_delimiter;
    WorkOptions m_work;
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeBatchCommand() { return std::make_unique<BatchCommand>(); }

} // namespace aiflow
