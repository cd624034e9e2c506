// How long a job waited for services, and how long this machine worked for it: looked at many times a second.
#pragma once

#include "aiflow/messages.h"
#include "core/base/clock.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace aiflow {

struct WorkTimes {
    std::chrono::nanoseconds services{0}; // while a call was open or waited
    std::chrono::nanoseconds local{0};    // while a step of this machine ran
};

// Threads: owns one; its methods are one thread's.
class WorkMeter {
public:
    // `look` is called on the meter's thread until stop().
    WorkMeter(const Clock& clock, std::function<JobSnapshot()> look);
    ~WorkMeter() { stop(); }
    WorkMeter(const WorkMeter&) = delete;
    WorkMeter& operator=(const WorkMeter&) = delete;

    WorkTimes stop();

private:
    void watch();

    const Clock& m_clock;
    std::function<JobSnapshot()> m_look;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_stopping = false; // guarded by m_mutex
    WorkTimes m_times;       // the thread's, until it ended
    std::thread m_thread;
};

} // namespace aiflow
