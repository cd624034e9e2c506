// Serves a running job to viewers over a Unix socket: JSON lines, a snapshot first, then events; commands come back.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/live/live_job.h"

#include <filesystem>
#include <functional>
#include <memory>

namespace aiflow {

// A viewer's wish: {"command":"pause"|"resume"|"cancel"|..., ...}. The answer is an object, or an error's text.
// Runs on the feed's thread; must be quick.
using CommandSink = std::function<Result<Json>(const Json& command)>;

// Line 1 to a viewer: {"type":"hello","v":1,"snapshot":{...}}; then events as they come, and {"type":"snapshot",...} at
// most ten times a second when something changed. {"command":"events","from_seq":N} replays older events first (from
// the replay source). A viewer that does not read for 30 s, or owes more than 4 MiB, is closed; progress and snapshots
// are latest-wins for slow ones. Peers of another user are refused (SO_PEERCRED).
// Threads: owns one; start and destruction from any.
class FeedServer {
public:
    // Older events as JSON lines from `seq` on; for viewers that join late.
    using Replay = std::function<std::vector<EventLine>(std::int64_t fromSeq, std::int64_t limit)>;

    // Binds through a short path, since a socket's path holds 107 bytes. OutputDenied when it cannot.
    static Result<std::unique_ptr<FeedServer>> start(const std::filesystem::path& socket, LiveJob& job,
                                                     CommandSink commands, Replay replay);
    // Sends what is queued (at most half a second), then closes and removes the socket.
    virtual ~FeedServer() = default;
    virtual int viewers() const = 0;
};

} // namespace aiflow
