// The states of tasks, items and jobs, with their glyphs and words in both languages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace aiflow {

// Of a task and of an item. The numbers are written into journals: append, never reorder.
enum class TaskState : std::uint8_t {
    Queued = 0,
    Running = 1,
    Waiting = 2,
    Succeeded = 3,
    Cached = 4,
    Skipped = 5,
    Failed = 6,
    Blocked = 7,
    Cancelled = 8,
};
inline constexpr std::size_t kTaskStateCount = 9;

// Of a job. Paused and Pausing are running jobs that were told to hold.
enum class JobState : std::uint8_t {
    Running = 0,
    Pausing = 1,
    Paused = 2,
    Succeeded = 3,
    Partial = 4,
    Failed = 5,
    Cancelled = 6,
    Interrupted = 7,
};

struct StateInfo {
    std::string_view key;   // "succeeded": in JSON and in filters
    std::string_view glyph; // one cell wide in every terminal, UTF-8
    char ascii;
    std::string_view wordEn;
    std::string_view wordZh;
};

const StateInfo& info(TaskState state) noexcept;
const StateInfo& info(JobState state) noexcept;
std::optional<TaskState> taskStateFromKey(std::string_view key) noexcept;
std::optional<JobState> jobStateFromKey(std::string_view key) noexcept;

// Nothing more will happen to it unless a person asks.
constexpr bool isTerminal(TaskState state) noexcept { return state >= TaskState::Succeeded; }
constexpr bool isTerminal(JobState state) noexcept { return state >= JobState::Succeeded; }
// Later steps may use its result.
constexpr bool isGood(TaskState state) noexcept { return state == TaskState::Succeeded || state == TaskState::Cached; }

// How many items (or tasks) are in each state; the sum is always the total.
struct StateCounts {
    std::array<std::int64_t, kTaskStateCount> count{};

    std::int64_t& operator[](TaskState state) noexcept { return count[static_cast<std::size_t>(state)]; }
    std::int64_t operator[](TaskState state) const noexcept { return count[static_cast<std::size_t>(state)]; }
    std::int64_t total() const noexcept;
    std::int64_t terminal() const noexcept;
    friend bool operator==(const StateCounts&, const StateCounts&) = default;
};

} // namespace aiflow
