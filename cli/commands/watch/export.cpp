#include "aiflow/job_client.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/session/job_run.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::pair<std::string_view, ExportFile> kKinds[]{{"results", ExportFile::Results},
                                                           {"failures", ExportFile::Failures},
                                                           {"items", ExportFile::Items},
                                                           {"jsonl", ExportFile::JsonLines},
                                                           {"files", ExportFile::Files}};

class ExportCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {"export",
                {"Write a job's results.csv, failures.csv and result files again.",
                 "重新写出任务的 results.csv、failures.csv 与结果文件。"},
                "JOB [--out DIR] [--what KIND]...",
                {{"export last", {"into the job's output folder", "写到任务的输出文件夹"}},
                 {"export last --out copy", {"somewhere else", "写到别处"}},
                 {"export last --what items --what jsonl", {"only these", "只写这些"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("JOB", m_job, Need::Required, {"id, its beginning, or last", "任务号、其开头或 last"});
        options.path("-o,--out", m_request.folder, "DIR",
                     {"default: the job's output folder", "默认为任务的输出文件夹"});
        options.repeated("--what", m_what, "results|failures|items|jsonl|files",
                         {"default: results, failures, files", "默认 results、failures、files"});
        options.flag("--raw-csv", m_request.rawCsv,
                     {"leave cells that look like formulas as they are", "形似公式的单元格保持原样"});
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }

    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        if (auto chosen = choose(); !chosen) return reportError(invocation, output, chosen.error());
        auto client = JobClient::open(invocation.common.stateDirectory);
        if (!client) return reportError(invocation, output, client.error());
        const auto summary = (*client)->exportJob(m_job, m_request);
        if (!summary) return reportError(invocation, output, summary.error());
        tell(invocation, *summary, output);
        return 0;
    }

private:
    Result<void> choose()
    {
        if (m_what.empty()) return {};
        m_request.files.clear();
        for (const std::string& word : m_what) {
            const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                            [&](const auto& known) { return known.first == word; });
            if (kind == std::end(kKinds))
                return fail(Reason::UsageInvalid, "--what cannot be \"" + word + "\"",
                            "one of results, failures, items, jsonl, files");
            m_request.files.push_back(kind->second);
        }
        return {};
    }

    void tell(const Invocation& invocation, const ExportSummary& summary, OutputFormat output) const
    {
        Console& console = invocation.console;
        if (output == OutputFormat::Json) {
            console.out(exportJson(summary) + "\n");
            return;
        }
        if (console.quiet()) return;
        for (const auto& path : summary.written) console.out(path.string() + "\n");
        console.out(fill(
            console.say({"{} results, {} failures, {} files in {}\n", "{} 个结果，{} 个失败，{} 个文件，位于 {}\n"}),
            {summary.results, summary.failures, summary.files, summary.folder.string()}));
        if (summary.failures > 0) console.next({"retry " + m_job + " --failed"});
    }

    std::string m_job;
    std::vector<std::string> m_what;
    ExportRequest m_request;
    std::string m_output = "text";
};

} // namespace

std::unique_ptr<Command> makeExportCommand() { return std::make_unique<ExportCommand>(); }

} // namespace aiflow
