// Named places where a test build can be killed or made to fail: AIFLOW_FAILPOINT="after_commit=kill:3" in the
// environment kills the process at the third hit, "job_json=error:1" makes the first hit fail. Nothing of it is in a
// release.
//
// Around a remote call, in the order of reliability.md 2.2 (each may be hit once for every call):
//   before_intent, after_intent        the intent is about to be queued; it is durable and nothing was sent
//   before_remote_id, after_remote_id  a remote job's id has come; it is durable and nothing was polled
//   before_response, after_response    an answer or a failure has come; it is durable
//   after_spool_sync                   a spooled answer is on the disk, its record is not
//   before_adopt, after_adopt          a spooled picture is about to become an artifact; it is one
//   before_task_commit, after_task_commit  the task's end is about to be queued; it is durable
// Of the store: before_commit, commit, after_commit (a group of the journal), before_artifact, artifact,
// after_artifact (the bytes of one), before_pack_sync, pack_sync, after_pack_sync, adopt, before_cache_commit,
// job_json.
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
