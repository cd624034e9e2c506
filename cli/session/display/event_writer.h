// Writes every event of a job to standard output as JSON lines, and progress lines between them.
#pragma once

#include "cli/session/display/event_queue.h"

#include <functional>
#include <thread>

namespace aiflow {

class Console;

// Threads: event(), from any; the rest from one. Owns one thread, which writes.
class EventWriter {
public:
    // `progress` gives a line without seq each `interval`; `readerGone` is called once when nobody reads any more.
    EventWriter(Console& console, std::function<EventLine()> progress, std::chrono::milliseconds interval,
                std::function<void()> readerGone);
    ~EventWriter();

    void event(const EventLine& event) { m_queue.push(event); }
    // Everything is written, or nobody reads any more.
    void finish();

private:
    void write();
    void put(const EventLine& event);

    Console& m_console;
    std::function<EventLine()> m_progress;
    std::chrono::milliseconds m_interval;
    std::function<void()> m_readerGone;
    bool m_gone = false; // the writing thread's
    EventQueue m_queue{16'384};
    std::thread m_thread;
};

} // namespace aiflow
