#include "aiflow/workspace.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/session/job_run.h"

#include <algorithm>
#include <system_error>

namespace aiflow {

namespace {

namespace fs = std::filesystem;

// Files that are there already are the user's, and stay.
Result<void> copyMissing(const fs::path& from, const fs::path& to)
{
    std::error_code code;
    fs::create_directories(to, code);
    if (!code) fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::skip_existing, code);
    if (code)
        return fail(Reason::OutputDenied, "cannot copy the samples to " + to.string() + ": " + code.message(),
                    "another folder: aiflow-cli demo DIR");
    return {};
}

bool isPlanted(const FailureGroupSnapshot& group)
{
    return group.reason == Reason::InputImageMissing || group.reason == Reason::InputImageBad;
}

// The samples hold one missing and one corrupt picture; whatever else failed is no demonstration.
bool wentAsDesigned(const JobReport& report)
{
    const auto& groups = report.snapshot.failures;
    return (report.exitCode == 0 || report.exitCode == 3) && report.snapshot.items[TaskState::Failed] <= 2 &&
           std::all_of(groups.begin(), groups.end(), isPlanted);
}

class DemoCommand final : public Command {
public:
    CommandCard card() const override
    {
        return {
            "demo",
            {"Make pictures of the sample products: offline, no key, about a minute.",
             "用示例商品生成图片：离线，无需密钥，约一分钟。"},
            "[DIR]",
            {{"demo", {"in ./aiflow-demo", "在 ./aiflow-demo 中"}}, {"demo /tmp/try", {"somewhere else", "在别处"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.positional("DIR", m_folder, Need::Optional, {"default: ./aiflow-demo", "默认 ./aiflow-demo"});
        m_run.declare(options);
    }

    int run(const Invocation& invocation) override
    {
        if (auto settled = m_run.settle(invocation.console); !settled)
            return reportError(invocation, m_run.output, settled.error());
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, m_run.output, workspace.error());
        const auto copied = (*workspace)->samples().and_then([this](const fs::path& samples) {
            return copyMissing(samples, m_folder);
        });
        if (!copied) return reportError(invocation, m_run.output, copied.error());

        const BatchRequest request = requestFor(invocation);
        bool designed = false;
        const RunOutcome outcome = runJob(
            invocation, m_run, request.input.string(),
            [&](const CheckProgress& progress) {
                return JobSession::batch(surroundingsOf(invocation.common), request, progress);
            },
            [&](const RunOutcome& ended) {
                designed = wentAsDesigned(*ended.report);
                explain(invocation.console, *ended.report, designed);
            });
        return designed ? 0 : outcome.exitCode;
    }

private:
    BatchRequest requestFor(const Invocation& invocation) const
    {
        BatchRequest request;
        request.input = fs::path(m_folder) / "products.csv";
        request.output = fs::path(m_folder) / "out";
        request.offline = true;
        request.commandLine = invocation.commandLine;
        return request;
    }

    void explain(Console& console, const JobReport& report, bool designed) const
    {
        if (console.quiet()) return;
        const fs::path folder(m_folder);
        const std::string out = (folder / "out").string();
        std::string text = fill(console.say({"\nThe pictures are in {}\n", "\n图片位于 {}\n"}), {out});
        const bool failures = report.snapshot.items[TaskState::Failed] > 0;
        if (designed && failures) text += explanation(console, folder);
        console.err(text);
        if (!designed)
            console.next({"status " + report.snapshot.job, "doctor"});
        else if (failures)
            console.next({"batch " + shellWord((folder / "out" / "failures.csv").string()) + " --offline"});
        else
            console.next({"batch products.csv", "pipelines show " + shellWord(report.snapshot.pipeline)});
    }

    static std::string explanation(const Console& console, const fs::path& folder)
    {
        const std::string failures = (folder / "out" / "failures.csv").string();
        std::string text = fill(
            console.say(
                {"Two products were made to fail, so that you see how failures look: BED-01 names a picture that is "
                 "not\n"
                 "there, the picture of DES-01 is damaged. All went as designed (batch would have ended with exit 3).\n"
                 "Mend them: in {}, column image, write images/bed.jpg for BED-01 and\n"
                 "images/desk.jpg for DES-01, in a spreadsheet or with the first line here; then feed the file back:\n",
                 "有两个商品是特意安排失败的，用来展示失败的样子：BED-01 的图片不存在，DES-01 的图片已损坏。\n"
                 "一切符合设计（batch 命令此时的退出码为 3）。\n"
                 "修正方法：在 {} 的 image 列中，把 BED-01 改为 images/bed.jpg，\n"
                 "把 DES-01 改为 images/desk.jpg（用表格软件，或用下面第一行命令），然后再交给 batch：\n"}),
            {failures});
        return text + "  sed -i 's/bed-front/bed/; s/desk-damaged/desk/' " + shellWord(failures) + "\n";
    }

    std::string m_folder = "aiflow-demo";
    RunOptions m_run;
};

} // namespace

std::unique_ptr<Command> makeDemoCommand() { return std::make_unique<DemoCommand>(); }

} // namespace aiflow
