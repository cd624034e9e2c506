// Serves a running job to viewers over a Unix socket: JSON lines, a snapshot first, then events; commands come back.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/live/live_job.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace aiflow {

// A viewer's wish: {"command":"pause"|"resume"|"cancel"|..., ...}. The answer is an object, or an error's text.
// Runs on the feed's thread; must be quick.
using CommandSink = std::function<Result<Json>(const Json& command)>;

struct FeedLimits {
    std::size_t owedBytes = 4U << 20U;       // a viewer that lets more pile up is closed
    std::chrono::milliseconds stall{30'000}; // and one that reads nothing of what waits for it
    std::chrono::milliseconds snapshotEvery{100};
    std::chrono::milliseconds progressEvery{1000};
};

// Line 1 to a viewer: {"type":"hello","v":1,"seq":S,"snapshot":{...}}; then events from S + 1 on as they come, and,
// when something changed, {"type":"snapshot","v":1,"snapshot":{...}} and progress lines. Snapshots and progress are
// latest-wins: a slow viewer skips some. A job in which nothing moves costs no timer.
// {"command":"events","from_seq":N}: the stream begins again at N, older events from the replay source, in order and
// without a gap; what was sent live before the answer may come again. Every command is answered:
// {"type":"answer","id":<the command's>,"ok":true,"result":{...}} or
// {...,"ok":false,"error":"..","hint":"..","reason":".."}. Peers of another user are refused (SO_PEERCRED). Threads:
// owns one; start and destruction from any.
class FeedServer {
public:
    // Older events as JSON lines from `seq` on; for viewers that join late.
    using Replay = std::function<std::vector<EventLine>(std::int64_t fromSeq, std::int64_t limit)>;

    // Binds through a short path, since a socket's path holds 107 bytes. OutputDenied when it cannot.
    static Result<std::unique_ptr<FeedServer>> start(const std::filesystem::path& socket, LiveJob& job,
                                                     CommandSink commands, Replay replay, FeedLimits limits = {});
    // Sends what is queued (at most half a second), then closes and removes the socket.
    virtual ~FeedServer() = default;
    virtual int viewers() const = 0;
};

} // namespace aiflow
