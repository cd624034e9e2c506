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

    static Plan fromEnvironment()
    {
        const char* text = std::getenv("AIFLOW_FAILPOINT");
        const std::string_view all = text == nullptr ? "" : text;
        const auto equals = all.find('=');
        const auto colon = all.find(':');
        if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) return {};
        return {std::string(all.substr(0, equals)), all.substr(equals + 1, colon - equals - 1) == "kill",
                std::strtol(all.data() + colon + 1, nullptr, 10)};
    }
};

// True when the place must fail now; does not return when the plan says kill.
inline bool hit(std::string_view name)
{
    static const Plan plan = Plan::fromEnvironment();
    static std::atomic<long> hits{0};
    if (plan.name != name || hits.fetch_add(1) + 1 != plan.atHit) return false;
    if (!plan.kills) return true;
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
