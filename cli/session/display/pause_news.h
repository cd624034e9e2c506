// Which pauses of services people want a line about: a limit that is full for a moment is none.
#pragma once

#include "aiflow/job_event.h"

#include <set>
#include <string>

namespace aiflow {

// Threads: one.
class PauseNews {
public:
    // Of a pause: its beginning, once, unless it is only that calls wait for their minute. Of a return: when the pause
    // was told. Every other event is admitted.
    bool admits(const JobEvent& event)
    {
        if (event.type == "provider_resumed") return m_told.erase(event.provider) > 0;
        if (event.type != "provider_paused") return true;
        if (event.reason == Reason::ProviderRateLimited) return false;
        return m_told.insert(event.provider).second;
    }

private:
    std::set<std::string> m_told;
};

} // namespace aiflow
