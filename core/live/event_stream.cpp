#include "core/live/event_stream.h"

#include <fmt/format.h>

namespace aiflow {

EventStream::EventStream(const Clock& clock, std::int64_t firstSeq, LiveJob::EventWriter writer)
    : m_clock(clock), m_writer(std::move(writer)), m_nextSeq(firstSeq), m_lastSeq(firstSeq - 1)
{
}

std::string_view EventStream::stamp()
{
    // Calendar arithmetic once a second; within it only the milliseconds change.
    const WallTime now = m_clock.wall();
    const auto micros = now.time_since_epoch().count();
    const auto second = micros / 1'000'000;
    if (micros < 0 || second != m_stampSecond || m_stamp.size() < 23) {
        m_stampSecond = second;
        m_stamp = toIso8601(now);
        return m_stamp;
    }
    const auto millis = static_cast<int>(micros / 1000 % 1000);
    m_stamp[20] = static_cast<char>('0' + millis / 100);
    m_stamp[21] = static_cast<char>('0' + millis / 10 % 10);
    m_stamp[22] = static_cast<char>('0' + millis % 10);
    return m_stamp;
}

void EventStream::publish(std::string_view type, const JsonText& members, const LiveJob::EventWriter& keep)
{
    EventLine line;
    line.type = type;
    line.json.reserve(members.members().size() + 96);
    const std::lock_guard lock(m_listeners->mutex);
    line.seq = m_nextSeq++;
    line.json += R"({"v":1,"seq":)";
    const fmt::format_int digits(line.seq);
    line.json.append(digits.data(), digits.size());
    line.json += R"(,"ts":")";
    line.json += stamp();
    line.json += R"(","type":")";
    line.json += type;
    line.json += R"(",)";
    line.json += members.members();
    line.json += '}';
    if (const auto& writer = keep ? keep : m_writer) writer(line);
    for (const auto& [id, listener] : m_listeners->byId) listener(line);
    m_lastSeq.store(line.seq, std::memory_order_release);
}

EventLine EventStream::unnumbered(std::string_view type, const JsonText& members) const
{
    return {0, std::string(type),
            fmt::format(R"({{"v":1,"ts":"{}","type":"{}",{}}})", toIso8601(m_clock.wall()), type, members.members())};
}

Subscription EventStream::subscribe(LiveJob::Listener listener)
{
    const std::lock_guard lock(m_listeners->mutex);
    const std::int64_t id = m_listeners->next++;
    m_listeners->byId.emplace(id, std::move(listener));
    return Subscription([listeners = m_listeners, id] {
        const std::lock_guard cutting(listeners->mutex);
        listeners->byId.erase(id);
    });
}

} // namespace aiflow
