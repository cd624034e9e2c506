// A rehearsal: the user's own job against simulated services, to see time, cost and trouble before anything is paid.
#pragma once

#include "aiflow/engine.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// What the simulated services are made to do wrong.
struct RehearsalFault {
    enum class Kind : std::uint8_t {
        Outage,      // 503, nothing is done
        Throttle,    // 429, in all the forms that services use
        ServerError, // 500 after the work was done and charged
        Hang,        // charged, never answered
        Reset,       // charged, the connection breaks
        Refuse,      // the content is refused
        Misfit,      // the answer does not fit its schema
        CutOff,      // the answer ends at its limit
        Lie,         // well-looking nonsense of many kinds
        Quota,       // the balance is empty
        Key,         // the key is refused
    };
    Kind kind = Kind::Outage;
    double share = 1;                                 // of the calls that it may meet
    std::string provider;                             // empty: every one
    std::string account;                              // "openai/main"; empty: every one
    std::chrono::milliseconds from{0};                // of the rehearsed time
    std::optional<std::chrono::milliseconds> lasting; // none: to the end
};

struct RehearsalRequest {
    BatchRequest batch;
    bool sample = false;               // the sample products, pipeline and services that ship, instead of the batch's
    double speed = 20;                 // times life speed, for the services alone
    std::optional<std::int64_t> limit; // the first items only
    std::vector<RehearsalFault> faults;
    std::uint64_t seed = 1;
    bool keep = false; // the rehearsal's folder stays
};

struct RehearsalAccount {
    std::string account; // "openai/main"
    std::int64_t calls = 0;
    std::int64_t refusals = 0; // for a limit
    std::int64_t highestConcurrency = 0;
    MoneyAmount cost;
};

// How attempts ended that did not bring an answer, the most frequent first.
struct RehearsalTrouble {
    // "throttled", "quota_exhausted", "key_refused", "outage", "server_error", "timed_out", "unknown" (the connection
    // ended), "not_sent", "content_refused", "bad_request", "too_large", "cut_off", "misfit", "lying_success",
    // "job_failed"
    std::string kind;
    std::int64_t calls = 0;
};

struct RehearsalFailure {
    std::string item;
    std::int64_t line = 0;
    std::string step;
    Reason reason = Reason::Internal;
    std::string message;
};

struct RehearsalReport {
    double speed = 1;
    std::chrono::milliseconds took{0}; // here and now
    // At life speed: while a call was waiting or open. The services' time runs faster in a rehearsal.
    std::chrono::milliseconds serviceTime{0};
    // While this machine worked on a step of its own. It is the same in life.
    std::chrono::milliseconds localTime{0};
    // Both overlap in life: the job takes at least the longer one, at most their sum.
    std::chrono::milliseconds atLeast() const { return serviceTime > localTime ? serviceTime : localTime; }
    std::chrono::milliseconds atMost() const { return serviceTime + localTime; }

    std::vector<MoneyAmount> cost; // what the services charged, at the configured prices, by currency
    bool unpriced = false;         // some calls went to models without a price: they are not in `cost`
    std::int64_t calls = 0;        // that cost
    std::int64_t refusals = 0;     // answered with "too many" for a limit
    std::int64_t violations = 0;   // that made a limit's window too full, by the services' own exact count
    std::int64_t paidTwice = 0;
    std::int64_t highestConcurrency = 0;
    std::vector<RehearsalAccount> accounts;
    std::vector<RehearsalTrouble> troubles;
    std::vector<RehearsalFailure> failures; // the first hundred
    std::filesystem::path folder;           // where everything is; empty: it is removed again
};

// Like JobSession::batch, but in a folder of its own beneath the state directory, so that no result, limit or output of
// real jobs is read or touched; needs no key. The session's JobReport holds the RehearsalReport.
// Errors: as batch; ConfigInvalid when no step would ask a remote service; UsageInvalid for a fault that names nobody.
Result<std::unique_ptr<JobSession>> rehearse(const Surroundings& surroundings, const RehearsalRequest& request,
                                             const CheckProgress& progress = {});

} // namespace aiflow
