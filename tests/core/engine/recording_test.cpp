#include "core/engine/calls/attempt_recorder.h"
#include "core/engine/calls/waiting_calls.h"

#include "core/api/protocols/protocol.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace aiflow;

class RecordingTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_base;
    ManualClock m_clock;
    int m_jobs = 0;

    struct Job {
        std::filesystem::path folder;
        std::unique_ptr<ArtifactStore> artifacts;
        std::unique_ptr<Journal> journal;
        std::shared_ptr<AttemptRecorder> recorder;
        std::unique_ptr<JournalReader> reader() const { return std::move(*JournalReader::open(folder / "journal.db")); }
    };

    Job open(const std::filesystem::path& folder)
    {
        Job job{folder, std::move(*ArtifactStore::open(folder / "artifacts", systemFiles())),
                std::move(*Journal::open(folder / "journal.db", {})), nullptr};
        job.recorder = *AttemptRecorder::open(*job.journal, *job.reader(), *job.artifacts, m_clock, folder / "spool");
        return job;
    }

    std::filesystem::path newFolder()
    {
        const auto folder = std::filesystem::path(m_base.path().toStdString()) / std::to_string(m_jobs++);
        std::filesystem::create_directories(folder);
        return folder;
    }

    static TaskKey task(std::int64_t item) { return {ItemIndex(item), StepIndex(1), -1}; }

    static AttemptIntent intent(const std::string& id, std::int64_t item, double reserved = 0.05)
    {
        return {id, task(item), 1, "svc", "model", "svc/main", "request", "key-" + id, {nanosOf(reserved), "USD"}};
    }

    static AttemptReport answered(const std::string& id, std::int64_t item)
    {
        AttemptReport report;
        report.attempt = id;
        report.task = task(item);
        report.outcome = AttemptOutcome::Responded;
        report.cost = {nanosOf(0.02), "USD"};
        report.usage.inputTokens = 7;
        report.status = 200;
        report.requestId = "req-1";
        report.body = "{\"text\":\"hello\"}";
        return report;
    }

    // The callbacks of a lane that goes on whatever happens; counts what was said to be durable.
    CallRecorder::WhenDurable note()
    {
        return [this](const Result<void>& done) { m_durable += done ? 1 : 0; };
    }
    std::atomic<int> m_durable{0};

private Q_SLOTS:
    void init() { m_durable = 0; }

    void whatIsSaidToBeDurableIsThereForANewProcess()
    {
        const Job job = open(newFolder());
        std::atomic<bool> seen{false};
        job.recorder->intend(intent("a1", 1), [&](const Result<void>& done) {
            seen = done && job.reader()->attemptsOf(task(1))->size() == 1;
        });
        QTRY_VERIFY(seen);
        job.recorder->remoteId("a1", task(1), "job-9", note());
        job.recorder->ended(answered("a1", 1), note());
        QTRY_COMPARE(m_durable.load(), 2);
        const auto record = job.reader()->attemptsOf(task(1))->front();
        QCOMPARE(record.state, AttemptState::Responded);
        QCOMPARE(record.remoteId, std::string("job-9"));
        QCOMPARE(record.account, std::string("svc/main"));
        QCOMPARE(record.body, answered("a1", 1).body);
        QCOMPARE(nanosOf(record.actualCost).count(), nanosOf(0.02).count());
    }

    void callsThatWereOpenComeBackWithTheirTaskOnce()
    {
        const auto folder = newFolder();
        {
            const Job job = open(folder);
            job.recorder->intend(intent("a1", 1), note());
            job.recorder->intend(intent("a2", 2), note());
            job.recorder->intend(intent("a3", 3, 0.25), note());
            job.recorder->intend(intent("a4", 4), note());
            job.recorder->ended(answered("a1", 1), note());
            job.recorder->remoteId("a2", task(2), "job-2", note());
            AttemptReport refused = answered("a4", 4);
            refused.outcome = AttemptOutcome::Rejected;
            job.recorder->ended(refused, note());
            QVERIFY(job.journal->flush());
        }
        m_clock.advance(std::chrono::seconds(90));
        const Job job = open(folder);
        QCOMPARE(job.recorder->earlier().answered, 1);
        QCOMPARE(job.recorder->earlier().resumable, 1);
        QCOMPARE(job.recorder->earlier().unknown, 1);
        QCOMPARE(job.recorder->earlier().atRisk.at("USD").count(), nanosOf(0.25).count());
        const auto first = job.recorder->take(task(1));
        QCOMPARE(first.size(), std::size_t{1});
        QVERIFY(first[0].answered.has_value());
        QCOMPARE(first[0].answered->body, answered("a1", 1).body);
        QCOMPARE(first[0].answered->usage.inputTokens, 7);
        QCOMPARE(first[0].answered->requestId, std::string("req-1"));
        QCOMPARE(first[0].ageMs, 90'000);
        QCOMPARE(job.recorder->take(task(2))[0].remoteId, std::string("job-2"));
        QCOMPARE(job.recorder->take(task(3))[0].intent.idempotencyKey, std::string("key-a3"));
        QVERIFY(job.recorder->take(task(1)).empty());
        QVERIFY(job.recorder->take(task(4)).empty());
        // What may have been paid counts: 0.02 answered, 0.05 and 0.25 open; the refused one said what it cost.
        QCOMPARE(job.reader()->spentNanos()->at("USD"), nanosOf(0.34).count());
    }

    void unknownOutcomeIsAskedForAgainUnlessSomebodyDecided()
    {
        const auto folder = newFolder();
        {
            const Job job = open(folder);
            AttemptReport cut = answered("a1", 1);
            cut.outcome = AttemptOutcome::Unknown;
            job.recorder->intend(intent("a1", 1), note());
            job.recorder->ended(cut, note());
            cut = answered("a2", 2);
            cut.outcome = AttemptOutcome::Unknown;
            job.recorder->intend(intent("a2", 2), note());
            job.recorder->ended(cut, note());
            TaskEnded failed;
            failed.task = task(2);
            failed.state = TaskState::Failed;
            job.journal->write(failed);
            QVERIFY(job.journal->flush());
        }
        const Job job = open(folder);
        QCOMPARE(job.recorder->take(task(1)).size(), std::size_t{1});
        QVERIFY(job.recorder->take(task(2)).empty());
    }

    void largeAnswerStaysInTheSpoolUntilItsTaskIsCommitted()
    {
        const auto folder = newFolder();
        const auto spooled = folder / "spool" / "a1.answer";
        {
            const Job job = open(folder);
            std::ofstream(spooled) << "a long answer";
            std::ofstream(folder / "spool" / "gone.0.bin") << "of a call that nobody remembers";
            AttemptReport report = answered("a1", 1);
            report.body.clear();
            report.bodyFile = spooled;
            job.recorder->intend(intent("a1", 1), note());
            job.recorder->ended(report, note());
            QTRY_COMPARE(m_durable.load(), 2);
        }
        const Job job = open(folder);
        QVERIFY(std::filesystem::exists(spooled));
        QVERIFY(!std::filesystem::exists(folder / "spool" / "gone.0.bin"));
        QVERIFY(job.recorder->take(task(1))[0].answered->bodyFile == spooled);
        job.recorder->committed(task(1));
        QVERIFY(!std::filesystem::exists(spooled));
    }

    void answerOfAFailedAttemptIsKeptForPeople()
    {
        const auto folder = newFolder();
        {
            const Job job = open(folder);
            std::ofstream(folder / "spool" / "a1.answer") << "nonsense";
            AttemptReport report = answered("a1", 1);
            report.outcome = AttemptOutcome::Failed;
            report.failure = "misfit";
            report.body.clear();
            report.bodyFile = folder / "spool" / "a1.answer";
            job.recorder->intend(intent("a1", 1), note());
            job.recorder->ended(report, note());
            QTRY_COMPARE(m_durable.load(), 2);
        }
        const Job job = open(folder);
        QVERIFY(std::filesystem::exists(folder / "spool" / "a1.kept"));
        QCOMPARE(job.reader()->attemptsOf(task(1))->front().bodyFile, std::string("a1.kept"));
    }

    void requestsReadTheirFilesFromPacksAndFilesAlike()
    {
        const Job job = open(newFolder());
        for (const std::size_t size : {std::size_t{100}, std::size_t{300'000}}) {
            const std::vector<std::byte> bytes(size, std::byte{42});
            const auto artifact = job.artifacts->put("image/png", bytes);
            auto body = job.recorder->openFile({artifact->hash.hex(), "image/png", artifact->size});
            QVERIFY(body);
            QCOMPARE((*body)->size(), artifact->size);
            std::vector<std::byte> all, piece(70'000);
            for (std::size_t got = 1; got > 0;) {
                got = *(*body)->read(piece);
                all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
            }
            QVERIFY(all == bytes);
        }
        QCOMPARE(job.recorder->openFile({sha256("none").hex(), "", 1}).error().reason, Reason::InputFileBad);
    }

    void heldBackCallsShowAsWaitingUntilTheyComeBack()
    {
        LiveIdentity identity;
        identity.job = "j";
        identity.total = 2;
        identity.steps = {{"a", {}, {}, "op", "x"}, {"b", {}, {}, "api", "text"}};
        const auto live = LiveJob::create(std::move(identity), m_clock, {});
        for (int item = 0; item < 2; ++item) {
            live->itemMoved(TaskState::Queued, TaskState::Running);
            live->taskMoved(StepIndex(1), TaskState::Queued, TaskState::Running);
        }
        WaitingCalls waiting(*live);
        const auto hold = [&](std::int64_t item, std::int32_t element, bool held) {
            ApiWaiting told;
            told.task = {ItemIndex(item), StepIndex(1), element};
            told.waiting = held;
            told.detail = "svc paused: 503";
            waiting.changed(told);
        };
        const auto count = [&] {
            const JobSnapshot now = live->snapshot();
            return std::pair(now.items[TaskState::Waiting], now.steps[1].counts[TaskState::Waiting]);
        };
        hold(0, 0, true);
        hold(0, 1, true);
        hold(0, 1, true); // told again
        QCOMPARE(count(), std::pair(std::int64_t{1}, std::int64_t{1}));
        QCOMPARE(live->snapshot().steps[1].note, std::string("svc paused: 503"));
        hold(1, -1, true);
        QCOMPARE(count(), std::pair(std::int64_t{2}, std::int64_t{2}));
        hold(0, 0, false);
        QCOMPARE(count(), std::pair(std::int64_t{2}, std::int64_t{2}));
        waiting.ended({ItemIndex(0), StepIndex(1), 1});
        QCOMPARE(count(), std::pair(std::int64_t{1}, std::int64_t{1}));
        waiting.ended({ItemIndex(1), StepIndex(1), -1});
        waiting.ended({ItemIndex(1), StepIndex(1), -1});
        QCOMPARE(count(), std::pair(std::int64_t{0}, std::int64_t{0}));
        QCOMPARE(live->snapshot().steps[1].note, std::string());
    }
};

QTEST_GUILESS_MAIN(RecordingTest)
#include "recording_test.moc"
