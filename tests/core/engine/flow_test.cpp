#include "engine_fixture.h"

#include <algorithm>
#include <QTest>
#include <thread>

using namespace aiflow;
using namespace aiflow::test;

namespace {

// Diamond (b, c -> d), fan-out (f over the list e), optional (g), when (h), chains and joins: ten steps.
const std::string kTenSteps = R"(steps:
  a: { op: test.step, inputs: { n: $item.n } }
  b: { op: test.step, inputs: { a: $a.value } }
  c: { op: test.step, inputs: { a: $a.value } }
  d: { op: test.step, inputs: { a: $b.value, b: $c.value } }
  e: { op: test.list, inputs: { n: $d.value } }
  f: { op: test.step, for_each: $e.list, inputs: { a: $each } }
  g: { op: test.step, optional: true, inputs: { a: $d.value }, params: { fail_every: 2 } }
  h: { op: test.step, when: { greater: [$item.n, 999] }, inputs: { a: $d.value } }
  i: { op: test.size, inputs: { values: $f.value } }
  j: { op: test.step, inputs: { a: $i.value, b: $g.value, c: $h.value } }
)";

TaskState stepOf(JobBench& job, std::int64_t item, std::size_t step)
{
    return job.reader()->item(ItemIndex(item)).value()->steps.at(step);
}

} // namespace

class FlowTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyStepOfAGeneratedPipelineIsCounted()
    {
        JobBench job;
        job.load(kTenSteps);
        const auto end = job.run(2000);
        QVERIFY2(end, end ? "" : end.error().message.c_str());
        QCOMPARE(end->state, JobState::Succeeded);
        QCOMPARE(end->items[TaskState::Succeeded], 2000);
        const JobSnapshot snapshot = job.live->snapshot();
        QCOMPARE(snapshot.items[TaskState::Succeeded], 2000);
        for (const StepSnapshot& step : snapshot.steps) {
            QCOMPARE(step.counts.total(), 2000);
            const std::int64_t failed = step.name == "g" ? 1000 : 0;
            const std::int64_t skipped = step.name == "h" ? 1000 : 0;
            QCOMPARE(step.counts[TaskState::Failed], failed);
            QCOMPARE(step.counts[TaskState::Skipped], skipped);
            QCOMPARE(step.counts[TaskState::Succeeded], 2000 - failed - skipped);
        }
        // a b c d e g i j once, f three times, h for half
        QCOMPARE(end->tasksRun, 2000 * 11 + 1000);
        const auto counts = job.reader()->itemCounts().value();
        QCOMPARE(counts[TaskState::Succeeded], 2000);
    }

    void oldestItemFirstAndOfOneItemTheLaterStep()
    {
        JobBench job;
        job.settings.cores = 1;
        job.load(R"(steps:
  first: { op: test.gate, inputs: { n: $item.n }, params: { log: first } }
  second: { op: test.step, inputs: { a: $first.value }, params: { log: second } }
  third: { op: test.step, inputs: { a: $second.value }, params: { log: third } }
)");
        probe().gateOpen = false;
        job.start(5);
        std::thread opener([&] {
            probe().waitForGate(1); // all five are in the ready queue or come before the first is done
            probe().openGate();
        });
        const auto end = job.finish();
        opener.join();
        QVERIFY(end);
        std::vector<std::pair<std::string, std::int64_t>> expected;
        for (std::int64_t item = 0; item < 5; ++item)
            for (const char* step : {"first", "second", "third"}) expected.emplace_back(step, item);
        QCOMPARE(probe().ran, expected);
    }

    void anExceptionInAnOpFailsItsItemOnly()
    {
        JobBench job;
        job.load(R"(steps:
  a: { op: test.step, inputs: { n: $item.n }, params: { throw_every: 100 } }
  b: { op: test.step, inputs: { a: $a.value } }
  c: { op: test.step, inputs: { n: $item.n } }
)");
        const auto end = job.run(500);
        QVERIFY(end);
        QCOMPARE(end->state, JobState::Partial);
        QCOMPARE(end->items[TaskState::Failed], 5);
        QCOMPARE(end->items[TaskState::Succeeded], 495);
        const auto row = job.reader()->item(ItemIndex(100)).value();
        QCOMPARE(row->state, TaskState::Failed);
        QVERIFY(row->message.find("the op blew up") != std::string::npos);
        QCOMPARE(row->failedStep, std::optional(StepIndex(0)));
        QCOMPARE(row->steps[1], TaskState::Blocked);
        QCOMPARE(row->steps[2], TaskState::Succeeded); // an independent branch goes on
    }

    void aStepWhoseRequiredInputIsEmptyIsSkipped()
    {
        JobBench job;
        job.load(R"(steps:
  a: { op: test.step, optional: true, inputs: { n: $item.n }, params: { fail_every: 1 } }
  b: { op: test.needs, inputs: { a: $a.value } }
  c: { op: test.needs, inputs: { a: $b.value } }
  d: { op: test.step, inputs: { a: $c.value, n: $item.n } }
)");
        const auto end = job.run(10);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 10);
        QCOMPARE(stepOf(job, 3, 0), TaskState::Failed);
        QCOMPARE(stepOf(job, 3, 1), TaskState::Skipped);
        QCOMPARE(stepOf(job, 3, 2), TaskState::Skipped);
        QCOMPARE(stepOf(job, 3, 3), TaskState::Succeeded);
    }

    void anItemOfWhichNothingRanIsSkippedWithTheRule()
    {
        JobBench job;
        job.load("steps:\n  a: { op: test.step, when: { greater: [$item.n, 4] }, inputs: { n: $item.n } }\n");
        const auto end = job.run(10);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Skipped], 5);
        QCOMPARE(end->items[TaskState::Succeeded], 5);
        QVERIFY(job.reader()->item(ItemIndex(0)).value()->message.starts_with("skipped: when"));
    }

    void anEmptyListFansOutToAnEmptyList()
    {
        JobBench job;
        job.load(R"(steps:
  e: { op: test.list, inputs: { n: $item.n }, params: { length: 0 } }
  f: { op: test.step, for_each: $e.list, inputs: { a: $each } }
  i: { op: test.size, inputs: { values: $f.value } }
)");
        const auto end = job.run(5);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 5);
        QCOMPARE(stepOf(job, 0, 1), TaskState::Succeeded);
    }

    void aFailedElementFailsItsStepUnlessItIsOptional()
    {
        const std::string steps = R"(steps:
  e: { op: test.list, inputs: { n: $item.n } }
  f: { op: test.step, for_each: $e.list, OPTIONAL inputs: { a: $each }, params: { fail_every: 11 } }
  i: { op: test.size, inputs: { values: $f.value } }
)";
        for (const bool optional : {false, true}) {
            JobBench job;
            std::string text = steps;
            text.replace(text.find("OPTIONAL"), 8, optional ? "optional: true," : "");
            job.load(text);
            const auto end = job.run(2); // the elements 0 and 11 fail
            QVERIFY(end);
            QCOMPARE(end->items[TaskState::Failed], optional ? 0 : 2);
            QCOMPARE(stepOf(job, 1, 2), optional ? TaskState::Succeeded : TaskState::Blocked);
        }
    }

    void aBadRowFailsAtOnceAndNothingOfItRuns()
    {
        JobBench job;
        job.load("steps:\n  a: { op: test.step, inputs: { n: $item.n } }\n  b: { op: test.step, inputs: { a: $a.value "
                 "} }\n");
        job.beforeRun = [&] { job.items->bad = {3}; };
        const auto end = job.run(6);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Failed], 1);
        QCOMPARE(end->tasksRun, 10);
        const auto row = job.reader()->item(ItemIndex(3)).value();
        QCOMPARE(row->message, std::string("n is no number"));
        QCOMPARE(row->steps, (std::vector{TaskState::Failed, TaskState::Blocked}));
        QCOMPARE(job.live->snapshot().items[TaskState::Failed], 1);
    }

    void theWindowStaysWithinItsBound()
    {
        JobBench job;
        job.settings.activeItems = 20;
        job.settings.cores = 2;
        job.load("steps:\n  a: { op: test.gate, inputs: { n: $item.n } }\n  b: { op: test.step, inputs: { a: $a.value "
                 "} }\n");
        probe().gateOpen = false;
        job.start(1000);
        std::int64_t most = 0;
        job.items->beforeNext = [&](std::int64_t given) {
            most = std::max(most, given + 1 - job.live->snapshot().items.terminal());
        };
        std::thread opener([&] {
            probe().waitForGate(2);
            probe().openGate();
        });
        const auto end = job.finish();
        opener.join();
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 1000);
        QVERIFY2(most > 2 && most <= 20, std::to_string(most).c_str());
    }
};

QTEST_GUILESS_MAIN(FlowTest)
#include "flow_test.moc"
