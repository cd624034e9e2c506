#include "core/engine/calls/waiting_calls.h"

#include <limits>
#include <utility>

namespace aiflow {

namespace {

using Calls = std::map<TaskKey, std::string>;

bool anyOfStep(const Calls& calls, const TaskKey& task)
{
    const auto first = calls.lower_bound({task.item, task.step, std::numeric_limits<std::int32_t>::min()});
    return first != calls.end() && first->first.item == task.item && first->first.step == task.step;
}

bool anyOfItem(const Calls& calls, const TaskKey& task)
{
    const auto first = calls.lower_bound(
        {task.item, StepIndex(std::numeric_limits<std::int32_t>::min()), std::numeric_limits<std::int32_t>::min()});
    return first != calls.end() && first->first.item == task.item;
}

} // namespace

void WaitingCalls::changed(const ApiWaiting& told)
{
    if (!told.waiting) {
        ended(told.task);
        return;
    }
    const std::lock_guard lock(m_mutex);
    const bool step = !anyOfStep(m_calls, told.task);
    const bool item = !anyOfItem(m_calls, told.task);
    const auto [place, fresh] = m_calls.insert_or_assign(told.task, told.detail);
    m_live.setNote(told.task.step, told.detail);
    m_count.store(static_cast<std::int64_t>(m_calls.size()));
    if (!fresh) return;
    ++m_perStep[told.task.step];
    if (step) m_live.taskMoved(told.task.step, TaskState::Running, TaskState::Waiting);
    if (item) m_live.itemMoved(TaskState::Running, TaskState::Waiting);
}

void WaitingCalls::ended(const TaskKey& task)
{
    if (m_count.load() == 0) return;
    const std::lock_guard lock(m_mutex);
    if (m_calls.erase(task) == 0) return;
    m_count.store(static_cast<std::int64_t>(m_calls.size()));
    if (!anyOfStep(m_calls, task)) m_live.taskMoved(task.step, TaskState::Waiting, TaskState::Running);
    if (!anyOfItem(m_calls, task)) m_live.itemMoved(TaskState::Waiting, TaskState::Running);
    if (--m_perStep[task.step] == 0) m_live.setNote(task.step, {});
}

} // namespace aiflow
