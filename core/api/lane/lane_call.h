// A call within the lane: what was asked, what it was sent as so far, what it cost so far, who shares its answer.
#pragma once

#include "core/api/api_lane.h"
#include "core/api/decision/dispatcher.h"
#include "core/api/protocols/protocol.h"
#include "core/api/settings/api_settings.h"
#include "core/base/hash.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// An idempotency key that the next attempt repeats, on the same model and account.
struct RepeatedKey {
    std::string idempotencyKey;
    std::size_t model = 0;
    std::size_t account = 0;
    std::string attempt; // of an earlier process, which goes on; empty: a new attempt
    int number = 1;
};

struct LaneCall {
    ApiCall call; // its request's text is empty: `request` holds it
    ApiDone done;
    std::optional<Error> problem; // it cannot be sent at all
    RouteKind kind = RouteKind::Text;
    std::shared_ptr<const Json> request;
    ContentHash requestHash;
    CallDemand demand;

    // Identical requests that came while this one was under way.
    std::vector<std::unique_ptr<LaneCall>> followers;
    bool leads = false;       // others may follow it
    bool toldWaiting = false; // whoever listens believes that it waits
    bool lastAttempt = false; // what is open may finish, nothing more is sent
    bool open = false;        // an attempt is under way
    bool landing = false;     // answered; the answer is being made durable

    std::vector<Complaint> complaints;
    std::optional<RepeatedKey> repeats;
    std::int64_t maxOutputTokens = 0; // of the next attempt
    int asked = 0;                    // again, because an answer did not do
    int attempts = 0;                 // with those of earlier processes
    Nanos cost;                       // of all attempts here, with what may have been charged
    std::string currency;
    std::int64_t tokensIn = 0;
    std::int64_t tokensOut = 0;

    CallId id() const noexcept { return demand.id; }
    // Its first attempt begins, which is that of its followers too.
    void tellSent();
};

// Reads the request and estimates what it needs. Mistakes stand in `problem`: UsageInvalid for an unknown route,
// Internal for a request that is no JSON object. Threads: any.
std::unique_ptr<LaneCall> prepareCall(ApiCall call, ApiDone done, const ApiSettings& settings);

} // namespace aiflow
