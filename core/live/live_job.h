// The living picture of a running job: counts that always add up, rates, ETA, the numbered event stream.
#pragma once

#include "aiflow/messages.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/live/subscription.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct LiveStep {
    std::string name, titleEn, titleZh, kind, target;
    std::vector<std::string> providers{}; // api: who may answer
};

struct LiveIdentity {
    std::string job, pipeline, input, inputEncoding, output;
    std::vector<LiveStep> steps;
    std::int64_t total = 0;
    std::int64_t firstSeq = 1; // of a resumed job: the journal's last + 1
    MoneyAmount budget{};      // without a currency: none
    MoneyAmount spent{};       // by the job's earlier processes: its cost begins there
};

struct ItemOutcome {
    std::string id;
    std::int64_t line = 0;
    TaskState state = TaskState::Succeeded;
    std::optional<Reason> reason;
    std::string step; // that failed
    std::string message;
    std::chrono::milliseconds worked{0};
    int attempts = 1;
    MoneyAmount cost;
};

struct TaskOutcome {
    std::string id; // the item's
    std::int64_t line = 0;
    StepIndex step;
    std::int32_t element = -1;
    int attempt = 1;
    TaskState state = TaskState::Succeeded;
    std::optional<Reason> reason;
    std::string message;
    bool retryable = false;
    std::chrono::milliseconds worked{0};
    MoneyAmount cost;
    std::int64_t tokensIn = 0, tokensOut = 0;
    std::string requestId;
};

// Threads: every method, from any thread. Counters take one short lock; nothing here does I/O.
class LiveJob {
public:
    // Receives every numbered event once, in order, for the journal. Must be quick (it queues).
    using EventWriter = std::function<void(const EventLine&)>;
    // Runs on the thread that publishes; must be quick and must not call back.
    using Listener = std::function<void(const EventLine&)>;

    static std::unique_ptr<LiveJob> create(LiveIdentity identity, const Clock& clock, EventWriter writer);
    virtual ~LiveJob() = default;

    // ---- counts. Every item and every item's step starts as Queued; the sums stay `total`.
    virtual void itemMoved(TaskState from, TaskState to) = 0;
    virtual void taskMoved(StepIndex step, TaskState from, TaskState to) = 0;
    // All steps of an item at once, e.g. of a reused or restored one: from Queued to `steps`.
    virtual void itemRestored(TaskState item, const std::vector<TaskState>& steps) = 0;
    // A task's own work, for rates and medians; not called for reused results.
    virtual void taskWorked(StepIndex step, std::chrono::microseconds worked) = 0;
    virtual void taskRetried(StepIndex step) = 0;
    virtual void spent(StepIndex step, const MoneyAmount& money) = 0;
    virtual void setNote(StepIndex step, std::string note) = 0;
    virtual void setBanner(std::string sentence) = 0;
    virtual void setReuse(std::string fromJob, std::int64_t tasks) = 0;
    // The total was unknown or grew (retry of rows); the difference is Queued.
    virtual void setTotal(std::int64_t total) = 0;
    // Asked for every snapshot, on the thread that wants one. Before anyone else has the job; must outlive it.
    virtual void watchAccounts(std::function<std::vector<AccountSnapshot>()> accounts) = 0;

    // ---- events; each gets the next seq.
    virtual void jobStarted(std::int64_t reusedItems) = 0;
    // Also feeds the failure groups. `keep`, when given, gets the event instead of the job's writer, so that it can be
    // journaled in one piece with the item's end; called once, before the listeners.
    virtual void itemFinished(const ItemOutcome& outcome, const EventWriter& keep = {}) = 0;
    virtual void taskFinished(const TaskOutcome& outcome) = 0;
    // `probeAt`: ISO 8601, or empty; again for a provider that is paused already: the newer words hold.
    virtual void providerPaused(std::string provider, Reason reason, std::string detail, std::string probeAt) = 0;
    virtual void providerResumed(std::string provider) = 0;
    virtual void jobPaused(std::string by, std::string why) = 0;
    virtual void jobResumed(std::string by) = 0;
    // Sets the final state too.
    virtual void jobFinished(JobState outcome, int exitCode) = 0;
    virtual void setState(JobState state) = 0; // without an event: Pausing

    virtual JobSnapshot snapshot() const = 0;
    // A progress line (no seq) of now.
    virtual EventLine progress() const = 0;
    // The handle may outlive the job. It must not be cut from inside its own listener.
    virtual Subscription subscribe(Listener listener) = 0;

    // Grows with every change of what a snapshot shows.
    virtual std::uint64_t revision() const = 0;
    // Runs `wake` once, on the changing thread, as soon as the revision is newer; at once when it already is.
    virtual void wakeAfter(std::uint64_t revision, std::function<void()> wake) = 0;
};

} // namespace aiflow
