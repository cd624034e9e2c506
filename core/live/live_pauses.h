// Which services and accounts do not answer now, since when, and when they are asked again.
#pragma once

#include "aiflow/messages.h"
#include "core/base/clock.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// Threads: one at a time.
class LivePauses {
public:
    // Again for one that is paused already: the newer words hold, the beginning stays.
    void begin(const std::string& who, Reason reason, const std::string& detail, const std::string& probeAt,
               MonotonicTime now)
    {
        Pause& pause = m_pauses.try_emplace(who, Pause{now, {}, {}, {}}).first->second;
        pause = {pause.since, reason, detail, fromIso8601(probeAt)};
    }
    // How long it lasted.
    std::chrono::milliseconds end(const std::string& who, MonotonicTime now)
    {
        const auto ended = m_pauses.extract(who);
        return ended ? std::chrono::duration_cast<std::chrono::milliseconds>(now - ended.mapped().since)
                     : std::chrono::milliseconds(0);
    }
    // A single account that is out ("openai/b") leaves the work to the others.
    bool holdWork() const
    {
        return std::ranges::any_of(m_pauses, [](const auto& one) { return one.first.find('/') == std::string::npos; });
    }
    std::vector<PauseSnapshot> snapshot(MonotonicTime now, WallTime wall) const
    {
        using namespace std::chrono;
        std::vector<PauseSnapshot> list;
        for (const auto& [who, pause] : m_pauses) {
            list.push_back({who, pause.reason, pause.detail, duration_cast<milliseconds>(now - pause.since), {}});
            if (pause.probeAt) list.back().probe = std::max(ceil<seconds>(*pause.probeAt - wall), seconds(0));
        }
        return list;
    }

private:
    struct Pause {
        MonotonicTime since;
        Reason reason = Reason::ProviderOutage;
        std::string detail;
        std::optional<WallTime> probeAt;
    };
    std::map<std::string, Pause> m_pauses;
};

} // namespace aiflow
