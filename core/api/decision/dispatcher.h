// Which waiting call goes next, on which account and model, and when: a pure state machine that owns no thread, no
// clock and no socket. The lane runs it in real time, the forecast and the simulation tests in virtual time.
#pragma once

#include "core/api/decision/failure.h"
#include "core/api/settings/api_settings.h"
#include "core/base/ids.h"
#include "core/base/limit_store.h"
#include "core/base/random.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

using CallId = Id<struct CallTag, std::uint64_t>;
using AttemptId = Id<struct AttemptTag, std::uint64_t>; // also the id of its LimitUse

// What a call needs of whoever answers it; fixed when it is submitted.
struct CallDemand {
    CallId id;
    std::size_t route = 0; // index in the settings
    std::int32_t priority = 0;
    ItemIndex item;
    std::int32_t stepFromEnd = 0;
    std::int32_t element = -1;
    std::uint64_t itemHash = 0;             // sticky routes: the same for all calls of an item
    std::uint64_t promptFamily = 0;         // calls that share their prompt's beginning; 0: none
    std::int64_t inputTokens = 0;           // estimated, with a margin: what is reserved
    std::int64_t maxOutputTokens = 0;       // 0: the model's
    std::int64_t images = 0;                // asked for
    std::optional<std::size_t> onlyModel;   // a re-ask, or a lookup of an open attempt: this model
    std::optional<std::size_t> onlyAccount; // with onlyModel: this account of its provider (an idempotency key is its)
    std::chrono::milliseconds timeout{0};   // longer than the model's own: how long it may hold its place; 0: as that
    std::uint64_t budgetItem = 0;           // per-item money is counted under it
};

// The lane must send this call now, unless the journal refuses.
struct SendOrder {
    CallId call;
    AttemptId attempt;
    std::size_t model = 0;
    std::size_t provider = 0;
    std::size_t account = 0; // index among the provider's
    int number = 1;          // this call's attempts, from 1
    bool probe = false;      // a breaker's, or a new key's first
    LimitUse use;            // reserved
    Money reserved;          // worst case
    std::string why;         // "first choice" or why not, for the provenance
};
// The call is over without an answer.
struct GiveUp {
    CallId call;
    Error error; // reason, what happened and how often, the way out
    int attempts = 0;
};
// The call waits for something worth telling (not merely its turn in the usual rhythm of its limits).
struct WaitNotice {
    CallId call;
    Reason reason = Reason::ProviderRateLimited;
    std::string detail; // "openai paused: 503"
    std::optional<BootTime> until;
};
// A provider, or one account of it, is paused or answers again; told once for all its calls.
struct PauseNotice {
    std::string provider;
    std::string account; // empty: the whole provider
    bool paused = true;
    Reason reason = Reason::ProviderOutage;
    std::string detail;
    std::optional<BootTime> nextProbe;
    std::int64_t waiting = 0; // calls
};
struct Decisions {
    std::vector<SendOrder> sends;
    std::vector<GiveUp> giveUps;
    std::vector<WaitNotice> waits;
    std::vector<PauseNotice> pauses;
    std::optional<Error> jobStops; // the job's budget is reached: nothing more is admitted (BudgetReached)
    bool empty() const noexcept
    {
        return sends.empty() && giveUps.empty() && waits.empty() && pauses.empty() && !jobStops;
    }
};

// How an attempt ended.
struct AttemptEnd {
    AttemptId attempt;
    std::optional<Failure> failure; // none: answered well
    Usage usage;                    // what it really used; when unknown, the reservation stands
    bool usageKnown = false;
    std::chrono::nanoseconds latency{0}; // from the wire to the end
    // The provider's answer headers about limits; stricter ones than configured are obeyed until they end.
    struct Learnt {
        LimitUnit unit = LimitUnit::Requests;
        std::optional<std::int64_t> limit;
        std::optional<std::int64_t> remaining;
        std::optional<std::chrono::milliseconds> resetAfter;
    };
    std::vector<Learnt> learnt;
    // A re-ask or a longer answer of the same call: the lane changes the request and the call waits again, on the same
    // model. False although the failure is Misfit or CutOff: nothing can be changed any more.
    bool asksAgain = false;
    std::optional<std::int64_t> maxOutputTokens; // of the next attempt
    std::optional<std::int64_t> inputTokens;     // of the next attempt: a re-ask shows the model its mistake
};

// Places, money and health of one account, for displays.
struct AccountView {
    std::string provider, account, model; // model: empty for the account as a whole
    std::int64_t open = 0;
    std::int64_t sentInMinute = 0;
    std::optional<std::int64_t> perMinute;
    std::string state; // "ok", "paused", "benched", "probing"
    std::optional<BootTime> until;
    Money spentToday;
};

struct DispatcherParts {
    const ApiSettings& settings;
    Random& random;                              // jitter
    std::function<std::uint64_t()> newAttemptId; // unique on the host: LimitStore::newId
};

// Every method takes the time; it never goes back. Complexity: O(log n) per call and event; waiting calls cost some 150
// bytes each. Threads: one.
class Dispatcher {
public:
    static std::unique_ptr<Dispatcher> create(DispatcherParts parts);
    virtual ~Dispatcher() = default;

    virtual void submit(const CallDemand& call, BootTime now) = 0;
    // A waiting call is taken out: true. One that is open stays, and false is returned.
    virtual bool withdraw(CallId call) = 0;
    // Money that this job spent in earlier processes.
    virtual void setSpent(Nanos byJob, const std::string& currency) = 0;

    // What others of the host did; before decide() within the same exchange.
    virtual void learn(const LimitNews& news, BootTime now) = 0;
    // Everything that can be done now. Sends are reserved from here on; those of an attempt that is not made must come
    // back through notSent().
    virtual Decisions decide(BootTime now) = 0;
    // What this process changed since the last call, for the others.
    virtual LimitChanges takeChanges(BootTime now) = 0;
    // When decide() must be called again even if nothing happens; nothing: never.
    virtual std::optional<BootTime> nextDecision() const = 0;

    // The attempt's request is handed over to the network: its windows start.
    virtual void onWire(AttemptId attempt, BootTime now) = 0;
    // The attempt ended: the call is done, waits again, or is given up with the next decide().
    virtual void ended(const AttemptEnd& end, BootTime now) = 0;
    // An attempt of an earlier process that is still open at the provider (a remote job, an unknown outcome) belongs to
    // this call: it takes a place, no window, and ends by ended().
    virtual AttemptId adopt(CallId call, std::size_t model, const std::string& accountName, BootTime now) = 0;

    virtual std::int64_t waiting() const = 0;
    virtual std::int64_t open() const = 0;
    virtual std::vector<AccountView> accounts(BootTime now) const = 0;
};

} // namespace aiflow
