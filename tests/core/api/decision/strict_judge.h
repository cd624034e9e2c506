// The provider's side of every limit, judged exactly: each position of each window, each open call.
#pragma once

#include "core/api/decision/limits/amounts.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace aiflow::test {

class StrictJudge {
public:
    void limit(const std::string& what, const LimitSet& limits)
    {
        Pool& pool = m_pools[what];
        for (const WindowLimit& limit : limits.windows) pool.windows.push_back({limit, {}, 0});
        if (limits.concurrency) pool.places = *limits.concurrency;
    }
    // A call arrives and counts in all of these; what it broke, empty: nothing.
    std::string arrive(const std::vector<std::string>& pools, const Amounts& amounts, BootTime now)
    {
        std::string broken;
        for (const std::string& name : pools) {
            const auto pool = m_pools.find(name);
            if (pool == m_pools.end()) continue;
            ++pool->second.open;
            if (pool->second.places && pool->second.open > *pool->second.places) broken += name + ": concurrency; ";
            for (Window& window : pool->second.windows) {
                if (!add(window, amounts.of(window.limit.unit), now))
                    broken += name + ": window of " + std::to_string(window.limit.window.count()) + " ms, unit " +
                              std::to_string(static_cast<int>(window.limit.unit)) + ", " + std::to_string(window.sum) +
                              " > " + std::to_string(window.limit.count) + "; ";
            }
        }
        return broken;
    }
    void leave(const std::vector<std::string>& pools)
    {
        for (const std::string& name : pools) {
            const auto pool = m_pools.find(name);
            if (pool != m_pools.end()) --pool->second.open;
        }
    }

private:
    struct Window {
        WindowLimit limit;
        std::deque<std::pair<BootTime, std::int64_t>> log;
        std::int64_t sum = 0;
    };
    struct Pool {
        std::vector<Window> windows;
        std::optional<std::int64_t> places;
        std::int64_t open = 0;
    };
    static bool add(Window& window, std::int64_t amount, BootTime now)
    {
        while (!window.log.empty() && window.log.front().first <= now - window.limit.window) {
            window.sum -= window.log.front().second;
            window.log.pop_front();
        }
        window.log.emplace_back(now, amount);
        window.sum += amount;
        return amount == 0 || window.sum <= window.limit.count;
    }
    std::map<std::string, Pool> m_pools;
};

} // namespace aiflow::test
