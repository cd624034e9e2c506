// Progress for logs, cron and CI: whole lines with key=value, no escape and no carriage return.
#pragma once

#include "aiflow/job_event.h"
#include "aiflow/messages.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace aiflow::terminal {

// Writes a start, changes, one heartbeat per interval, and an end. Of failures with the same reason and step five are
// written out; then, at most once a minute and only when their number doubled, how many more there are.
// `time` is ISO 8601 (fractions of a second are left out); `now` counts for the intervals.
// Threads: one.
class PlainLines {
public:
    using Sink = std::function<void(std::string_view line)>; // gets the line with its end
    using Time = std::chrono::steady_clock::time_point;

    PlainLines(Sink sink, std::chrono::milliseconds interval) : m_sink(std::move(sink)), m_interval(interval) {}

    void started(const JobSnapshot& job, std::string_view time, Time now);
    void event(const JobEvent& event, Time now);
    Time nextHeartbeat() const { return m_lastHeartbeat + m_interval; }
    // Writes when it is due.
    void heartbeat(const JobSnapshot& job, std::string_view time, Time now);
    void finished(const JobSnapshot& job, std::string_view time);

private:
    struct Repeats {
        std::int64_t count = 0;
        std::int64_t told = 0;
        Time toldAt{};
    };
    using Kind = std::pair<std::string, std::string>; // reason, step

    void write(std::string_view time, const std::string& text);
    void failed(const JobEvent& event, Time now);
    void tellMore(const Kind& kind, Repeats& repeats, std::string_view time);

    const Sink m_sink;
    const std::chrono::milliseconds m_interval;
    Time m_lastHeartbeat{};
    std::int64_t m_lastDone = 0;
    std::map<Kind, Repeats> m_failures;
};

} // namespace aiflow::terminal
