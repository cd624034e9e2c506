// The API lane's door: calls to remote services wait for their place and are sent; callers never wait.
#pragma once

#include "aiflow/result.h"
#include "core/api/call_recorder.h"
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
    std::int64_t turn = -1;               // smaller goes first; negative: its item's index
    std::chrono::milliseconds timeout{0}; // 0: the model's own
    std::function<void()> onSent{};       // once, with its first attempt; on a thread of the lane, quick; may be empty
    std::vector<OpenAttempt> open{};      // of this task, from an earlier process: settled before anything is sent
};

// A file of an answer: its bytes, or, when it is large, where they were spooled. Whoever gets the answer moves or
// removes the spooled file.
struct ApiFile {
    std::string mediaType;
    std::vector<std::byte> bytes{};
    std::filesystem::path spooled{}; // empty: `bytes` holds all
    std::int64_t size = 0;
    std::string hash{}; // of a spooled file: SHA-256, 64 hexadecimal digits
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
// A call's state changed without ending.
struct ApiWaiting {
    TaskKey task;
    bool waiting = true; // false: it is at work again
    Reason reason = Reason::ProviderRateLimited;
    std::string detail;                    // "imagehub paused: 503", for people
    std::chrono::milliseconds expected{0}; // until it goes on, as far as is known; 0: unknown
};
// A provider (or one of its accounts) stopped answering or does again.
struct ApiPause {
    std::string provider;
    std::string account; // empty: all of them
    bool paused = true;
    Reason reason = Reason::ProviderOutage;
    std::string detail; // "503 Service Unavailable, 5 in a row"
    std::chrono::milliseconds probeIn{0};
    std::int64_t waiting = 0; // calls
};

// The job that calls come from. One per process.
struct ApiJob {
    std::string id;
    std::shared_ptr<CallRecorder> recorder; // null: nothing is recorded (offline, tests)
    std::optional<Money> budget;            // of the whole job: --budget, else the configuration's
    Money spent;                            // in earlier processes of the job
    // All three on a thread of the lane; must be quick; may be empty.
    std::function<void(const ApiWaiting&)> onWaiting;
    std::function<void(const ApiPause&)> onPause;
    std::function<void(const Error&)> onStop; // the job cannot go on: its budget is reached
};
// One account's use of its limits, for displays.
struct ApiAccountView {
    std::string provider, account;
    std::int64_t open = 0;
    std::int64_t sentInMinute = 0;
    std::int64_t perMinute = 0; // 0: not limited
    std::string state;          // "ok", "paused", "benched", "probing"
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
    // Before the first submit().
    virtual void serve(ApiJob) {} // NOLINT(performance-unnecessary-value-param): lanes that call keep it
    virtual void submit(ApiCall call, ApiDone done) = 0;
    // Calls that are not sent yet end as Cancelled; open ones go on.
    virtual void cancelWaiting() = 0;
    // Open ones are dropped too; their outcome is unknown and recorded so.
    virtual void abortOpen() {}
    // Somebody heard that a remote job is done (a webhook): it is looked at now. Unknown ids are ignored.
    virtual void calledBack(const std::string& remoteId) { (void)remoteId; }
    virtual std::int64_t inFlight() const = 0;
    virtual std::vector<ApiAccountView> accounts() const { return {}; }
};

} // namespace aiflow
