// How a call can end badly, as the decisions that follow need it told apart.
#pragma once

#include "aiflow/reason.h"
#include "core/api/settings/money.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

enum class FailureClass : std::uint8_t {
    NotSent,        // no byte of the request left: nothing happened, may be sent again
    Throttled,      // over a limit: 429, or 503 with a time
    QuotaExhausted, // balance or quota used up: the account is out until someone mends it
    KeyRefused,     // 401, 403: the account is out until someone mends it
    Outage,         // 5xx before work began, refused connections: the endpoint is down
    ServerError,    // 5xx after work may have begun
    TimedOut,       // no answer in time; the call may have been executed
    Unknown,        // the connection ended before the answer was whole; the call may have been executed
    ContentRefused, // by the provider's policy
    BadRequest,     // other 4xx: the item's own fault, or the pipeline's
    TooLarge,       // the request does not fit the model's context, or the answer exceeds our caps
    CutOff,         // the answer ended at the output limit
    Misfit,         // the answer does not fit its schema
    LyingSuccess,   // 200 with an error, nothing, or something else inside
    JobFailed,      // a remote job ended as failed
    Cancelled,      // we gave it up
};

struct Failure {
    FailureClass failure = FailureClass::Unknown;
    std::string message; // for people; at most 2 KiB of the provider's own words; keys are taken out when it is shown
    int status = 0;      // of HTTP; 0: none
    std::optional<std::chrono::milliseconds> retryAfter; // as told, the finest form that was sent; never negative
    bool modelOnly = false; // throttled: the pause holds for this model of the account alone
    bool charged = false;   // money may be gone
    std::string code;       // the provider's own, "rate_limit_exceeded"
};

// What the user is told.
Reason reasonOf(FailureClass failure) noexcept;
std::string_view nameOf(FailureClass failure) noexcept; // "throttled", stable, for journals

// Whether an attempt that ended so is definitely not executed (its reserved money is free again).
bool definitelyNotExecuted(FailureClass failure) noexcept;

} // namespace aiflow
