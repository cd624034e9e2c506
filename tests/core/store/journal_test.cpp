#include "core/store/journal.h"

#include <atomic>
#include <future>
#include <QtTest>
#include <sys/stat.h>
#include <thread>

using namespace aiflow;

class JournalTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_files = 0;

    std::filesystem::path newFile()
    {
        return std::filesystem::path(m_folder.path().toStdString()) / ("journal" + std::to_string(++m_files) + ".db");
    }

    static std::unique_ptr<Journal> open(const std::filesystem::path& file, Journal::Settings settings = {})
    {
        auto journal = Journal::open(file, settings);
        if (!journal) qFatal("%s", journal.error().text().c_str());
        return std::move(*journal);
    }

    static std::unique_ptr<JournalReader> read(const std::filesystem::path& file)
    {
        auto reader = JournalReader::open(file);
        if (!reader) qFatal("%s", reader.error().text().c_str());
        return std::move(*reader);
    }

    static ItemAdmitted admitted(std::int64_t item)
    {
        return {
            ItemIndex(item), "SKU-" + std::to_string(item), item + 2, item * 100, 100, "Title " + std::to_string(item)};
    }

    static ItemProgress progress(std::int64_t item, TaskState state)
    {
        ItemProgress p;
        p.item = ItemIndex(item);
        p.state = state;
        p.steps = {TaskState::Succeeded, state};
        p.worked = std::chrono::microseconds(1500);
        p.cost = 0.25;
        p.endedAt = WallTime(std::chrono::seconds(1'700'000'000));
        return p;
    }

    static ItemProgress failed(std::int64_t item, Reason reason, std::string message)
    {
        ItemProgress p = progress(item, TaskState::Failed);
        p.reason = reason;
        p.failedStep = StepIndex(1);
        p.message = std::move(message);
        return p;
    }

    static AttemptRecord attempt(const std::string& id, AttemptState state)
    {
        AttemptRecord a;
        a.attemptId = id;
        a.task = {ItemIndex(3), StepIndex(1), -1};
        a.state = state;
        a.at = WallTime(std::chrono::seconds(5));
        return a;
    }

private Q_SLOTS:
    void whatIsWrittenIsReadBack()
    {
        const auto file = newFile();
        auto journal = open(file);
        journal->write(admitted(7));
        journal->write(failed(7, Reason::InputImageMissing, "images/7.jpg not found"));
        TaskEnded task;
        task.task = {ItemIndex(7), StepIndex(1), 2};
        task.state = TaskState::Failed;
        task.reason = Reason::ProviderOutage;
        task.message = "银行 \"quoted\"";
        task.attempts = 3;
        task.startedAt = WallTime(std::chrono::microseconds(1'234'567));
        task.waited = std::chrono::microseconds(11);
        task.worked = std::chrono::microseconds(22);
        task.outputs = {{"image", {sha256("a"), "image/png", 5}}, {"", {sha256("b"), "", 1'000'000'000'000}}};
        task.provenance = "{\"model\":\"m\"}";
        task.cost = 0.125;
        task.currency = "CNY";
        journal->write(task);
        journal->write(JobField{"state", "running"});
        journal->write(JobField{"state", "paused"});
        journal->write(EventRecord{1, "{\"v\":1}"});
        QVERIFY(journal->flush());

        auto reader = journal->reader();
        QVERIFY(reader);
        const auto item = (*reader)->item(ItemIndex(7));
        QVERIFY(item && *item);
        QCOMPARE((*item)->id, std::string("SKU-7"));
        QCOMPARE((*item)->line, std::int64_t{9});
        QCOMPARE((*item)->byteOffset, std::int64_t{700});
        QCOMPARE((*item)->title, std::string("Title 7"));
        QCOMPARE((*item)->state, TaskState::Failed);
        QCOMPARE((*item)->steps, (std::vector{TaskState::Succeeded, TaskState::Failed}));
        QCOMPARE(*(*item)->reason, Reason::InputImageMissing);
        QCOMPARE((*item)->failedStep->value(), 1);
        QCOMPARE((*item)->message, std::string("images/7.jpg not found"));
        QCOMPARE((*item)->worked.count(), 1500);
        QCOMPARE((*item)->cost, 0.25);
        const auto tasks = (*reader)->tasksOf(ItemIndex(7));
        QVERIFY(tasks);
        QCOMPARE(tasks->size(), std::size_t{1});
        const TaskEnded& got = tasks->front();
        QVERIFY(got.task == task.task);
        QCOMPARE(*got.reason, Reason::ProviderOutage);
        QCOMPARE(got.message, task.message);
        QCOMPARE(got.attempts, 3);
        QVERIFY(got.startedAt == task.startedAt && got.waited == task.waited && got.worked == task.worked);
        QCOMPARE(got.outputs.size(), std::size_t{2});
        QCOMPARE(got.outputs[0].port, std::string("image"));
        QVERIFY(got.outputs[0].artifact.hash == sha256("a"));
        QCOMPARE(got.outputs[0].artifact.mediaType, std::string("image/png"));
        QCOMPARE(got.outputs[1].artifact.size, std::int64_t{1'000'000'000'000});
        QCOMPARE(got.provenance, task.provenance);
        QCOMPARE(got.currency, task.currency);
        QCOMPARE(*(*reader)->field("state").value(), std::string("paused"));
        QVERIFY(!(*reader)->field("nothing").value());
        QVERIFY(!(*reader)->item(ItemIndex(8)).value());
        QCOMPARE((*reader)->events(1, 10)->front().json, std::string("{\"v\":1}"));
        QCOMPARE(*(*reader)->lastEventSeq(), std::int64_t{1});
    }

    void fileIsForThisUserAlone()
    {
        const auto file = newFile();
        auto journal = open(file);
        journal->write(JobField{"a", "b"});
        QVERIFY(journal->flush());
        for (const char* ending : {"", "-wal"}) {
            struct stat s {};
            QCOMPARE(::stat((file.string() + ending).c_str(), &s), 0);
            QCOMPARE(s.st_mode & 0777U, 0600U);
        }
    }

    void lastOfSeveralProgressesOfAnItemWins()
    {
        const auto file = newFile();
        auto journal = open(file);
        std::vector<JournalRecord> records;
        for (int round = 0; round < 3; ++round) {
            for (int item = 0; item < 50; ++item) {
                if (round == 0) records.emplace_back(admitted(item));
                records.emplace_back(progress(item, round < 2 ? TaskState::Running : TaskState::Succeeded));
            }
        }
        journal->write(std::move(records));
        QVERIFY(journal->flush());
        const auto counts = read(file)->itemCounts();
        QVERIFY(counts);
        QCOMPARE((*counts)[TaskState::Succeeded], 50);
        QCOMPARE(counts->total(), 50);
    }

    void progressOfAnItemThatWasNotAdmittedIsKept()
    {
        const auto file = newFile();
        auto journal = open(file);
        journal->write(progress(5, TaskState::Cached));
        journal->write(admitted(5));
        QVERIFY(journal->flush());
        const auto item = read(file)->item(ItemIndex(5)).value();
        QVERIFY(item);
        QCOMPARE(item->state, TaskState::Cached);
        QCOMPARE(item->id, std::string("SKU-5"));
    }

    void callbacksComeInOrderAfterTheirCommit()
    {
        const auto file = newFile();
        auto journal = open(file);
        auto reader = read(file);
        std::vector<int> order;
        std::atomic<int> absent{0};
        for (int i = 0; i < 200; ++i) {
            journal->write(JobField{"n" + std::to_string(i), "x"}, [&, i](const Result<void>& outcome) {
                if (!outcome || !reader->field("n" + std::to_string(i)).value()) ++absent;
                order.push_back(i);
            });
        }
        QVERIFY(journal->flush());
        QCOMPARE(absent.load(), 0);
        QCOMPARE(order.size(), std::size_t{200});
        QVERIFY(std::ranges::is_sorted(order));
    }

    void emptyBatchIsCalledBackInItsTurn()
    {
        auto journal = open(newFile());
        int seen = 0;
        int atEmpty = -1;
        journal->write(JobField{"a", "1"}, [&](const Result<void>&) { ++seen; });
        journal->write(std::vector<JournalRecord>{}, [&](const Result<void>& outcome) {
            atEmpty = seen;
            QVERIFY(outcome);
        });
        QVERIFY(journal->flush());
        QCOMPARE(atEmpty, 1);
    }

    void batchLargerThanAGroupIsOneTransaction()
    {
        const auto file = newFile();
        auto journal = open(file);
        std::vector<JournalRecord> records;
        for (int i = 0; i < 10'000; ++i) records.emplace_back(EventRecord{i + 1, "{}"});
        std::int64_t seenAtCallback = 0;
        auto reader = read(file);
        journal->write(std::move(records),
                       [&](const Result<void>&) { seenAtCallback = reader->lastEventSeq().value_or(-1); });
        QVERIFY(journal->flush());
        QCOMPARE(seenAtCallback, std::int64_t{10'000});
    }

    void manySendersLoseNothing()
    {
        const auto file = newFile();
        {
            auto journal = open(file);
            std::vector<std::thread> senders;
            for (int sender = 0; sender < 4; ++sender) {
                senders.emplace_back([&journal, sender] {
                    for (int i = 0; i < 2000; ++i) {
                        const std::int64_t item = sender * 2000 + i;
                        journal->write(admitted(item));
                        journal->write({progress(item, TaskState::Succeeded), EventRecord{item + 1, "{}"}});
                    }
                });
            }
            for (auto& sender : senders) sender.join();
        }
        auto reader = read(file);
        QCOMPARE((*reader->itemCounts())[TaskState::Succeeded], 8000);
        QCOMPARE(reader->events(0, 100'000)->size(), std::size_t{8000});
    }

    void readerSeesWhatIsCommittedWhileTheWriterWrites()
    {
        const auto file = newFile();
        auto journal = open(file);
        std::promise<void> done;
        std::thread viewer([&file, stop = done.get_future()]() mutable {
            auto reader = read(file);
            std::int64_t last = 0;
            while (stop.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
                const auto seq = reader->lastEventSeq();
                QVERIFY(seq);
                QVERIFY(*seq >= last);
                last = *seq;
            }
        });
        for (int i = 0; i < 20'000; ++i) journal->write(EventRecord{i + 1, "{\"text\":\"an event\"}"});
        QVERIFY(journal->flush());
        done.set_value();
        viewer.join();
    }

    void itemsArePagedAndFiltered()
    {
        const auto file = newFile();
        auto journal = open(file);
        for (int i = 0; i < 100; ++i) {
            journal->write(admitted(i));
            if (i % 10 == 3)
                journal->write(failed(i, i < 50 ? Reason::InputImageBad : Reason::ProviderQuota, "x"));
            else
                journal->write(progress(i, TaskState::Succeeded));
        }
        QVERIFY(journal->flush());
        auto reader = read(file);
        ItemQuery query;
        query.from = ItemIndex(20);
        query.limit = 5;
        QCOMPARE(reader->items(query)->back().item.value(), std::int64_t{24});
        query.limit = 100;
        query.state = TaskState::Failed;
        QCOMPARE(reader->items(query)->size(), std::size_t{8});
        query.reason = Reason::ProviderQuota;
        QCOMPARE(reader->items(query)->size(), std::size_t{5});
    }

    void failuresAreGroupedByWhatTheyHaveInCommon()
    {
        const auto file = newFile();
        auto journal = open(file);
        for (int i = 0; i < 12; ++i)
            journal->write(failed(i, Reason::InputImageMissing, "images/" + std::to_string(i) + ".jpg not found"));
        for (int i = 20; i < 22; ++i) journal->write(failed(i, Reason::InputFieldMissing, "column 'title' is empty"));
        journal->write(progress(30, TaskState::Succeeded));
        QVERIFY(journal->flush());
        const auto groups = read(file)->failureGroups();
        QVERIFY(groups);
        QCOMPARE(groups->size(), std::size_t{2});
        const FailureGroup& first = groups->front();
        QCOMPARE(first.reason, Reason::InputImageMissing);
        QCOMPARE(first.count, std::int64_t{12});
        QCOMPARE(first.message, std::string("<path> not found"));
        QCOMPARE(first.sampleMessage, std::string("images/0.jpg not found"));
        QCOMPARE(first.step, std::string("1"));
        QCOMPARE(first.sampleItems.size(), std::size_t{5});
    }

    void latestRunOfATaskIsShown()
    {
        const auto file = newFile();
        auto journal = open(file);
        for (const int attempts : {1, 2, 5}) {
            TaskEnded task;
            task.task = {ItemIndex(1), StepIndex(0), -1};
            task.attempts = attempts;
            journal->write(task);
        }
        QVERIFY(journal->flush());
        const auto tasks = read(file)->tasksOf(ItemIndex(1));
        QCOMPARE(tasks->size(), std::size_t{1});
        QCOMPARE(tasks->front().attempts, 5);
    }

    void answersAreKeptUntilTheirTaskIsCommitted()
    {
        const auto file = newFile();
        auto journal = open(file);
        AttemptRecord first = attempt("a1", AttemptState::Responded);
        first.body = "{\"text\":\"a\"}";
        AttemptRecord second = attempt("a2", AttemptState::Responded);
        second.bodyFile = "a2.answer";
        second.number = 2;
        journal->write(first);
        journal->write(second);
        QVERIFY(journal->flush());
        auto reader = read(file);
        const auto found = *reader->openAttempts();
        QCOMPARE(found.size(), std::size_t{2});
        QCOMPARE(found[0].body, first.body);
        QCOMPARE(found[1].bodyFile, second.bodyFile);
        QCOMPARE(found[1].number, 2);
        TaskEnded ended;
        ended.task = first.task;
        ended.settlesAttempts = true;
        journal->write(ended);
        QVERIFY(journal->flush());
        QVERIFY(reader->openAttempts()->empty());
        const auto all = *reader->attemptsOf(first.task);
        for (const AttemptRecord& settled : all) {
            QCOMPARE(settled.state, AttemptState::Committed);
            QVERIFY(settled.body.empty() && settled.bodyFile.empty());
        }
    }

    void attemptThatAnsweredNeverOpensAgain()
    {
        const auto file = newFile();
        auto journal = open(file);
        AttemptRecord intent = attempt("a1", AttemptState::Intent);
        intent.provider = "imagehub";
        intent.idempotencyKey = "key-1";
        intent.reservedCost = 0.5;
        journal->write(intent);
        journal->write(attempt("a2", AttemptState::Intent));
        AttemptRecord responded = attempt("a1", AttemptState::Responded);
        responded.answer = sha256("answer");
        journal->write(responded);
        journal->write(attempt("a1", AttemptState::Unknown));
        journal->write(attempt("a1", AttemptState::Intent));
        QVERIFY(journal->flush());
        auto reader = read(file);
        QCOMPARE(reader->openAttempts()->size(), std::size_t{2});
        journal->write(attempt("a1", AttemptState::Committed));
        journal->write(attempt("a1", AttemptState::Failed));
        journal->write(attempt("a2", AttemptState::NotSent));
        QVERIFY(journal->flush());
        QCOMPARE(reader->openAttempts()->size(), std::size_t{0});
        const auto all = reader->attemptsOf({ItemIndex(3), StepIndex(1), -1});
        QCOMPARE(all->size(), std::size_t{2});
        QCOMPARE(all->front().state, AttemptState::Committed);
        QCOMPARE(all->front().provider, std::string("imagehub"));
        QCOMPARE(all->front().idempotencyKey, std::string("key-1"));
        QCOMPARE(all->front().reservedCost, 0.5);
        QVERIFY(*all->front().answer == sha256("answer"));
    }

    void eventThatIsWrittenTwiceStaysAsItWas()
    {
        const auto file = newFile();
        auto journal = open(file);
        journal->write(EventRecord{1, "first"});
        journal->write(EventRecord{1, "second"});
        QVERIFY(journal->flush());
        QCOMPARE(read(file)->events(0, 10)->front().json, std::string("first"));
    }

    void runWithoutJournalCallsBackAtOnce()
    {
        const auto file = newFile();
        Journal::Settings settings;
        settings.durable = false;
        auto journal = open(file, settings);
        bool called = false;
        journal->write(JobField{"a", "b"}, [&](const Result<void>& outcome) { called = outcome.has_value(); });
        QVERIFY(called);
        QVERIFY(journal->flush());
        QVERIFY(!std::filesystem::exists(file));
    }

    void absentJournalIsNotFound()
    {
        const auto reader = JournalReader::open(newFile());
        QVERIFY(!reader);
        QCOMPARE(reader.error().reason, Reason::JobNotFound);
    }

    void closedJournalLeavesAnEmptyLog()
    {
        const auto file = newFile();
        open(file)->write(JobField{"a", "b"});
        std::error_code none;
        const auto size = std::filesystem::file_size(file.string() + "-wal", none);
        QVERIFY(none || size == 0);
        QCOMPARE(*read(file)->field("a").value(), std::string("b"));
    }
};

QTEST_GUILESS_MAIN(JournalTest)
#include "journal_test.moc"
