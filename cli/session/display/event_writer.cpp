#include "cli/session/display/event_writer.h"

#include "cli/program/console.h"

namespace aiflow {

EventWriter::EventWriter(Console& console, std::function<EventLine()> progress, std::chrono::milliseconds interval,
                         std::function<void()> readerGone)
    : m_console(console), m_progress(std::move(progress)), m_interval(interval), m_readerGone(std::move(readerGone)),
      m_thread([this] { write(); })
{
}

EventWriter::~EventWriter() { finish(); }

void EventWriter::finish()
{
    m_queue.close();
    if (m_thread.joinable()) m_thread.join();
}

void EventWriter::put(const EventLine& event)
{
    if (m_console.out(event.json + "\n") || m_gone) return;
    m_gone = true;
    m_readerGone();
}

void EventWriter::write()
{
    auto next = std::chrono::steady_clock::now() + m_interval;
    bool ended = false;
    while (true) {
        const bool closed = m_queue.closed();
        const auto events = m_queue.take(next);
        // One write per event: a reader sees each as soon as it happened.
        for (const EventLine& event : events) {
            put(event);
            ended = ended || event.type == "job_finished";
        }
        if (closed && events.empty()) return;
        if (std::chrono::steady_clock::now() < next) continue;
        next = std::chrono::steady_clock::now() + m_interval;
        if (!closed && !ended) put(m_progress());
    }
}

} // namespace aiflow
