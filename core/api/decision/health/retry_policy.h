// What follows when an attempt ended badly: again, with another model, or not at all.
#pragma once

#include "core/api/decision/failure.h"
#include "core/api/settings/api_settings.h"
#include "core/base/random.h"

namespace aiflow {

// What a call went through.
struct CallPast {
    int sends = 0;
    int burnt = 0;    // attempts that count against its allowance
    int outages = 0;  // not answered although others were
    int refusals = 0; // over a limit, although others were not
    int unknown = 0;  // may have been executed, without an answer
    int reasks = 0;   // on the present model
};

// What the verdict depends on beside the failure.
struct EndFacts {
    bool asksAgain = false;      // the request can be changed, on the same model
    bool otherModel = false;     // the route has one that was not tried for this
    bool repeatable = false;     // an idempotency key is honoured, or it costs nothing
    bool cheap = false;          // the reservation is below the ceiling for paying twice
    bool othersAnswered = false; // the endpoint answered other calls since this one was sent
};

struct RetryVerdict {
    enum class Step {
        Again,      // as it is, wherever there is room
        Reask,      // changed, on the same model
        OtherModel, // the next of the route
        GiveUp,
    };
    Step step = Step::GiveUp;
    bool told = false;  // the provider said when: not counted as a retry
    bool waits = false; // by backoff() first
    bool asks = false;  // given up although it could be paid again: the user decides
};

class RetryRules {
public:
    RetryRules(const RetrySettings& retry, const UnknownSettings& unknown) : m_retry(&retry), m_unknown(&unknown) {}

    // Counts the end into `past`.
    RetryVerdict judge(const Failure& failure, const EndFacts& facts, CallPast& past) const;
    // Full jitter: anywhere between nothing and base * 2^(n - 1), at most the cap. n from 1.
    std::chrono::nanoseconds backoff(int n, Random& random) const;
    std::chrono::nanoseconds ceilingOf(int n) const noexcept;

private:
    RetryVerdict afterUnknown(const EndFacts& facts, CallPast& past) const;
    RetryVerdict afterBadAnswer(const EndFacts& facts, CallPast& past) const;
    RetryVerdict afterOutage(const EndFacts& facts, CallPast& past) const;

    const RetrySettings* m_retry;
    const UnknownSettings* m_unknown;
};

} // namespace aiflow
