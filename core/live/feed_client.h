// A viewer's end of the feed.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace aiflow {

// Threads: one.
class FeedClient {
public:
    // JobNotFound when nobody listens there (the job is not running).
    static Result<std::unique_ptr<FeedClient>> connect(const std::filesystem::path& socket);
    virtual ~FeedClient() = default;
    // The next line without its end; nothing when `patience` ran out first. Internal when the other side is gone.
    virtual Result<std::optional<std::string>> readLine(std::chrono::milliseconds patience) = 0;
    // Sends a command; its answer comes as a line {"type":"answer",...} among the others.
    virtual Result<void> send(const Json& command) = 0;
    // Asks for all events from `seq` on, older ones from the journal first. From now on each event line comes once, in
    // order and without a gap; those that were already under way are left out until it is their turn.
    virtual Result<void> followFrom(std::int64_t seq) = 0;
    // To wait on together with other things.
    virtual int descriptor() const = 0;
};

} // namespace aiflow
