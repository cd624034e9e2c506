#include "engine_fixture.h"

#include <fstream>
#include <QTest>
#include <set>
#include <sstream>
#include <thread>

using namespace aiflow;
using namespace aiflow::test;

namespace {

const std::string kAnswers = R"(steps:
  a: { op: test.step, inputs: { n: $item.n } }
  m: { model: double, inputs: { n: $a.value } }
  t: { api: text, prompt: "Say {{item.sku}} and {{m.value}}" }
  z: { op: test.step, inputs: { a: $a.value, b: $t.text } }
outputs:
  "{{item.sku}}.txt": $t.text
)";

std::string readFile(const std::filesystem::path& file)
{
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

} // namespace

class LanesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersComeBackDurableAndAreExported()
    {
        JobBench job;
        job.withOutput = true;
        job.load(kAnswers);
        const auto end = job.run(50);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 50);
        QCOMPARE(end->tasksRun, 200);
        const auto tasks = job.reader()->tasksOf(ItemIndex(7)).value();
        QCOMPARE(tasks.size(), 2U); // the model and the call; plain ops leave no record
        for (const TaskEnded& task : tasks) QVERIFY(!task.outputs.empty());
        QCOMPARE(readFile(job.root / "out" / "r7.txt"), std::string("answer 7"));
        const auto row = job.reader()->item(ItemIndex(7)).value();
        QCOMPARE(row->files.size(), 1U);
        QCOMPARE(row->files[0].port, std::string("r7.txt"));
    }

    void theSameJobAgainReusesEverything()
    {
        JobBench job;
        job.withCache = true;
        job.withOutput = true;
        job.load(kAnswers);
        QVERIFY(job.run(50));
        const auto ran = probe().count.load();
        std::filesystem::remove_all(job.root / "out");
        job.newJob();
        const auto end = job.run(50);
        QVERIFY(end);
        QCOMPARE(end->state, JobState::Succeeded);
        QCOMPARE(end->items[TaskState::Cached], 50);
        QCOMPARE(end->tasksRun, 0);
        QCOMPARE(end->tasksReused, 200);
        QCOMPARE(probe().count.load(), ran);
        QCOMPARE(job.api.calls.load(), 50);
        QCOMPARE(job.models.calls.load(), 50);
        QCOMPARE(readFile(job.root / "out" / "r7.txt"), std::string("answer 7"));
        QCOMPARE(job.live->snapshot().items[TaskState::Cached], 50);
    }

    void anEditOfOneStepRunsOnlyWhatItAffects()
    {
        JobBench job;
        job.withCache = true;
        job.load(kAnswers);
        QVERIFY(job.run(20));
        std::string edited = kAnswers;
        edited.replace(edited.find("Say"), 3, "Write");
        job.load(edited);
        job.newJob();
        const auto end = job.run(20);
        QVERIFY(end);
        QCOMPARE(job.models.calls.load(), 20); // as before
        QCOMPARE(job.api.calls.load(), 40);
        QCOMPARE(end->items[TaskState::Succeeded], 20);
        QCOMPARE(end->tasksReused, 20);
    }

    void freshLooksNothingUp()
    {
        JobBench job;
        job.withCache = true;
        job.load(kAnswers);
        QVERIFY(job.run(10));
        job.settings.fresh = true;
        job.newJob();
        QVERIFY(job.run(10));
        QCOMPARE(job.api.calls.load(), 20);
    }

    void failuresAreNeverReused()
    {
        JobBench job;
        job.withCache = true;
        job.load(kAnswers);
        job.api.answer = [](const TaskKey&) { return fail(Reason::ProviderContentPolicy, "refused"); };
        const auto first = job.run(10);
        QCOMPARE(first->items[TaskState::Failed], 10);
        job.api.answer = {};
        job.newJob();
        const auto second = job.run(10);
        QCOMPARE(second->items[TaskState::Succeeded], 10);
        QCOMPARE(job.api.calls.load(), 20);
        QCOMPARE(job.models.calls.load(), 10);
    }

    void outOfMemoryIsTriedOnceMore()
    {
        JobBench job;
        job.load("steps:\n  m: { model: double, inputs: { n: $item.n } }\n");
        job.models.failure = [](std::int64_t call) -> std::optional<Error> {
            if (call == 0) return Error{Reason::ComputeOom, "out of memory", {}, {}};
            return std::nullopt;
        };
        const auto end = job.run(3);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 3);
        QCOMPARE(job.models.calls.load(), 4);
        job.models.failure = [](std::int64_t) {
            return std::optional(Error{Reason::ComputeOom, "out of memory", {}, {}});
        };
        job.newJob();
        const auto again = job.run(3);
        QCOMPARE(again->items[TaskState::Failed], 3);
        QCOMPARE(job.models.calls.load(), 10);
    }

    void anAnswerThatIsNoJsonFailsItsItem()
    {
        JobBench job;
        job.load(kAnswers);
        job.api.answer = [](const TaskKey& task) -> Result<ApiAnswer> {
            ApiAnswer answer;
            answer.body = task.item.value() == 2 ? "{oops" : R"({"text":"fine"})";
            return answer;
        };
        const auto end = job.run(5);
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Failed], 1);
        QCOMPARE(job.reader()->item(ItemIndex(2)).value()->reason, std::optional(Reason::ProviderBadOutput));
    }

    void itemsThatOnlyWaitAreParkedAndComeBack()
    {
        JobBench job;
        job.settings.activeItems = 16;
        job.load(R"(steps:
  a: { op: test.step, inputs: { n: $item.n } }
  t: { api: text, prompt: "{{a.value}}" }
  z: { op: test.step, inputs: { a: $a.value, b: $t.text } }
  y: { op: test.step, inputs: { a: $z.value, n: $item.n } }
)");
        constexpr std::int64_t kItems = 1000;
        job.api.hold();
        job.start(kItems);
        std::thread provider([&] {
            job.api.waitForCalls(kItems); // far more than may be active
            job.api.release();
        });
        const auto end = job.finish();
        provider.join();
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], kItems);
        QVERIFY(end->recomputed >= kItems - 16); // what a gave went when its item was parked
        QVERIFY(job.items->readAgain.load() >= kItems - 16);
    }

    void aDeadProviderStarvesNobody()
    {
        JobBench job;
        job.settings.activeItems = 8;
        job.load(R"(steps:
  t: { api: text, when: { less: [$item.n, 100] }, prompt: "{{item.sku}}" }
  z: { op: test.step, inputs: { n: $item.n } }
)");
        job.api.hold();
        job.start(500);
        std::thread provider([&] {
            job.api.waitForCalls(100);
            while (job.live->snapshot().items[TaskState::Succeeded] < 400) std::this_thread::yield();
            job.api.release();
        });
        const auto end = job.finish();
        provider.join();
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 500);
    }

    void aBoundOnCallingItemsHoldsUntilTheirLastCallIsSent()
    {
        for (const bool laneTells : {true, false}) {
            JobBench job;
            job.settings.callingItems = 3;
            job.settings.stepLag = 4;
            job.load("steps:\n  a: { api: text, prompt: \"One {{item.sku}}\" }\n"
                     "  b: { api: text, prompt: \"Two {{a.text}}\" }\n"
                     "  c: { op: test.size, optional: true, inputs: { values: $b.text } }\n");
            std::mutex mutex;
            std::set<std::int64_t> calling;
            std::size_t most = 0;
            bool inTurn = true;
            job.api.seen = [&](const ApiCall& call) {
                const std::lock_guard lock(mutex);
                inTurn = inTurn && call.turn == call.task.item.value() + 4 * call.task.step.value();
                if (call.task.step.value() == 0) calling.insert(call.task.item.value());
                most = std::max(most, calling.size());
                if (call.task.step.value() == 1) calling.erase(call.task.item.value());
                if (laneTells) call.onSent();
            };
            const auto end = job.run(40);
            QVERIFY(end);
            QCOMPARE(job.api.calls.load(), 80);
            QVERIFY(inTurn);
            QVERIFY2(most >= 1 && most <= 3, qPrintable(QString::number(most)));
        }
    }

    void longOpsKeepNoCallWaiting()
    {
        JobBench job;
        job.settings.cores = 1;
        job.load("steps:\n  a: { api: text, prompt: \"One {{item.sku}}\" }\n"
                 "  g: { op: test.gate, inputs: { n: $item.n }, needs: [a] }\n"
                 "  b: { api: text, prompt: \"Two {{a.text}}\" }\n");
        probe().gateOpen = false;
        job.start(5);
        std::thread viewer([&] {
            probe().waitForGate(1);
            job.api.waitForCalls(10); // every second call, although the only core is taken
            probe().openGate();
        });
        const auto end = job.finish();
        viewer.join();
        QVERIFY(end);
        QCOMPARE(end->items[TaskState::Succeeded], 5);
        QCOMPARE(probe().count.load(), 5);
    }
};

QTEST_GUILESS_MAIN(LanesTest)
#include "lanes_test.moc"
