#include "cli/terminal/tables.h"

#include "cli/terminal/block.h"
#include "cli/terminal/cells.h"

#include <algorithm>
#include <vector>

namespace aiflow::terminal {

namespace {

constexpr int kShortestInput = 8;

// "2026-11-22 02:00" of an ISO 8601 time.
std::string minuteOf(std::string_view time)
{
    std::string text = harmless(time.substr(0, 16));
    if (text.size() == 16) text[10] = ' ';
    return text;
}

struct Column {
    std::string head;
    bool right = false;
    int width = 0;
};

std::vector<Column> headsOf(const Look& look)
{
    const auto say = [&](std::string_view en, std::string_view zh) { return std::string(look.pick(en, zh)); };
    return {{say("job", "任务")},          {say("state", "状态")},         {say("done", "完成"), true},
            {say("failed", "失败"), true}, {say("waiting", "等待"), true}, {say("started", "开始")},
            {say("cost", "费用"), true},   {say("input", "输入")}};
}

std::vector<std::string> rowOf(const JobSnapshot& job, const Look& look)
{
    const std::string done = std::to_string(job.items.terminal()) + '/' + std::to_string(job.total);
    return {harmless(job.job),
            glyphOf(look, job.state) + ' ' + wordOf(look, job.state),
            done,
            std::to_string(job.items[TaskState::Failed]),
            std::to_string(job.items[TaskState::Waiting]),
            minuteOf(job.startedAt),
            moneyText(look, job.cost),
            look.ascii ? asciiOnly(harmless(job.input)) : harmless(job.input)};
}

// The input's name takes what the others leave; cost, start and waiting go when they do not fit.
void fit(std::vector<Column>& columns, int room)
{
    const auto used = [&] {
        int cells = 0;
        for (const Column& column : columns) cells += column.width == 0 ? 0 : column.width + 2;
        return cells - 1; // one space before the first, two between
    };
    Column& input = columns.back();
    const int wish = input.width;
    if (used() > room) input.width = std::max(input.width - (used() - room), std::min(input.width, kShortestInput));
    for (const std::size_t gives : {std::size_t{6}, std::size_t{5}, std::size_t{4}, std::size_t{7}})
        if (used() > room) columns[gives].width = 0;
    if (input.width > 0) input.width = std::clamp(input.width + room - used(), 0, wish);
}

std::string lineOf(const std::vector<Column>& columns, const std::vector<std::string>& cells)
{
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].width == 0) continue;
        line += line.empty() ? " " : "  ";
        line += columns[i].right ? padLeft(cells[i], columns[i].width) : pad(cells[i], columns[i].width);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string fact(const Look& look, std::string_view en, std::string_view zh, const std::string& text)
{
    return text.empty() ? text : "  " + pad(look.pick(en, zh), 10) + text + '\n';
}

} // namespace

std::string renderList(std::span<const JobSnapshot> jobs, const Look& look)
{
    if (jobs.empty()) return std::string(look.pick("No jobs yet.\n", "还没有任务。\n"));
    std::vector<Column> columns = headsOf(look);
    std::vector<std::vector<std::string>> rows;
    rows.emplace_back();
    for (const Column& column : columns) rows.front().push_back(column.head);
    for (const JobSnapshot& job : jobs) rows.push_back(rowOf(job, look));
    for (const auto& row : rows)
        for (std::size_t i = 0; i < columns.size(); ++i) columns[i].width = std::max(columns[i].width, cellsOf(row[i]));
    fit(columns, look.columns);
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Ink ink = i == 0 ? Ink::Dim : inkOf(jobs[i - 1].state);
        // Only the state stands out; a whole coloured row would be noise.
        const std::string line = cut(lineOf(columns, rows[i]), look.columns);
        const auto state = i == 0 ? std::string::npos : line.find(rows[i][1]);
        if (i == 0 || state == std::string::npos) {
            text += i == 0 ? paint(look, ink, line) : line;
        } else {
            text += line.substr(0, state) + paint(look, ink, rows[i][1]) + line.substr(state + rows[i][1].size());
        }
        text += '\n';
    }
    return text;
}

std::string renderStatus(const JobSnapshot& job, const Look& look)
{
    std::string text = paint(look, Ink::Bold, std::string(look.pick("Job ", "任务 ")) + harmless(job.job)) + "  " +
                       paint(look, inkOf(job.state), glyphOf(look, job.state) + ' ' + wordOf(look, job.state)) + '\n';
    text += fact(look, "pipeline", "流程", harmless(job.pipeline));
    text += fact(look, "input", "输入",
                 harmless(job.input) + (job.inputEncoding.empty() ? "" : " (" + harmless(job.inputEncoding) + ')'));
    text += fact(look, "output", "输出", harmless(job.output));
    text += fact(look, "started", "开始", minuteOf(job.startedAt));
    text += fact(look, "ended", "结束", minuteOf(job.endedAt));
    text += '\n';
    Look whole = look;
    whole.rows = 1000;
    for (const std::string& line : renderBlock(job, whole)) text += line + '\n';
    if (!job.failures.empty()) text += '\n';
    for (const FailureGroupSnapshot& group : job.failures) {
        const std::string line = padLeft(grouped(group.count), 7) + "  " + std::string(info(group.reason).code) + "  " +
                                 harmless(group.step) + "  " +
                                 harmless(group.count == 1 ? group.sampleMessage : group.message);
        text += cut(line, look.columns) + '\n';
    }
    return text;
}

} // namespace aiflow::terminal
