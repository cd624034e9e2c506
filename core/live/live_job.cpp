#include "core/live/live_job.h"

#include "core/live/eta.h"
#include "core/live/event_lines.h"
#include "core/live/event_stream.h"
#include "core/live/failure_groups.h"
#include "core/live/live_pauses.h"
#include "core/live/step_meter.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <mutex>
#include <unistd.h>

namespace aiflow {

namespace {

// Moves one; the sum cannot change. False when there was none to move: then our own code lost count.
bool moveOne(StateCounts& counts, TaskState from, TaskState to)
{
    assert(counts[from] > 0 && "a count moved out of a state that holds none");
    if (counts[from] <= 0) return false;
    --counts[from];
    ++counts[to];
    return true;
}

void setQueuedTotal(StateCounts& counts, std::int64_t total)
{
    const std::int64_t others = counts.total() - counts[TaskState::Queued];
    counts[TaskState::Queued] = std::max<std::int64_t>(total - others, 0);
}

bool holdsEta(JobState state) { return state == JobState::Pausing || state == JobState::Paused; }

struct LiveStepState {
    StateCounts counts;
    StepMeter meter;
    std::int64_t retries = 0;
    std::string note;
};

class CountingLiveJob final : public LiveJob {
public:
    CountingLiveJob(LiveIdentity identity, const Clock& clock, EventWriter writer)
        : m_identity(std::move(identity)), m_clock(clock), m_events(clock, m_identity.firstSeq, std::move(writer)),
          m_steps(m_identity.steps.size()), m_total(m_identity.total), m_startedAt(toIso8601(clock.wall())),
          m_start(clock.monotonic()), m_eta(m_start, m_total)
    {
        m_items[TaskState::Queued] = m_total;
        for (LiveStepState& step : m_steps) step.counts[TaskState::Queued] = m_total;
    }

    void itemMoved(TaskState from, TaskState to) override
    {
        change([&] {
            if (moveOne(m_items, from, to)) noteEnd(from, to);
        });
    }

    void taskMoved(StepIndex step, TaskState from, TaskState to) override
    {
        change([&] { moveOne(at(step).counts, from, to); });
    }

    void itemRestored(TaskState item, const std::vector<TaskState>& steps) override
    {
        change([&] {
            if (item != TaskState::Queued && moveOne(m_items, TaskState::Queued, item) && isTerminal(item))
                m_eta.reusedDone();
            for (std::size_t i = 0; i < std::min(steps.size(), m_steps.size()); ++i)
                if (steps[i] != TaskState::Queued) moveOne(m_steps[i].counts, TaskState::Queued, steps[i]);
        });
    }

    void taskWorked(StepIndex step, std::chrono::microseconds worked) override
    {
        const MonotonicTime now = m_clock.monotonic();
        change([&] { at(step).meter.add(now, worked); });
    }

    void taskRetried(StepIndex step) override
    {
        change([&] { ++at(step).retries; });
    }

    void spent(StepIndex, const MoneyAmount& money) override
    {
        if (money.currency.empty()) return;
        change([&] {
            if (m_cost.currency.empty()) m_cost.currency = money.currency;
            // A billionth of the unit is the smallest amount: the sum stays exact.
            if (m_cost.currency == money.currency)
                m_cost.amount = std::round((m_cost.amount + money.amount) * 1e9) / 1e9;
        });
    }

    void setNote(StepIndex step, std::string note) override
    {
        change([&] { at(step).note = std::move(note); });
    }

    void setBanner(std::string sentence) override
    {
        change([&] { m_banner = std::move(sentence); });
    }

    void setReuse(std::string fromJob, std::int64_t tasks) override
    {
        change([&] {
            m_reusedFrom = std::move(fromJob);
            m_reusedTasks = tasks;
        });
    }

    void setTotal(std::int64_t total) override
    {
        change([&] {
            setQueuedTotal(m_items, total);
            for (LiveStepState& step : m_steps) setQueuedTotal(step.counts, total);
            m_total = m_items.total();
            m_eta.setTotal(m_total);
        });
    }

    void watchAccounts(std::function<std::vector<AccountSnapshot>()> accounts) override
    {
        m_accounts = std::move(accounts);
    }

    void jobStarted(std::int64_t reusedItems) override
    {
        std::int64_t total = 0;
        change([&] {
            m_eta.setKnownReused(reusedItems);
            total = m_total;
        });
        publish("job_started", event_lines::jobStarted(m_identity, total, reusedItems));
    }

    void itemFinished(const ItemOutcome& outcome, const EventWriter& keep) override
    {
        if (outcome.state == TaskState::Failed) {
            const std::lock_guard lock(m_groupsMutex);
            m_groups.add(outcome.reason.value_or(Reason::Internal), outcome.step, outcome.message, outcome.id);
        }
        publish("item_finished", event_lines::itemFinished(m_identity.job, outcome), keep);
    }

    void taskFinished(const TaskOutcome& outcome) override
    {
        const std::string& step = m_identity.steps.at(static_cast<std::size_t>(outcome.step.value())).name;
        publish("task_finished", event_lines::taskFinished(m_identity.job, step, outcome));
    }

    void providerPaused(std::string provider, Reason reason, std::string detail, std::string probeAt) override
    {
        const MonotonicTime now = m_clock.monotonic();
        std::int64_t waiting = 0;
        change([&] {
            m_pauses.begin(provider, reason, detail, probeAt, now);
            m_eta.setHeld(now, m_pauses.holdWork());
            waiting = m_items[TaskState::Waiting];
        });
        JsonText json;
        json.text("job", m_identity.job).text("provider", provider).text("reason", info(reason).code);
        json.textIfAny("detail", detail).textIfAny("probe_at", probeAt).number("waiting", waiting);
        publish("provider_paused", json);
    }

    void providerResumed(std::string provider) override
    {
        const MonotonicTime now = m_clock.monotonic();
        std::chrono::milliseconds after{0};
        change([&] {
            after = m_pauses.end(provider, now);
            m_eta.setHeld(now, m_pauses.holdWork());
        });
        JsonText json;
        json.text("job", m_identity.job).text("provider", provider).number("after_ms", after.count());
        publish("provider_resumed", json);
    }

    void jobPaused(std::string by, std::string why) override
    {
        setState(JobState::Paused);
        publish("job_paused", JsonText().text("job", m_identity.job).text("by", by).textIfAny("why", why));
    }

    void jobResumed(std::string by) override
    {
        setState(JobState::Running);
        publish("job_resumed", JsonText().text("job", m_identity.job).text("by", by));
    }

    void jobFinished(JobState outcome, int exitCode) override
    {
        change([&] {
            m_state = outcome;
            m_exitCode = exitCode;
            m_end = m_clock.monotonic();
            m_endedAt = toIso8601(m_clock.wall());
        });
        publish("job_finished", event_lines::jobFinished(snapshot()));
    }

    void setState(JobState state) override
    {
        const MonotonicTime now = m_clock.monotonic();
        change([&] {
            m_state = state;
            m_eta.setPaused(now, holdsEta(state));
        });
    }

    JobSnapshot snapshot() const override
    {
        JobSnapshot copy = identitySnapshot();
        copy.lastSeq = m_events.lastSeq();
        const MonotonicTime now = m_clock.monotonic();
        fillGroups(copy);
        if (m_accounts) copy.accounts = m_accounts();
        const std::lock_guard lock(m_mutex);
        fill(copy, now);
        return copy;
    }

    EventLine progress() const override { return m_events.unnumbered("progress", event_lines::progress(snapshot())); }

    Subscription subscribe(Listener listener) override { return m_events.subscribe(std::move(listener)); }

    std::uint64_t revision() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_revision;
    }

    void wakeAfter(std::uint64_t revision, std::function<void()> wake) override
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_revision <= revision) {
                m_wakes.push_back(std::move(wake));
                return;
            }
        }
        wake();
    }

private:
    template <typename Act> void change(Act act)
    {
        std::vector<std::function<void()>> wakes;
        {
            const std::lock_guard lock(m_mutex);
            act();
            ++m_revision;
            if (!m_wakes.empty()) wakes.swap(m_wakes);
        }
        for (const auto& wake : wakes) wake();
    }

    void publish(std::string_view type, const JsonText& members, const EventWriter& keep = {})
    {
        m_events.publish(type, members, keep);
        change([] {});
    }

    LiveStepState& at(StepIndex step)
    {
        assert(step.value() >= 0 && static_cast<std::size_t>(step.value()) < m_steps.size());
        return m_steps[static_cast<std::size_t>(step.value())];
    }

    void noteEnd(TaskState from, TaskState to)
    {
        if (isTerminal(from) == isTerminal(to)) return;
        if (isTerminal(from)) {
            m_eta.undone(m_clock.monotonic());
        } else if (to == TaskState::Cached) {
            m_eta.reusedDone();
        } else {
            m_eta.liveDone(m_clock.monotonic());
        }
    }

    JobSnapshot identitySnapshot() const
    {
        JobSnapshot copy;
        copy.job = m_identity.job;
        copy.pipeline = m_identity.pipeline;
        copy.input = m_identity.input;
        copy.inputEncoding = m_identity.inputEncoding;
        copy.output = m_identity.output;
        copy.budget = m_identity.budget;
        copy.startedAt = m_startedAt;
        copy.ownerPid = ::getpid();
        for (const LiveStep& step : m_identity.steps) {
            StepSnapshot& to = copy.steps.emplace_back();
            to.name = step.name;
            to.titleEn = step.titleEn;
            to.titleZh = step.titleZh;
            to.kind = step.kind;
            to.target = step.target;
            to.providers = step.providers;
        }
        return copy;
    }

    void fillGroups(JobSnapshot& copy) const
    {
        const std::lock_guard lock(m_groupsMutex);
        copy.failures = m_groups.snapshot();
    }

    void fill(JobSnapshot& copy, MonotonicTime now) const
    {
        copy.state = m_state;
        copy.total = m_total;
        copy.items = m_items;
        copy.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(m_end.value_or(now) - m_start);
        if (!isTerminal(m_state)) copy.eta = m_eta.range(now);
        copy.cost = m_cost;
        copy.banner = m_banner;
        copy.endedAt = m_endedAt;
        copy.exitCode = m_exitCode;
        copy.reusedFrom = m_reusedFrom;
        copy.reusedTasks = m_reusedTasks;
        copy.pauses = m_pauses.snapshot(now, m_clock.wall());
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            const LiveStepState& from = m_steps[i];
            StepSnapshot& to = copy.steps[i];
            to.counts = from.counts;
            to.ratePerSecond = from.meter.ratePerSecond(now);
            to.medianSeconds = from.meter.medianSeconds();
            to.inFlight = from.counts[TaskState::Running];
            to.retries = from.retries;
            to.note = from.note;
        }
    }

    const LiveIdentity m_identity;
    const Clock& m_clock;
    EventStream m_events;
    std::function<std::vector<AccountSnapshot>()> m_accounts; // set before anyone looks

    mutable std::mutex m_groupsMutex;
    FailureGroups m_groups; // guarded by m_groupsMutex: normalising a message takes longer than the counts may wait

    mutable std::mutex m_mutex; // guards everything below
    StateCounts m_items;
    std::vector<LiveStepState> m_steps;
    std::int64_t m_total;
    JobState m_state = JobState::Running;
    const std::string m_startedAt;
    const MonotonicTime m_start;
    std::optional<MonotonicTime> m_end;
    std::string m_endedAt;
    std::optional<int> m_exitCode;
    Eta m_eta;
    MoneyAmount m_cost = m_identity.spent;
    std::string m_banner;
    std::string m_reusedFrom;
    std::int64_t m_reusedTasks = 0;
    LivePauses m_pauses;
    std::uint64_t m_revision = 1;
    std::vector<std::function<void()>> m_wakes;
};

} // namespace

std::unique_ptr<LiveJob> LiveJob::create(LiveIdentity identity, const Clock& clock, EventWriter writer)
{
    return std::make_unique<CountingLiveJob>(std::move(identity), clock, std::move(writer));
}

} // namespace aiflow
