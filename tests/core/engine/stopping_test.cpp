#include "engine_fixture.h"

#include <algorithm>
#include <QTest>
#include <set>
#include <thread>

using namespace aiflow;
using namespace aiflow::test;

namespace {

const std::string kKept = R"(steps:
  a: { op: test.step, keep: true, inputs: { n: $item.n }, params: { log: a } }
  b: { op: test.gate, keep: true, inputs: { a: $a.value }, params: { log: b } }
  c: { op: test.step, keep: true, inputs: { a: $b.value }, params: { log: c } }
)";

// A disk that breaks after so many records.
class BreakingJournal final : public Journal {
public:
    explicit BreakingJournal(std::int64_t good) : m_left(good) {}
    void write(JournalRecord, WhenDurable whenDurable) override { take(whenDurable); }
    void write(std::vector<JournalRecord>, WhenDurable whenDurable) override { take(whenDurable); }
    bool congested() const override { return false; }
    Result<void> flush() override
    {
        if (m_left.load() >= 0) return {};
        return tl::unexpected(error());
    }
    std::optional<Error> brokenBy() const override { return std::nullopt; }
    void onBroken(std::function<void(const Error&)> listener) override { m_listener = std::move(listener); }
    Result<std::unique_ptr<JournalReader>> reader() override { return fail(Reason::Internal, "none"); }

private:
    static Error error() { return Error{Reason::OutputDiskFull, "the disk is full", {}, {}}; }
    void take(const WhenDurable& whenDurable)
    {
        const std::int64_t before = m_left.fetch_sub(1);
        if (before == 0) m_listener(error());
        if (whenDurable) whenDurable(before > 0 ? Result<void>() : tl::unexpected(error()));
    }
    std::atomic<std::int64_t> m_left;
    std::function<void(const Error&)> m_listener;
};

} // namespace

class StoppingTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aPausedJobStartsNothingAndGoesOn()
    {
        JobBench job;
        job.settings.cores = 2;
        job.load(kKept);
        probe().gateOpen = false;
        JobRunner& runner = job.start(200);
        std::thread operatorThread([&] {
            probe().waitForGate(2); // both cores stand before the gate
            runner.pause();
            QVERIFY(runner.paused());
            probe().openGate();
            while (runner.running() > 0) std::this_thread::yield();
            const auto ran = probe().count.load();
            for (int i = 0; i < 1000; ++i) std::this_thread::yield();
            QCOMPARE(probe().count.load(), ran);
            runner.resume();
        });
        const auto end = job.finish();
        operatorThread.join();
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 200);
    }

    void aStoppedJobGoesOnWhereItWasAndRunsNothingTwice()
    {
        JobBench job;
        job.settings.cores = 2;
        job.load(kKept);
        probe().gateOpen = false;
        JobRunner& runner = job.start(300);
        std::thread operatorThread([&] {
            probe().waitForGate(2);
            runner.stop(StopKind::Drain);
            probe().openGate();
        });
        const auto first = job.finish();
        operatorThread.join();
        QVERIFY(first);
        QCOMPARE(first->state, JobState::Interrupted);
        QCOMPARE(first->items.total(), 300);
        QVERIFY(first->items[TaskState::Queued] > 0);
        QVERIFY(!first->cause);
        const JobSnapshot left = job.live->snapshot();
        QCOMPARE(left.items[TaskState::Running], 0);
        for (const StepSnapshot& step : left.steps) QCOMPARE(step.counts[TaskState::Running], 0);
        job.resuming = true;
        const auto second = job.run(300);
        QVERIFY(second);
        QCOMPARE(second->state, JobState::Succeeded);
        QCOMPARE(second->items[TaskState::Succeeded], 300);
        QCOMPARE(probe().ran.size(), 900U);
        QCOMPARE(std::set(probe().ran.begin(), probe().ran.end()).size(), 900U);
        QCOMPARE(job.live->snapshot().items[TaskState::Succeeded], 300);
    }

    void stopNowGivesOpenCallsBackForLater()
    {
        JobBench job;
        job.load(
            "steps:\n  a: { op: test.step, inputs: { n: $item.n } }\n  t: { api: text, prompt: \"{{a.value}}\" }\n");
        job.api.hold();
        JobRunner& runner = job.start(40);
        std::thread operatorThread([&] {
            job.api.waitForCalls(40);
            runner.stop(StopKind::Drain);
            runner.stop(StopKind::Now);
        });
        const auto first = job.finish();
        operatorThread.join();
        QVERIFY(first);
        QCOMPARE(first->state, JobState::Interrupted);
        QCOMPARE(first->items[TaskState::Queued], 40);
        job.api.release();
        job.resuming = true;
        const auto second = job.run(40);
        QCOMPARE(second->items[TaskState::Succeeded], 40);
        QCOMPARE(job.api.calls.load(), 80);
        QCOMPARE(second->recomputed, 40); // the prompts' numbers were transient
    }

    void aCancelledJobSaysSoOfEveryItem()
    {
        JobBench job;
        job.settings.activeItems = 10;
        job.settings.cores = 1;
        job.load(kKept);
        probe().gateOpen = false;
        JobRunner& runner = job.start(100);
        std::thread operatorThread([&] {
            probe().waitForGate(1);
            runner.cancel(StopKind::Drain);
            probe().openGate();
        });
        const auto end = job.finish();
        operatorThread.join();
        QVERIFY(end);
        QCOMPARE(end->state, JobState::Cancelled);
        QCOMPARE(end->items[TaskState::Cancelled] + end->items[TaskState::Succeeded], 100);
        QCOMPARE(job.live->snapshot().items[TaskState::Cancelled], end->items[TaskState::Cancelled]);
        QCOMPARE(job.reader()->itemCounts().value()[TaskState::Cancelled], end->items[TaskState::Cancelled]);
    }

    void onlyFailedItemsAreRetriedAndOnlyTheirFailedSteps()
    {
        JobBench job;
        job.load(R"(steps:
  a: { op: test.step, inputs: { n: $item.n } }
  s: { api: text, prompt: "first {{item.sku}}" }
  t: { api: text, prompt: "{{s.text}} {{a.value}}" }
)");
        job.api.answer = [](const TaskKey& task) -> Result<ApiAnswer> {
            if (task.step == StepIndex(2) && task.item.value() % 10 == 0)
                return fail(Reason::ProviderTimeout, "too late");
            ApiAnswer answer;
            answer.body = R"({"text":"fine"})";
            return answer;
        };
        const auto first = job.run(50);
        QCOMPARE(first->state, JobState::Partial);
        QCOMPARE(first->items[TaskState::Failed], 5);
        job.api.answer = {};
        job.resuming = true;
        job.retrying = true;
        for (std::int64_t item = 0; item < 50; item += 10) job.settings.only.emplace_back(item);
        const auto second = job.run(50);
        QCOMPARE(second->state, JobState::Succeeded);
        QCOMPARE(second->items[TaskState::Succeeded], 50);
        QCOMPARE(job.api.calls.load(), 105);
        QCOMPARE(second->tasksRun, 5);
    }

    void tooManyFailuresStopTheJob()
    {
        const std::string steps = "steps:\n  a: { op: test.step, inputs: { n: $item.n }, params: { fail_every: 2 } }\n";
        JobBench job;
        job.settings.activeItems = 4;
        job.load(steps);
        job.settings.maxFailures = 10;
        auto end = job.run(5000);
        QCOMPARE(end->state, JobState::Interrupted);
        QVERIFY(end->cause && end->cause->message.find("items failed") != std::string::npos);
        QVERIFY(end->items[TaskState::Failed] > 10 && end->items[TaskState::Failed] < 100);
        job.newJob();
        job.settings.maxFailures.reset();
        job.settings.maxFailurePercent = 30;
        end = job.run(5000);
        QVERIFY(end->cause);
        QVERIFY(end->items.terminal() >= 20 && end->items.terminal() < 100);
        job.newJob();
        job.settings.maxFailurePercent.reset();
        job.settings.failFast = true;
        end = job.run(5000);
        QVERIFY(end->cause && end->items.terminal() < 20);
    }

    void aFullDiskStopsTheJobWithItsCause()
    {
        JobBench job;
        job.load(
            "steps:\n  t: { api: text, prompt: \"{{item.sku}}\" }\n  z: { op: test.step, inputs: { b: $t.text } }\n");
        job.journal = std::make_unique<BreakingJournal>(200);
        const auto end = job.run(2000);
        QVERIFY(end);
        QCOMPARE(end->state, JobState::Interrupted);
        QVERIFY(end->cause);
        QCOMPARE(end->cause->reason, Reason::OutputDiskFull);
        QVERIFY(end->items[TaskState::Succeeded] < 200);
    }

    void countsAddUpAtEveryMoment()
    {
        JobBench job;
        job.load(R"(steps:
  a: { op: test.step, inputs: { n: $item.n }, params: { fail_every: 7 } }
  b: { op: test.step, when: { greater: [$item.n, 100] }, inputs: { a: $a.value } }
  t: { api: text, optional: true, prompt: "{{a.value}}" }
)");
        job.start(1000);
        std::atomic<bool> done{false};
        std::atomic<bool> wrong{false};
        std::thread viewer([&] {
            while (!done.load()) {
                const JobSnapshot now = job.live->snapshot();
                bool right = now.items.total() == 1000;
                for (const StepSnapshot& step : now.steps) right = right && step.counts.total() == 1000;
                if (!right) wrong = true;
            }
        });
        const auto end = job.finish();
        done = true;
        viewer.join();
        QVERIFY(!wrong.load());
        QCOMPARE(end->items.total(), 1000);
        QCOMPARE(end->items[TaskState::Failed], 143);
        QCOMPARE(end->items, job.live->snapshot().items);
    }
};

QTEST_GUILESS_MAIN(StoppingTest)
#include "stopping_test.moc"
