#include "core/facade/rehearsal/work_meter.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::chrono::milliseconds kInterval{5};

bool waitsForServices(const StepSnapshot& step)
{
    return step.kind == "api" && step.counts[TaskState::Running] + step.counts[TaskState::Waiting] > 0;
}

bool worksHere(const StepSnapshot& step) { return step.kind != "api" && step.counts[TaskState::Running] > 0; }

} // namespace

WorkMeter::WorkMeter(const Clock& clock, std::function<JobSnapshot()> look)
    : m_clock(clock), m_look(std::move(look)), m_thread([this] { watch(); })
{
}

WorkTimes WorkMeter::stop()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    if (m_thread.joinable()) m_thread.join();
    return m_times;
}

void WorkMeter::watch()
{
    MonotonicTime last = m_clock.monotonic();
    std::unique_lock lock(m_mutex);
    while (!m_stopping) {
        m_wake.wait_for(lock, kInterval, [this] { return m_stopping; });
        lock.unlock();
        const JobSnapshot now = m_look();
        const MonotonicTime time = m_clock.monotonic();
        if (std::ranges::any_of(now.steps, waitsForServices)) m_times.services += time - last;
        if (std::ranges::any_of(now.steps, worksHere)) m_times.local += time - last;
        last = time;
        lock.lock();
    }
}

} // namespace aiflow
