#include "cli/terminal/summary.h"

#include "cli/terminal/cells.h"

#include <algorithm>
#include <span>

namespace aiflow::terminal {

namespace {

constexpr std::size_t kMostGroups = 10;
constexpr std::size_t kMostSlow = 3;
constexpr int kLabel = 10;

std::string headline(const JobSnapshot& job, const Look& look)
{
    const auto words = [&]() -> std::string_view {
        switch (job.state) {
        case JobState::Succeeded:
            return look.pick(" finished in ", " 已完成，用时 ");
        case JobState::Partial:
            return look.pick(" finished with failures in ", " 已完成但有失败，用时 ");
        case JobState::Failed:
            return look.pick(" failed after ", " 失败，用时 ");
        case JobState::Cancelled:
            return look.pick(" was cancelled after ", " 已取消，用时 ");
        case JobState::Interrupted:
            return look.pick(" stopped after ", " 已停止，用时 ");
        default:
            return look.pick(" runs since ", " 运行中，已用 ");
        }
    };
    return paint(look, Ink::Bold, std::string(look.pick("Job ", "任务 ")) + harmless(job.job)) + std::string(words()) +
           durationText(look, job.elapsed) + '\n';
}

std::string labelled(const Look& look, std::string_view en, std::string_view zh, const std::string& text)
{
    return "  " + pad(look.pick(en, zh), kLabel) + text + '\n';
}

std::string itemsText(const JobSnapshot& job, const Look& look)
{
    std::string text = grouped(job.total) + "  ";
    for (std::size_t i = 0; i < kTaskStateCount; ++i) {
        // Results first, then what did not end.
        static constexpr TaskState kOrder[]{TaskState::Succeeded, TaskState::Cached,  TaskState::Skipped,
                                            TaskState::Failed,    TaskState::Blocked, TaskState::Cancelled,
                                            TaskState::Running,   TaskState::Waiting, TaskState::Queued};
        const TaskState state = kOrder[i];
        const std::int64_t count = job.items[state];
        if (count == 0 && state != TaskState::Succeeded && state != TaskState::Failed) continue;
        std::string word = wordOf(look, state);
        if (look.language == Language::English) word.front() = static_cast<char>(word.front() | 0x20);
        text += "  " + paint(look, count > 0 ? inkOf(state) : Ink::Plain, word + ' ' + grouped(count));
    }
    return text;
}

std::string slowestText(const JobSnapshot& job, const Look& look)
{
    std::vector<const StepSnapshot*> steps;
    for (const StepSnapshot& step : job.steps)
        if (step.medianSeconds > 0) steps.push_back(&step);
    std::ranges::stable_sort(steps, std::ranges::greater{}, [](const auto* step) { return step->medianSeconds; });
    if (steps.size() > kMostSlow) steps.resize(kMostSlow);
    std::string text;
    for (const StepSnapshot* step : steps) {
        if (!text.empty()) text.append(look.pick(", ", "，"));
        const bool quick = step->medianSeconds < 0.1;
        text += titleOf(look, *step) + ' ' + rateDigits(step->medianSeconds * (quick ? 1000 : 1));
        text.append(quick ? look.pick(" ms", " 毫秒") : look.pick(" s", " 秒"));
    }
    return text.empty() ? text : text.append(look.pick(" (median per task)", "（每次中位数）"));
}

std::string costText(const JobSnapshot& job, const Look& look)
{
    std::string text = moneyText(look, job.cost);
    if (text.empty() || job.budget.currency.empty()) return text;
    return text.append(look.pick("  (budget ", "  （预算 "))
        .append(moneyText(look, job.budget))
        .append(look.pick(")", "）"));
}

std::string adviceOf(Reason reason, const Look& look)
{
    const ReasonInfo& known = info(reason);
    std::string_view owner;
    switch (known.owner) {
    case Owner::You:
        owner = look.pick("yours", "您处理");
        break;
    case Owner::Provider:
        owner = look.pick("provider", "服务商");
        break;
    case Owner::Aiflow:
        owner = "AIFlow";
        break;
    }
    const std::string_view action = look.pick(known.actionEn, known.actionZh);
    std::string text(owner);
    return action.empty() ? text : text.append(look.pick(": ", "：")).append(action);
}

std::string messageOf(const FailureGroupSnapshot& group)
{
    return harmless(group.count == 1 ? group.sampleMessage : group.message);
}

// The widths that the shown groups share.
struct GroupWidths {
    int reason = 0;
    int step = 0;
    int message = 0;

    GroupWidths(std::span<const FailureGroupSnapshot> groups, const Look& look)
    {
        int advice = 0;
        for (const FailureGroupSnapshot& group : groups) {
            reason = std::max(reason, cellsOf(info(group.reason).code));
            step = std::max(step, std::min(cellsOf(harmless(group.step)), 16));
            message = std::max(message, cellsOf(messageOf(group)));
            advice = std::max(advice, cellsOf(adviceOf(group.reason, look)));
        }
        message = std::min(message, std::max(look.columns - start() - advice - 2, 0));
    }
    int start() const { return 7 + 2 + reason + 2 + step + 2; }
};

std::string groupLine(const FailureGroupSnapshot& group, const GroupWidths& widths, const Look& look)
{
    constexpr int kShortestMessage = 12;
    std::string line = padLeft(grouped(group.count), 7) + "  " + pad(info(group.reason).code, widths.reason) + "  " +
                       pad(harmless(group.step), widths.step) + "  ";
    const std::string advice = adviceOf(group.reason, look);
    if (widths.message >= kShortestMessage) return line + pad(messageOf(group), widths.message) + "  " + advice + '\n';
    const int room = std::max(look.columns - cellsOf(line), kShortestMessage);
    return line + cut(messageOf(group), room) + '\n' + std::string(9, ' ') + advice + '\n';
}

std::string groupsText(const JobSnapshot& job, const Look& look)
{
    const std::string number = std::to_string(job.failures.size());
    std::string text = look.language == Language::Chinese ? "  失败共 " + number + " 组" : "  Failures in " + number;
    if (look.language == Language::English) text += job.failures.size() == 1 ? " group" : " groups";
    text += '\n';
    const auto shown = std::span(job.failures).first(std::min(job.failures.size(), kMostGroups));
    const GroupWidths widths(shown, look);
    for (const FailureGroupSnapshot& group : shown) text += groupLine(group, widths, look);
    if (shown.size() < job.failures.size())
        text += "         " +
                std::string(look.pick("and more groups: aiflow-cli status ", "其余各组：aiflow-cli status ")) +
                harmless(job.job) + '\n';
    return text;
}

std::string filesText(const SummaryExtras& extras, const Look& look)
{
    std::string results;
    for (const std::string& file : extras.results) results.append(results.empty() ? "" : ", ").append(harmless(file));
    if (extras.resultFiles > 0) {
        results.append(results.empty() ? "" : "  ").append("(").append(grouped(extras.resultFiles));
        results.append(look.pick(extras.resultFiles == 1 ? " file)" : " files)", " 个文件)"));
    }
    std::string text;
    if (!results.empty()) text += labelled(look, "Results", "结果", results);
    if (!extras.failures.empty())
        text += labelled(look, "Failures", "失败清单",
                         harmless(extras.failures) +
                             std::string(look.pick("  (opens in Excel; feed it back to batch after fixing)",
                                                   "  （可用 Excel 打开；改好后再交给 batch）")));
    return text.empty() ? text : '\n' + text;
}

} // namespace

std::string renderSummary(const JobSnapshot& job, const SummaryExtras& extras, const Look& look)
{
    std::string text = headline(job, look);
    if (!extras.cause.empty()) text += "  " + paint(look, Ink::Bad, harmless(extras.cause)) + '\n';
    text += '\n' + labelled(look, "Items", "条目", itemsText(job, look));
    if (const std::string cost = costText(job, look); !cost.empty()) text += labelled(look, "Cost", "费用", cost);
    if (const std::string slowest = slowestText(job, look); !slowest.empty())
        text += labelled(look, "Slowest", "最慢", slowest);
    if (!job.failures.empty()) text += '\n' + groupsText(job, look);
    text += filesText(extras, look);
    for (std::size_t i = 0; i < extras.next.size(); ++i) {
        text += i == 0 ? std::string("\n") + std::string(look.pick("Next:  ", "下一步："))
                       : std::string(look.pick("       ", "        "));
        text += harmless(extras.next[i]) + '\n';
    }
    return text;
}

} // namespace aiflow::terminal
