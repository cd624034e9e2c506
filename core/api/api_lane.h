// The API lane's door: calls to remote services wait for their place and are sent; callers never wait.
#pragma once

#include "aiflow/result.h"
#include "core/base/ids.h"
#include "core/base/json_fwd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// One call of a task. The request is the protocol-neutral form: {"prompt":..,"system":..,"schema":..,"size":..}.
struct ApiCall {
    TaskKey task;
    std::string itemId;  // for sticky routes and for messages
    std::string route;   // "text", "image": a name of the configuration
    std::string request; // canonical JSON text
    std::int32_t priority = 0;
    std::int32_t stepFromEnd = 0;
    std::chrono::milliseconds timeout{0}; // 0: the model's own
};

struct ApiFile {
    std::string mediaType;
    std::vector<std::byte> bytes;
};

// Who answered, and what it cost; kept with every result.
struct Provenance {
    std::string provider;
    std::string model;
    std::string account; // alias, never the key
    std::string requestId;
    std::string note; // "offline stand-in", or why not the first choice
    int attempts = 1;
    std::int64_t tokensIn = 0;
    std::int64_t tokensOut = 0;
    double cost = 0; // in `currency`
    std::string currency;
    std::chrono::milliseconds latency{0};
};

struct ApiAnswer {
    std::string body; // JSON text: the parsed answer, e.g. {"text":..} or the schema's object
    std::vector<ApiFile> files;
    Provenance provenance;
};

// Called once, on a thread of the lane, never from within submit(). Must be quick.
using ApiDone = std::function<void(Result<ApiAnswer>)>;
// A call's state changed without ending: it waits, for a reason, until about then.
struct ApiWaiting {
    TaskKey task;
    Reason reason;
    std::string detail; // "imagehub paused: 503", for people
};

// Threads: every method, from any thread.
class ApiLane {
public:
    virtual ~ApiLane() = default;
    // Is there such a route? With which ports? (text routes give `text` or the schema's fields; image routes `images`.)
    virtual bool hasRoute(std::string_view route) const = 0;
    virtual std::vector<std::string> routes() const = 0;
    // Names everything of the route that changes an answer (its set of models); part of the cache key.
    virtual std::string routeIdentity(std::string_view route) const = 0;
    virtual void submit(ApiCall call, ApiDone done) = 0;
    virtual void cancelWaiting() = 0;
    virtual std::int64_t inFlight() const = 0;
};

} // namespace aiflow
