#include "aiflow/state.h"

#include <numeric>

namespace aiflow {

namespace {

// Glyphs of neutral East Asian width: one cell everywhere.
constexpr std::array<StateInfo, kTaskStateCount> kTaskStates{{
    {"queued", ".", '.', "Queued", "排队中"},
    {"running", "▸", '>', "Running", "运行中"},
    {"waiting", "⧗", '~', "Waiting", "等待中"},
    {"succeeded", "✓", '+', "Done", "已完成"},
    {"cached", "↻", '=', "Reused", "已复用"},
    {"skipped", "-", '-', "Skipped", "已跳过"},
    {"failed", "✗", 'x', "Failed", "失败"},
    {"blocked", "⊘", 'o', "Blocked", "受阻"},
    {"cancelled", "▪", '#', "Cancelled", "已取消"},
}};

constexpr std::array<StateInfo, 8> kJobStates{{
    {"running", "▸", '>', "Running", "运行中"},
    {"pausing", "⧗", '~', "Pausing", "正在暂停"},
    {"paused", "⧗", '~', "Paused", "已暂停"},
    {"succeeded", "✓", '+', "Done", "已完成"},
    {"partial", "✗", 'x', "Partial", "部分失败"},
    {"failed", "✗", 'x', "Failed", "失败"},
    {"cancelled", "▪", '#', "Cancelled", "已取消"},
    {"interrupted", "!", '!', "Interrupted", "已中断"},
}};

} // namespace

const StateInfo& info(TaskState state) noexcept { return kTaskStates[static_cast<std::size_t>(state)]; }

const StateInfo& info(JobState state) noexcept { return kJobStates[static_cast<std::size_t>(state)]; }

std::optional<TaskState> taskStateFromKey(std::string_view key) noexcept
{
    for (std::size_t i = 0; i < kTaskStates.size(); ++i)
        if (kTaskStates[i].key == key) return static_cast<TaskState>(i);
    return std::nullopt;
}

std::optional<JobState> jobStateFromKey(std::string_view key) noexcept
{
    for (std::size_t i = 0; i < kJobStates.size(); ++i)
        if (kJobStates[i].key == key) return static_cast<JobState>(i);
    return std::nullopt;
}

std::int64_t StateCounts::total() const noexcept
{
    return std::accumulate(count.begin(), count.end(), std::int64_t{0});
}

std::int64_t StateCounts::terminal() const noexcept
{
    return std::accumulate(count.begin() + static_cast<int>(TaskState::Succeeded), count.end(), std::int64_t{0});
}

} // namespace aiflow
