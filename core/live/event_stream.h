// Numbers the events of a job and hands each one, in order, to the journal's writer and to the listeners.
#pragma once

#include "core/base/clock.h"
#include "core/live/json_text.h"
#include "core/live/live_job.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace aiflow {

// Threads: every method, from any thread. Writer and listeners run on the publishing one, under one lock that is not
// the counters'.
class EventStream {
public:
    EventStream(const Clock& clock, std::int64_t firstSeq, LiveJob::EventWriter writer);

    // `keep`, when given, gets the event instead of the writer.
    void publish(std::string_view type, const JsonText& members, const LiveJob::EventWriter& keep = {});
    // A line without a number, for nobody but the caller.
    EventLine unnumbered(std::string_view type, const JsonText& members) const;
    Subscription subscribe(LiveJob::Listener listener);
    // Of the last event that everyone has received; firstSeq - 1 before the first.
    std::int64_t lastSeq() const noexcept { return m_lastSeq.load(std::memory_order_acquire); }

private:
    // Lives as long as its subscriptions, which may be cut after the stream is gone.
    struct Listeners {
        std::mutex mutex;
        std::map<std::int64_t, LiveJob::Listener> byId;
        std::int64_t next = 1;
    };

    std::string_view stamp();

    const Clock& m_clock;
    LiveJob::EventWriter m_writer;
    std::shared_ptr<Listeners> m_listeners = std::make_shared<Listeners>();
    std::int64_t m_nextSeq;          // guarded by m_listeners->mutex
    std::int64_t m_stampSecond = -1; // guarded by m_listeners->mutex
    std::string m_stamp;             // guarded by m_listeners->mutex
    std::atomic<std::int64_t> m_lastSeq;
};

} // namespace aiflow
