#include "core/api/lane/lane_inbox.h"

namespace aiflow {

void LaneInbox::put(LaneEvent event)
{
    bool wake = false;
    {
        const std::lock_guard lock(m_mutex);
        m_events.push_back(std::move(event));
        wake = std::exchange(m_sleeping, false);
    }
    // Under load the thread does not sleep, and no call pays for waking it.
    if (wake) m_wake.notify_one();
}

void LaneInbox::take(std::vector<LaneEvent>& into, std::chrono::nanoseconds limit)
{
    into.clear();
    std::unique_lock lock(m_mutex);
    if (m_events.empty() && limit.count() > 0) {
        m_sleeping = true;
        m_wake.wait_for(lock, limit, [this] { return !m_events.empty(); });
        m_sleeping = false;
    }
    into.swap(m_events);
}

} // namespace aiflow
