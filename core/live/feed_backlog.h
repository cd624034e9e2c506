// The newest events of a job in memory: the bridge between what the journal can replay already and what comes live.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace aiflow {

// A line with its end, shared by all viewers it is sent to.
using SharedLine = std::shared_ptr<const std::string>;

// `text` with a line end.
inline SharedLine lineOf(std::string text)
{
    text += '\n';
    return std::make_shared<const std::string>(std::move(text));
}

// Threads: one.
class FeedBacklog {
public:
    // `lastSeq`: of the last event before the first that will be added.
    void startAfter(std::int64_t lastSeq) { m_lastSeq = std::max(m_lastSeq, lastSeq); }
    // Numbers come without a gap. The oldest go when more than 20,000 lines or 8 MiB are held.
    void add(std::int64_t seq, SharedLine line)
    {
        if (m_lines.empty()) m_firstSeq = seq;
        m_bytes += line->size();
        m_lines.push_back(std::move(line));
        m_lastSeq = std::max(m_lastSeq, seq);
        while (m_lines.size() > kMostLines || (m_bytes > kMostBytes && m_lines.size() > 1)) {
            m_bytes -= m_lines.front()->size();
            m_lines.pop_front();
            ++m_firstSeq;
        }
    }
    // Null when it is no longer, or not yet, held.
    SharedLine at(std::int64_t seq) const
    {
        const auto end = m_firstSeq + static_cast<std::int64_t>(m_lines.size());
        if (m_lines.empty() || seq < m_firstSeq || seq >= end) return nullptr;
        return m_lines[static_cast<std::size_t>(seq - m_firstSeq)];
    }
    std::int64_t firstSeq() const { return m_firstSeq; }
    std::int64_t lastSeq() const { return m_lastSeq; }

private:
    static constexpr std::size_t kMostLines = 20'000;
    static constexpr std::size_t kMostBytes = 8U << 20U;

    std::deque<SharedLine> m_lines;
    std::int64_t m_firstSeq = 0; // of m_lines.front()
    std::int64_t m_lastSeq = 0;
    std::size_t m_bytes = 0;
};

} // namespace aiflow
