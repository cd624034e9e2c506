// Carries event lines from the engine's threads to the thread that shows them.
#pragma once

#include "aiflow/messages.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

namespace aiflow {

// Bounded: a reader that is slower than the job slows the job down, and never fills the memory.
// Threads: push() and close(), from any; take(), from one.
class EventQueue {
public:
    explicit EventQueue(std::size_t limit) : m_limit(limit) {}

    // Waits while the queue is full; drops the event once the queue was closed.
    void push(const EventLine& event)
    {
        std::unique_lock lock(m_mutex);
        m_room.wait(lock, [this] { return m_closed || m_events.size() < m_limit; });
        if (m_closed) return;
        m_events.push_back(event);
        if (m_events.size() == 1) m_arrived.notify_one();
    }

    // All that is there; waits for the first one, for wake() or close(), or until `deadline`.
    std::vector<EventLine> take(std::chrono::steady_clock::time_point deadline)
    {
        std::unique_lock lock(m_mutex);
        m_arrived.wait_until(lock, deadline, [this] { return m_closed || m_woken || !m_events.empty(); });
        m_woken = false;
        std::vector<EventLine> taken(std::make_move_iterator(m_events.begin()),
                                     std::make_move_iterator(m_events.end()));
        m_events.clear();
        m_room.notify_all();
        return taken;
    }

    void wake()
    {
        const std::lock_guard lock(m_mutex);
        m_woken = true;
        m_arrived.notify_one();
    }

    // What was pushed before can still be taken.
    void close()
    {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
        m_arrived.notify_all();
        m_room.notify_all();
    }

    bool closed() const
    {
        const std::lock_guard lock(m_mutex);
        return m_closed;
    }

private:
    const std::size_t m_limit;
    mutable std::mutex m_mutex;
    std::condition_variable m_arrived, m_room;
    std::deque<EventLine> m_events;         // guarded by m_mutex
    bool m_closed = false, m_woken = false; // guarded by m_mutex
};

} // namespace aiflow
