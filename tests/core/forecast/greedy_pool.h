// A pool of equal accounts in a few lines, to test the event loop without the dispatcher.
#pragma once

#include "core/forecast/flow_run.h"

#include <deque>
#include <set>
#include <tuple>

namespace aiflow {

// Sends whatever is most urgent as soon as some account has room in its window.
class GreedyPool final : public CallPool {
public:
    GreedyPool(std::size_t accounts, std::size_t perWindow, Nanoseconds window)
        : m_accounts(accounts), m_perWindow(perWindow), m_window(window)
    {
    }
    void submit(const FlowTask& task, const TaskRank& rank, Nanoseconds) override
    {
        m_waiting.insert({rank, task.element, m_submitted++, task});
    }
    void decide(Nanoseconds now, Outcome& outcome) override
    {
        for (std::deque<Nanoseconds>& sent : m_accounts) {
            while (!sent.empty() && sent.front() + m_window <= now) sent.pop_front();
            while (sent.size() < m_perWindow && !m_waiting.empty()) {
                outcome.started.push_back({m_waiting.begin()->task, 0, 0});
                m_waiting.erase(m_waiting.begin());
                sent.push_back(now);
            }
        }
    }
    std::optional<Nanoseconds> nextDecision() const override
    {
        std::optional<Nanoseconds> next;
        for (const std::deque<Nanoseconds>& sent : m_accounts)
            if (!sent.empty() && (!next || sent.front() + m_window < *next)) next = sent.front() + m_window;
        return next;
    }
    void sent(const Started&, Nanoseconds) override {}
    void ended(const Started&, Nanoseconds, Nanoseconds) override {}

private:
    struct Waiting {
        TaskRank rank;
        std::uint16_t element = 0;
        std::uint64_t number = 0;
        FlowTask task;
        bool operator<(const Waiting& other) const
        {
            return std::tie(rank, element, number) < std::tie(other.rank, other.element, other.number);
        }
    };
    std::vector<std::deque<Nanoseconds>> m_accounts;
    std::size_t m_perWindow;
    Nanoseconds m_window;
    std::uint64_t m_submitted = 0;
    std::set<Waiting> m_waiting;
};

} // namespace aiflow
