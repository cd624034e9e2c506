#include "core/live/live_job.h"

#include "aiflow/job_event.h"
#include "core/base/json.h"

#include <algorithm>
#include <atomic>
#include <QTest>
#include <random>
#include <thread>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

LiveIdentity identityOf(std::int64_t total, int steps = 3)
{
    LiveIdentity identity;
    identity.job = "7f3a9c";
    identity.input = "products.csv";
    identity.total = total;
    for (int i = 0; i < steps; ++i) {
        LiveStep step;
        step.name = "step" + std::to_string(i);
        step.kind = "op";
        identity.steps.push_back(step);
    }
    return identity;
}

bool sumsAreRight(const JobSnapshot& snapshot, std::int64_t total)
{
    bool right = snapshot.total == total && snapshot.items.total() == total;
    for (const StepSnapshot& step : snapshot.steps) right = right && step.counts.total() == total;
    return right;
}

ItemOutcome failureOf(const std::string& id, const std::string& message)
{
    ItemOutcome outcome;
    outcome.id = id;
    outcome.state = TaskState::Failed;
    outcome.reason = Reason::InputImageMissing;
    outcome.step = "step0";
    outcome.message = message;
    return outcome;
}

} // namespace

class LiveJobTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyPrefixOfRandomMovesAddsUp()
    {
        ManualClock clock;
        std::mt19937 random(20261122);
        constexpr std::int64_t kItems = 50;
        const auto job = LiveJob::create(identityOf(kItems), clock, {});
        std::vector<TaskState> items(kItems, TaskState::Queued);
        std::vector<std::vector<TaskState>> steps(3, items);
        std::int64_t total = kItems;
        for (int move = 0; move < 20'000; ++move) {
            clock.advance(std::chrono::milliseconds(random() % 50));
            const auto to = static_cast<TaskState>(random() % kTaskStateCount);
            auto& of = random() % 2 == 0 ? items : steps[random() % 3];
            TaskState& state = of[random() % of.size()];
            if (&of == &items) {
                job->itemMoved(state, to);
            } else {
                const auto step = static_cast<std::int32_t>(&of - steps.data());
                job->taskMoved(StepIndex{step}, state, to);
            }
            state = to;
            if (move == 10'000) {
                total += 7;
                job->setTotal(total);
            }
            QVERIFY(sumsAreRight(job->snapshot(), total));
        }
        const JobSnapshot end = job->snapshot();
        for (std::size_t i = 1; i < kTaskStateCount; ++i) {
            const auto state = static_cast<TaskState>(i);
            QCOMPARE(end.items[state], static_cast<std::int64_t>(std::ranges::count(items, state)));
        }
    }

    void concurrentMovesLoseNothing()
    {
        const SystemClock clock;
        constexpr std::int64_t kEach = 5'000;
        std::vector<EventLine> written;
        const auto job =
            LiveJob::create(identityOf(4 * kEach), clock, [&](const EventLine& line) { written.push_back(line); });
        std::atomic<bool> wrong{false};
        const auto work = [&] {
            for (std::int64_t i = 0; i < kEach; ++i) {
                job->itemMoved(TaskState::Queued, TaskState::Running);
                job->taskMoved(StepIndex{1}, TaskState::Queued, TaskState::Running);
                job->taskWorked(StepIndex{1}, 5us);
                job->taskMoved(StepIndex{1}, TaskState::Running, TaskState::Succeeded);
                job->itemMoved(TaskState::Running, TaskState::Succeeded);
                job->itemFinished({});
                if (i % 500 == 0 && !sumsAreRight(job->snapshot(), 4 * kEach)) wrong = true;
            }
        };
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 4; ++i) threads.emplace_back(work);
        }
        QVERIFY(!wrong);
        QCOMPARE(job->snapshot().items[TaskState::Succeeded], 4 * kEach);
        QCOMPARE(job->snapshot().lastSeq, 4 * kEach);
        QCOMPARE(static_cast<std::int64_t>(written.size()), 4 * kEach);
        for (std::size_t i = 0; i < written.size(); ++i) QCOMPARE(written[i].seq, static_cast<std::int64_t>(i) + 1);
    }

    void anItemsEndGoesToWhoeverKeepsItInsteadOfTheWriter()
    {
        ManualClock clock;
        std::vector<EventLine> written, kept, heard;
        const auto job = LiveJob::create(identityOf(3), clock, [&](const EventLine& line) { written.push_back(line); });
        const auto listening = job->subscribe([&](const EventLine& line) {
            QVERIFY(written.size() + kept.size() > heard.size());
            heard.push_back(line);
        });
        job->itemFinished({}, [&](const EventLine& line) { kept.push_back(line); });
        job->itemFinished({});
        QCOMPARE(kept.size(), 1U);
        QCOMPARE(written.size(), 1U);
        QCOMPARE(heard.size(), 2U);
        QCOMPARE(kept.front().seq + 1, written.front().seq);
        QCOMPARE(kept.front().type, std::string("item_finished"));
    }

    void aPausedProviderIsShownWithItsCountdownUntilItIsBack()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(3), clock, {});
        job->providerPaused("imagehub", Reason::ProviderOutage, "503", toIso8601(clock.wall() + 30s));
        job->providerPaused("openai", Reason::ProviderQuota, "", "");
        clock.advance(24s);
        auto pauses = job->snapshot().pauses;
        QCOMPARE(pauses.size(), std::size_t{2});
        QCOMPARE(pauses[0].provider, std::string("imagehub"));
        QCOMPARE(pauses[0].since, std::chrono::milliseconds(24s));
        QCOMPARE(pauses[0].probe, std::optional(6s));
        QCOMPARE(pauses[1].reason, Reason::ProviderQuota);
        QVERIFY(!pauses[1].probe);
        // A probe failed: the pause goes on, with a new time.
        job->providerPaused("imagehub", Reason::ProviderOutage, "502", toIso8601(clock.wall() + 60s));
        pauses = job->snapshot().pauses;
        QCOMPARE(pauses[0].detail, std::string("502"));
        QCOMPARE(pauses[0].since, std::chrono::milliseconds(24s));
        QCOMPARE(pauses[0].probe, std::optional(60s));
        job->providerResumed("imagehub");
        job->providerResumed("openai");
        QVERIFY(job->snapshot().pauses.empty());
    }

    void accountsAreAskedForEverySnapshot()
    {
        ManualClock clock;
        LiveIdentity identity = identityOf(3);
        identity.budget = {60, "CNY"};
        const auto job = LiveJob::create(identity, clock, {});
        std::int64_t sent = 0;
        job->watchAccounts([&] { return std::vector<AccountSnapshot>{{"qwen", "qwen/main", "ok", 1, ++sent, 180}}; });
        QCOMPARE(job->snapshot().accounts.at(0).sentInMinute, 1);
        QCOMPARE(job->snapshot().accounts.at(0).sentInMinute, 2);
        QCOMPARE(job->snapshot().budget.amount, 60.0);
    }

    void aResumedJobCostsWhatItsEarlierProcessesSpentToo()
    {
        ManualClock clock;
        LiveIdentity identity = identityOf(3);
        identity.spent = {1.5, "USD"};
        const auto job = LiveJob::create(identity, clock, {});
        job->spent(StepIndex(0), {0.25, "USD"});
        QCOMPARE(job->snapshot().cost.amount, 1.75);
        QCOMPARE(job->snapshot().cost.currency, std::string("USD"));
    }

    void numbersHaveNoGapAndGoOnAfterAResume()
    {
        ManualClock clock;
        LiveIdentity identity = identityOf(10);
        identity.firstSeq = 101;
        std::vector<EventLine> written;
        const auto job = LiveJob::create(identity, clock, [&](const EventLine& line) { written.push_back(line); });
        QCOMPARE(job->snapshot().lastSeq, 100);
        job->jobStarted(4);
        job->providerPaused("imagehub", Reason::ProviderOutage, "503 x20", "soon");
        clock.advance(91s);
        job->providerResumed("imagehub");
        job->jobPaused("you", "lunch");
        job->jobResumed("you");
        job->taskFinished({});
        job->itemFinished(failureOf("SKU-1", "images/1.jpg not found"));
        job->jobFinished(JobState::Partial, 3);
        const std::vector<std::string> types{"job_started", "provider_paused", "provider_resumed", "job_paused",
                                             "job_resumed", "task_finished",   "item_finished",    "job_finished"};
        QCOMPARE(written.size(), types.size());
        for (std::size_t i = 0; i < written.size(); ++i) {
            const auto event = eventFromJson(written[i].json);
            QVERIFY(event.has_value());
            QCOMPARE(event->seq, 101 + static_cast<std::int64_t>(i));
            QCOMPARE(event->seq, written[i].seq);
            QCOMPARE(event->type, types[i]);
            QCOMPARE(written[i].type, types[i]);
        }
        QCOMPARE(eventFromJson(written[2].json)->after.count(), 91'000);
        QCOMPARE(eventFromJson(written[7].json)->exitCode, std::optional<int>(3));
        QVERIFY(written[7].json.find(R"("groups":[{"reason":"input.image_missing","step":"step0")") !=
                std::string::npos);
    }

    void hostileTextStaysOneValidJsonLine()
    {
        ManualClock clock;
        std::string json;
        const auto job = LiveJob::create(identityOf(1), clock, [&](const EventLine& line) { json = line.json; });
        std::string message = "quote \" back \\ line\nreturn\r tab\t bell\a nul";
        message += '\0';
        message += " 商品 \xFF\xC3 \xF0\x9F\x8E\x81";
        job->itemFinished(failureOf("SKU \"9\"", message));
        QVERIFY(json.find('\n') == std::string::npos);
        const auto tree = parseJson(json);
        QVERIFY(tree.has_value());
        QCOMPARE((*tree)["item"].get<std::string>(), std::string("SKU \"9\""));
        const auto text = (*tree)["message"].get<std::string>();
        QVERIFY(text.starts_with("quote \" back \\ line\nreturn\r tab\t bell\a nul"));
        QVERIFY(text.ends_with(" 商品 \uFFFD\uFFFD \xF0\x9F\x8E\x81"));
    }

    void failuresOfOneKindAreOneGroupWithFiveSamples()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(20), clock, {});
        for (int i = 0; i < 8; ++i) {
            const std::string number = std::to_string(i);
            job->itemFinished(failureOf("SKU-" + number, "images/" + number + ".jpg not found"));
        }
        const auto groups = job->snapshot().failures;
        QCOMPARE(groups.size(), std::size_t{1});
        QCOMPARE(groups[0].count, 8);
        QCOMPARE(groups[0].sampleItems.size(), std::size_t{5});
        QCOMPARE(groups[0].sampleMessage, std::string("images/0.jpg not found"));
    }

    void reusedItemsCountAtOnceAndAreNoSpeed()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(10), clock, {});
        const std::vector<TaskState> steps(3, TaskState::Cached);
        for (int i = 0; i < 8; ++i) job->itemRestored(TaskState::Cached, steps);
        clock.advance(30s);
        const JobSnapshot snapshot = job->snapshot();
        QVERIFY(sumsAreRight(snapshot, 10));
        QCOMPARE(snapshot.items[TaskState::Cached], 8);
        QCOMPARE(snapshot.steps[2].counts[TaskState::Cached], 8);
        QCOMPARE(snapshot.steps[2].ratePerSecond, 0.0);
        QVERIFY(!snapshot.eta);
    }

    void aCutSubscriptionHearsNothingMore()
    {
        ManualClock clock;
        int heard = 0;
        Subscription subscription;
        {
            const auto job = LiveJob::create(identityOf(1), clock, {});
            subscription = job->subscribe([&](const EventLine&) { ++heard; });
            job->jobStarted(0);
            subscription.reset();
            job->itemFinished({});
            subscription = job->subscribe([&](const EventLine&) { ++heard; });
        }
        QCOMPARE(heard, 1); // and cutting after the job is gone does no harm
    }

    void aWakeComesOnceWithTheNextChange()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(2), clock, {});
        int wakes = 0;
        const std::uint64_t seen = job->revision();
        job->wakeAfter(seen, [&] { ++wakes; });
        QCOMPARE(wakes, 0);
        job->taskMoved(StepIndex{0}, TaskState::Queued, TaskState::Running);
        job->taskMoved(StepIndex{1}, TaskState::Queued, TaskState::Running);
        QCOMPARE(wakes, 1);
        job->wakeAfter(seen, [&] { ++wakes; });
        QCOMPARE(wakes, 2);
    }

    void progressIsNotNumbered()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(4), clock, {});
        job->itemMoved(TaskState::Queued, TaskState::Failed);
        job->spent(StepIndex{0}, {0.1, "CNY"});
        job->spent(StepIndex{0}, {0.2, "CNY"});
        const EventLine line = job->progress();
        QCOMPARE(line.seq, 0);
        const auto event = eventFromJson(line.json);
        QVERIFY(event.has_value());
        QCOMPARE(event->type, std::string("progress"));
        QCOMPARE(event->done, 1);
        QCOMPARE(event->failed, 1);
        QCOMPARE(event->total, 4);
        QVERIFY(line.json.find(R"("amount":0.3,)") != std::string::npos);
        QVERIFY(line.json.find("\"seq\"") == std::string::npos);
    }

    void aFinishedJobStandsStill()
    {
        ManualClock clock;
        const auto job = LiveJob::create(identityOf(1), clock, {});
        clock.advance(5s);
        job->itemMoved(TaskState::Queued, TaskState::Succeeded);
        job->jobFinished(JobState::Succeeded, 0);
        clock.advance(1h);
        const JobSnapshot snapshot = job->snapshot();
        QCOMPARE(snapshot.state, JobState::Succeeded);
        QCOMPARE(snapshot.elapsed, std::chrono::milliseconds(5'000));
        QCOMPARE(snapshot.exitCode, std::optional<int>(0));
        QVERIFY(!snapshot.eta);
        QVERIFY(!snapshot.endedAt.empty());
    }
};

QTEST_GUILESS_MAIN(LiveJobTest)
#include "live_job_test.moc"
