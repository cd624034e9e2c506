#include "cli/terminal/block.h"

#include "cli/terminal/cells.h"
#include "cli/terminal/services.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace aiflow::terminal {

namespace {

constexpr int kNarrow = 60;
constexpr int kWidestBar = 20;
constexpr int kShortestBar = 5;
constexpr int kWidestName = 16;
constexpr int kShortestName = 4;
constexpr int kShortestNote = 6;

std::int64_t expectedOf(const StateCounts& counts)
{
    return counts.total() - counts[TaskState::Blocked] - counts[TaskState::Skipped];
}

std::int64_t endedOf(const StateCounts& counts)
{
    return counts.terminal() - counts[TaskState::Blocked] - counts[TaskState::Skipped];
}

std::string ratioText(std::int64_t done, std::int64_t total)
{
    return std::to_string(done) + '/' + std::to_string(total);
}

std::string percentText(const JobSnapshot& job)
{
    // 100 % only when all is done.
    return std::to_string(job.total > 0 ? job.items.terminal() * 100 / job.total : 0) + '%';
}

std::string countText(const Look& look, TaskState state, std::int64_t count)
{
    return count == 0 ? std::string() : glyphOf(look, state) + ' ' + std::to_string(count);
}

// A column of the block: its texts and what they are painted with.
struct Column {
    std::vector<std::string> cells;
    Ink ink = Ink::Plain;
    bool right = false;
    int gap = 1; // spaces before it
    int width = 0;

    void measure()
    {
        for (const std::string& cell : cells) width = std::max(width, cellsOf(cell));
    }
    int need() const { return width == 0 ? 0 : gap + width; }
};

enum Place : std::size_t { Name, Bar, Done, Failed, Waiting, Running, Rate, Note, kPlaces };

class StepTable {
public:
    StepTable(const JobSnapshot& job, const std::vector<const StepSnapshot*>& steps, const Look& look, int nameAtLeast)
        : m_look(look), m_steps(steps)
    {
        fill(job);
        for (Column& column : m_columns) column.measure();
        at(Name).width = std::min(std::max(at(Name).width, nameAtLeast), kWidestName);
        at(Bar).width = kWidestBar;
        fit();
    }

    std::string line(std::size_t row) const
    {
        std::string text;
        std::string pending; // spaces that are written only when something follows
        for (std::size_t place = 0; place < kPlaces; ++place) {
            const Column& column = m_columns[place];
            if (column.width == 0) continue;
            pending.append(static_cast<std::size_t>(column.gap), ' ');
            const std::string cell =
                place == Bar ? bar(*m_steps[row], column.width) : cut(column.cells[row], column.width);
            const auto rest = static_cast<std::size_t>(std::max(column.width - cellsOf(cell), 0));
            if (column.right) pending.append(rest, ' ');
            if (!cell.empty()) {
                text += pending + paint(m_look, column.ink, cell);
                pending.clear();
            }
            if (!column.right) pending.append(rest, ' ');
        }
        return text;
    }

    int nameWidth() const { return m_columns[Name].width; }

private:
    Column& at(Place place) { return m_columns[place]; }

    void fill(const JobSnapshot& job)
    {
        for (const StepSnapshot* step : m_steps) {
            const auto add = [&](Place place, std::string text) { at(place).cells.push_back(std::move(text)); };
            add(Name, titleOf(m_look, *step));
            add(Done, ratioText(endedOf(step->counts), expectedOf(step->counts)));
            add(Failed, countText(m_look, TaskState::Failed, step->counts[TaskState::Failed]));
            add(Waiting, countText(m_look, TaskState::Waiting, step->counts[TaskState::Waiting]));
            add(Running, countText(m_look, TaskState::Running, step->inFlight));
            const std::string_view perSecond = m_look.pick("/s", "/秒");
            add(Rate, step->ratePerSecond > 0 ? rateDigits(step->ratePerSecond).append(perSecond) : std::string());
            const std::string note = noteOf(job, *step, m_look);
            add(Note, m_look.ascii ? asciiOnly(note) : note);
        }
        at(Done).right = true;
        for (const Place place : {Failed, Waiting, Running, Rate}) at(place).gap = 2;
        at(Note).gap = 3;
        at(Failed).ink = Ink::Bad;
        at(Waiting).ink = Ink::Waiting;
        at(Running).ink = Ink::Running;
        at(Note).ink = Ink::Dim;
    }

    int excess() const
    {
        int need = 0;
        for (const Column& column : m_columns) need += column.need();
        return need - m_look.columns;
    }

    // Takes width away in the order in which it hurts least.
    void shrink(Place place, int least, bool mayGo)
    {
        Column& column = at(place);
        const int over = excess();
        if (over <= 0 || column.width == 0) return;
        column.width = std::max(column.width - over, std::min(least, column.width));
        if (mayGo && excess() > 0) column.width = 0;
    }

    void fit()
    {
        shrink(Note, kShortestNote, false);
        shrink(Bar, kShortestBar, false);
        shrink(Note, kShortestNote, true);
        shrink(Bar, kShortestBar, true);
        shrink(Rate, at(Rate).width, true);
        for (const Place place : {Failed, Waiting, Running, Rate})
            if (excess() > 0) at(place).gap = 1;
        shrink(Name, kShortestName, false);
        shrink(Running, at(Running).width, true);
        shrink(Name, 0, true);
        shrink(Waiting, at(Waiting).width, true);
    }

    std::string bar(const StepSnapshot& step, int width) const
    {
        const std::int64_t expected = expectedOf(step.counts);
        const std::int64_t full = expected > 0 ? endedOf(step.counts) * width / expected : width;
        std::string text;
        for (int i = 0; i < width; ++i) {
            const bool done = i < full;
            if (m_look.ascii) {
                text += done ? '#' : '-';
            } else {
                text += done ? "▰" : "▱";
            }
        }
        return text;
    }

    const Look& m_look;
    const std::vector<const StepSnapshot*>& m_steps;
    std::array<Column, kPlaces> m_columns;
};

std::string timeText(const JobSnapshot& job, const Look& look)
{
    std::string text(look.pick("", "已用 "));
    text += durationText(look, job.elapsed);
    if (job.state == JobState::Paused || job.state == JobState::Pausing)
        return text.append(look.pick(", ", "，")).append(wordOf(look, job.state));
    if (!job.eta) return text;
    return text.append(look.pick(", ", "，约剩 ")).append(rangeText(look, *job.eta)).append(look.pick(" left", ""));
}

// Adds parts while they fit; what does not fit is left out, the next may still fit.
class FittedLine {
public:
    explicit FittedLine(int columns) : m_columns(columns) {}

    bool add(const Look& look, Ink ink, std::string_view text, int gap)
    {
        const int need = gap + cellsOf(text);
        if (text.empty() || m_used + need > m_columns) return false;
        m_used += need;
        m_text.append(static_cast<std::size_t>(gap), ' ');
        m_text += paint(look, ink, text);
        return true;
    }
    std::string take() { return std::move(m_text); }

private:
    const int m_columns;
    int m_used = 0;
    std::string m_text;
};

std::string totalLine(const JobSnapshot& job, const Look& look, int nameWidth)
{
    FittedLine line(look.columns);
    line.add(look, Ink::Bold, pad(look.pick("total", "合计"), nameWidth), 1);
    line.add(look, Ink::Bold, padLeft(percentText(job), 4), 1);
    line.add(look, Ink::Plain, ratioText(job.items.terminal(), job.total), 2);
    for (const TaskState state : {TaskState::Failed, TaskState::Waiting})
        line.add(look, inkOf(state), countText(look, state, job.items[state]), 2);
    if (!line.add(look, Ink::Plain, timeText(job, look), 3) && job.eta)
        line.add(look, Ink::Plain, rangeText(look, *job.eta), 3);
    line.add(look, Ink::Plain, spentText(job, look), 3);
    return line.take();
}

std::string heldLine(std::string_view words, const Look& look)
{
    const std::string text = glyphOf(look, TaskState::Waiting) + ' ' + harmless(words);
    return ' ' + paint(look, Ink::Waiting, cut(look.ascii ? asciiOnly(text) : text, look.columns - 1));
}

bool isBusy(const StepSnapshot& step)
{
    return step.inFlight > 0 || step.counts[TaskState::Running] > 0 || step.counts[TaskState::Waiting] > 0;
}

// As many as fit: busy ones before unfinished ones before the rest; the order stays.
std::vector<const StepSnapshot*> chosenSteps(const JobSnapshot& job, std::size_t room)
{
    std::vector<const StepSnapshot*> steps;
    for (const StepSnapshot& step : job.steps) steps.push_back(&step);
    if (steps.size() <= room) return steps;
    const auto rank = [](const StepSnapshot* step) {
        return isBusy(*step) ? 0 : endedOf(step->counts) < expectedOf(step->counts) ? 1 : 2;
    };
    std::ranges::stable_sort(steps, {}, rank);
    steps.resize(room);
    std::ranges::sort(steps); // addresses within one vector: the order of the pipeline
    return steps;
}

} // namespace

std::string renderOneLine(const JobSnapshot& job, const Look& look)
{
    FittedLine line(look.columns);
    line.add(look, Ink::Bold, percentText(job), 1);
    line.add(look, Ink::Plain, ratioText(job.items.terminal(), job.total), 1);
    for (const TaskState state : {TaskState::Failed, TaskState::Waiting})
        if (const std::int64_t count = job.items[state]; count > 0)
            line.add(look, inkOf(state), info(state).ascii + std::to_string(count), 1);
    if (job.eta) line.add(look, Ink::Plain, shortRange(*job.eta), 1);
    std::string money = moneyText(look, job.cost);
    std::erase(money, ' ');
    line.add(look, Ink::Plain, money, 1);
    return line.take();
}

std::vector<std::string> renderBlock(const JobSnapshot& job, const Look& look)
{
    const int room = look.rows - 2 - 1;
    if (look.columns < kNarrow || room < 1) return {renderOneLine(job, look)};
    std::vector<std::string> held;
    for (const std::string& words : {harmless(job.banner), benchedText(job, look)})
        if (!words.empty() && room > static_cast<int>(held.size()) + 2) held.push_back(heldLine(words, look));
    const auto steps = chosenSteps(job, static_cast<std::size_t>(room) - held.size());
    const int total = cellsOf(look.pick("total", "合计"));
    const StepTable table(job, steps, look, total);
    std::vector<std::string> lines;
    for (std::size_t row = 0; row < steps.size(); ++row) lines.push_back(table.line(row));
    lines.push_back(totalLine(job, look, std::max(table.nameWidth(), total)));
    lines.insert(lines.end(), held.begin(), held.end());
    return lines;
}

} // namespace aiflow::terminal
