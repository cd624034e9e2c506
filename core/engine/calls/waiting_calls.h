// Which calls are held back (limits, retry times, paused providers), so that their steps and items show as waiting.
#pragma once

#include "core/api/api_lane.h"
#include "core/live/live_job.h"

#include <atomic>
#include <map>
#include <mutex>
#include <string>

namespace aiflow {

// A step of an item waits while one of its calls does, an item while one of its steps does. The step's note says what
// holds the call that was told last. Threads: every method, from any thread.
class WaitingCalls {
public:
    explicit WaitingCalls(LiveJob& live) : m_live(live) {}

    // As the lane tells it.
    void changed(const ApiWaiting& told);
    // The call came back, however it ended: it waits no more.
    void ended(const TaskKey& task);
    // How many calls wait so.
    std::int64_t count() const noexcept { return m_count.load(); }

private:
    LiveJob& m_live;
    std::mutex m_mutex;
    std::map<TaskKey, std::string> m_calls; // guarded by m_mutex; what holds each; a step's elements are neighbours
    std::map<StepIndex, std::int64_t> m_perStep; // guarded by m_mutex
    std::atomic<std::int64_t> m_count{0};
};

} // namespace aiflow
