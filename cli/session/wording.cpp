#include "cli/session/wording.h"

#include "aiflow/version.h"
#include "cli/program/console.h"
#include "cli/terminal/block.h"
#include "cli/terminal/look.h"
#include "cli/terminal/summary.h"

#include <ctime>

namespace aiflow {

using terminal::grouped;

namespace {

template <typename... Values> std::string fill(const Console& console, Text text, const Values&... values)
{
    return aiflow::fill(console.say(text), {values...});
}

std::string fileName(const std::string& path)
{
    const auto name = std::filesystem::path(path).filename().string();
    return name.empty() ? path : name;
}

// Beneath the current folder: without it, as people type it.
std::string shortPath(const std::filesystem::path& path)
{
    std::error_code problem;
    const auto here = std::filesystem::current_path(problem);
    if (problem || path.is_relative()) return path.string();
    const auto near = path.lexically_relative(here);
    return near.empty() || near.native().starts_with("..") ? path.string() : near.string();
}

std::vector<std::string> pasteable(std::vector<std::string> commands)
{
    for (std::string& command : commands) command.insert(0, "aiflow-cli ");
    return commands;
}

} // namespace

std::string headerSentence(const Console& console, const Preparation& preparation)
{
    std::string input = fileName(preparation.input);
    if (!preparation.encoding.empty() && preparation.columns > 0)
        input += fill(console, {" ({}, {} columns)", "（{}，{} 列）"}, preparation.encoding, preparation.columns);
    return fill(console,
                {"AIFlow {}  job {}{}  {} items x {} steps  {}  {}", "AIFlow {}  任务 {}{}  {} 个商品 x {} 步  {}  {}"},
                kVersion, preparation.job, console.say(preparation.resumed ? Text{" (resumed)", "（继续）"} : Text{}),
                grouped(preparation.total), preparation.steps.size(), input, preparation.pipeline);
}

std::vector<std::string> preparationNotes(const Console& console, const Preparation& preparation)
{
    std::vector<std::string> notes;
    if (!preparation.pipelineChoice.empty()) notes.push_back(preparation.pipelineChoice);
    std::string matched;
    for (const auto& [column, header] : preparation.columnMap)
        if (column != header) matched += (matched.empty() ? "" : ", ") + column + " = " + header;
    if (!matched.empty()) notes.push_back(fill(console, {"Columns: {}", "列对应：{}"}, matched));
    if (preparation.badRows > 0) {
        notes.push_back(fill(console, {"{} bad rows fail; the others go on:", "{} 个坏行将失败；其余照常进行："},
                             grouped(preparation.badRows)));
        for (const Error& sample : preparation.badRowSamples) notes.push_back("  " + sample.text());
    }
    if (!preparation.leftBehind.empty()) notes.push_back(preparation.leftBehind);
    notes.insert(notes.end(), preparation.notes.begin(), preparation.notes.end());
    return notes;
}

std::string ctrlCSentence(const Console& console, const Preparation& preparation)
{
    if (preparation.rehearsalSpeed > 0)
        return fill(console,
                    {"Rehearsal at {}x life speed: nothing is paid, no real result is touched.",
                     "演练：模拟服务以 {} 倍速运行；不产生费用，不影响真实结果。"},
                    static_cast<std::int64_t>(preparation.rehearsalSpeed));
    return fill(console,
                {"Ctrl-C stops safely and can be resumed.  From elsewhere: aiflow-cli attach {}",
                 "Ctrl-C 可安全停止，之后可继续。在别处查看：aiflow-cli attach {}"},
                preparation.job);
}

std::string stoppingSentence(const Console& console, const JobSnapshot& snapshot, std::chrono::seconds grace)
{
    std::int64_t inFlight = 0;
    for (const StepSnapshot& step : snapshot.steps) inFlight += step.inFlight;
    return fill(console,
                {"Stopping: no new work, {} in flight, up to {} s.  Ctrl-C again to drop them.",
                 "正在停止：不再开始新工作，{} 个进行中，最多等待 {} 秒。再按 Ctrl-C 放弃它们。"},
                inFlight, grace.count());
}

std::string stoppedSentence(const Console& console, const JobSnapshot& snapshot)
{
    return fill(console,
                {"Stopped. {} of {} done, checkpoint saved.\nResume:  aiflow-cli resume {}",
                 "已停止。完成 {} / {}，进度已保存。\n继续：  aiflow-cli resume {}"},
                grouped(snapshot.items.terminal() - snapshot.items[TaskState::Cancelled]), grouped(snapshot.total),
                snapshot.job);
}

std::string statusSentence(const Console& console, const JobSnapshot& snapshot)
{
    const terminal::Look look = console.errLook();
    return snapshot.job + " " + terminal::wordOf(look, snapshot.state) + terminal::renderOneLine(snapshot, look);
}

std::string snapshotSummary(const Console& console, const JobSnapshot& snapshot)
{
    terminal::SummaryExtras extras;
    extras.next = pasteable(nextAfter(snapshot));
    return terminal::renderSummary(snapshot, extras, console.outLook());
}

std::string reportSummary(const Console& console, const JobReport& report, const std::vector<std::string>& next)
{
    terminal::SummaryExtras extras;
    for (const auto& file : report.files) {
        if (file.filename() == "failures.csv")
            extras.failures = shortPath(file);
        else
            extras.results.push_back(shortPath(file));
    }
    extras.resultFiles = report.resultFiles;
    if (report.cause) extras.cause = report.cause->text();
    extras.next = pasteable(next);
    return terminal::renderSummary(report.snapshot, extras, console.outLook());
}

std::string timeText()
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    char text[40];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &parts);
    std::string iso(text, length);
    // "+0800" -> "+08:00"
    if (length > 2) iso.insert(length - 2, ":");
    return iso;
}

std::vector<std::string> nextAfter(const JobSnapshot& snapshot, const std::string& flags)
{
    switch (snapshot.state) {
    case JobState::Succeeded:
        return {"export " + snapshot.job};
    case JobState::Partial:
    case JobState::Failed: {
        const bool known = !snapshot.failures.empty();
        const bool early = snapshot.items.terminal() < snapshot.total;
        std::vector<std::string> next;
        if (early) next.push_back("resume " + snapshot.job);
        if (snapshot.failures.size() > 1)
            next.push_back("retry " + snapshot.job + " --group " +
                           std::string(info(snapshot.failures.front().reason).code));
        else if (known)
            next.push_back("retry " + snapshot.job + " --failed");
        if (next.size() < 2 && !snapshot.output.empty())
            next.push_back("batch " + shellWord(shortPath(std::filesystem::path(snapshot.output) / "failures.csv")) +
                           flags);
        return next;
    }
    case JobState::Cancelled:
    case JobState::Interrupted:
        return {"resume " + snapshot.job};
    case JobState::Pausing:
    case JobState::Paused:
        return {"resume " + snapshot.job, "attach " + snapshot.job};
    case JobState::Running:
        return {"attach " + snapshot.job};
    }
    return {};
}

} // namespace aiflow
