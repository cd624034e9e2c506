// Named places where a test build can be killed or made to fail: AIFLOW_FAILPOINT="after_commit=kill:3" in the
// environment kills the process at the third hit, "job_json=error:1" makes the first hit fail. Nothing of it is in a
// release.
#pragma once

#include "aiflow/result.h"

#ifdef AIFLOW_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>

namespace aiflow::failpoint {

struct Plan {
    std::string name;
    bool kills = false;
    long atHit = 0; // from 1

    // Of "name=kill:3"; nothing of anything else.
    static Plan from(std::string_view text)
    {
        const auto equals = text.find('=');
        const auto colon = text.find(':');
        if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) return {};
        return {std::string(text.substr(0, equals)), text.substr(equals + 1, colon - equals - 1) == "kill",
                std::strtol(std::string(text.substr(colon + 1)).c_str(), nullptr, 10)};
    }
};

inline Plan& plan()
{
    static Plan current = [] {
        const char* text = std::getenv("AIFLOW_FAILPOINT");
        return Plan::from(text == nullptr ? "" : text);
    }();
    return current;
}

// In a test's child process, whose parent may have met fault points already. Not while other threads run.
inline void arm(std::string_view text) { plan() = Plan::from(text); }

// True when the place must fail now; does not return when the plan says kill.
inline bool hit(std::string_view name)
{
    static std::atomic<long> hits{0};
    const Plan& armed = plan();
    if (armed.name != name || hits.fetch_add(1) + 1 != armed.atHit) return false;
    if (!armed.kills) return true;
    ::kill(::getpid(), SIGKILL);
    ::pause();
    return true;
}

} // namespace aiflow::failpoint

#define AIFLOW_FAILPOINT(name) (void)::aiflow::failpoint::hit(name)
// In a function that returns a Result: fails it with OutputDiskFull.
#define AIFLOW_FAILPOINT_RESULT(name)                                                                                  \
    if (::aiflow::failpoint::hit(name))                                                                                \
    return ::aiflow::fail(::aiflow::Reason::OutputDiskFull, "fault point " name ": no space left on device",           \
                          "free some space, then resume")

#else

#define AIFLOW_FAILPOINT(name) static_cast<void>(0)
#define AIFLOW_FAILPOINT_RESULT(name) static_cast<void>(0)

#endif
