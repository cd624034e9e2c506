// One viewer's connection: what it is owed, what it is replayed, what it commands.
#pragma once

#include "core/base/json_fwd.h"
#include "core/live/feed_backlog.h"
#include "core/live/feed_server.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace aiflow {

// What viewers need of the server that holds them; outlives them.
class FeedHost {
public:
    virtual ~FeedHost() = default;
    virtual const FeedBacklog& backlog() const = 0;
    virtual std::vector<EventLine> replay(std::int64_t fromSeq, std::int64_t limit) = 0;
    virtual Result<Json> command(const Json& command) = 0;
    virtual void left(int viewer) = 0;
};

// Threads: the feed's alone.
class FeedViewer {
public:
    // Takes the descriptor over.
    static std::shared_ptr<FeedViewer> make(int id, boost::asio::io_context& context, int descriptor, FeedHost& host,
                                            const FeedLimits& limits);
    virtual ~FeedViewer() = default;

    virtual void start(SharedLine hello) = 0;
    // The backlog has grown.
    virtual void follow() = 0;
    // Latest wins: a newer one takes the place of what still waits.
    virtual void offerSnapshot(SharedLine line) = 0;
    virtual void offerProgress(SharedLine line) = 0;
    virtual void closeWhenSent() = 0;
    virtual void close() = 0;
};

} // namespace aiflow
