#include "core/inference/batching_lane.h"
#include "tests/core/inference/fake_device.h"
#include "tests/core/inference/models_folder.h"

#include <algorithm>
#include <map>
#include <QtTest/QtTest>
#include <set>
#include <thread>

using namespace aiflow;

namespace {

// Collects answers by the item that they are for.
class Answers {
public:
    ModelDone forItem(int item)
    {
        return [this, item](Result<Values> values, ModelTiming timing) {
            const std::lock_guard lock(m_mutex);
            m_count[item] += 1;
            m_batch = std::max(m_batch, timing.batchSize);
            m_answers.insert_or_assign(item, std::move(values));
            m_changed.notify_all();
        };
    }
    void waitFor(std::size_t count)
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_answers.size() >= count; });
    }
    const Result<Values>& of(int item) const { return m_answers.at(item); }
    bool failedWith(int item, Reason reason) const { return !of(item) && of(item).error().reason == reason; }
    double number(int item) const { return of(item)->get("vector").json()->at(0).get<double>(); }
    bool eachOnce(std::size_t count) const
    {
        return m_count.size() == count &&
               std::ranges::all_of(m_count, [](const auto& entry) { return entry.second == 1; });
    }
    int largestBatch() const { return m_batch; }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<int, Result<Values>> m_answers;
    std::map<int, int> m_count;
    int m_batch = 0;
};

// A lane with one model, "net", on the fake device.
class LaneUnderTest {
public:
    explicit LaneUnderTest(int batchMax)
    {
        m_folder.add("net", "embed")["batch"] = {{"max", batchMax}};
        m_folder.writeManifest();
        auto manifest = ModelManifest::open({m_folder.path()});
        lane = makeModelLane(
            std::move(*manifest), [this](const ModelManifest&) { return std::make_unique<FakeDevice>(script); }, {},
            m_clock, *m_log);
    }
    // The input's number is the item's.
    void submit(int item, Answers& answers) const
    {
        Values inputs;
        inputs.set("image", Value(plainImage(8, 8, item, 0, 0)));
        auto prepared = lane->prepare("net", inputs, Json::object());
        QVERIFY2(prepared, prepared ? "" : prepared.error().message.c_str());
        lane->submit("net", std::move(*prepared), {0, ItemIndex(item), 0, 0}, answers.forItem(item));
    }
    const ModelsFolder& folder() const { return m_folder; }

private:
    ModelsFolder m_folder;
    SystemClock m_clock;
    std::shared_ptr<Log> m_log = Log::nowhere();

public:
    DeviceScript script;
    std::unique_ptr<ModelLane> lane; // last: it uses all of the above
};

} // namespace

class BatchingLaneTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyCallGetsItsOwnAnswerFromSharedBatches()
    {
        Answers answers;
        LaneUnderTest test(16);
        test.script.holdRuns();
        for (int i = 0; i < 200; ++i) test.submit(i, answers);
        QCOMPARE(test.lane->inFlight(), std::int64_t{200});
        test.script.releaseRuns();
        answers.waitFor(200);
        for (int i = 0; i < 200; ++i) QCOMPARE(answers.number(i), double(i));
        QCOMPARE(answers.largestBatch(), 16);
        QTRY_COMPARE(test.lane->inFlight(), std::int64_t{0});
        QCOMPARE(test.lane->find("net")->outputs.front().name, std::string("vector"));
        QVERIFY(test.lane->find("other") == nullptr);
    }
    void theOldestItemGoesFirst()
    {
        Answers answers;
        LaneUnderTest test(1);
        test.script.holdRuns();
        test.submit(50, answers);
        test.script.waitUntilARunBegan();
        for (const int item : {7, 3, 9, 1}) test.submit(item, answers);
        test.script.releaseRuns();
        answers.waitFor(5);
        QCOMPARE(test.script.batches(), (std::vector<std::vector<int>>{{50}, {1}, {3}, {7}, {9}}));
    }
    void outOfMemoryHalvesTheBatchAndIsRemembered()
    {
        Answers answers;
        LaneUnderTest test(16);
        test.script.fitsAtMost(3);
        test.script.holdRuns();
        for (int i = 0; i < 64; ++i) test.submit(i, answers);
        test.script.releaseRuns();
        answers.waitFor(64);
        for (int i = 0; i < 64; ++i) QCOMPARE(answers.number(i), double(i));
        const auto batches = test.script.batches();
        QVERIFY(std::ranges::count_if(batches, [](const auto& batch) { return batch.size() > 3; }) <= 3);
        QVERIFY(std::all_of(batches.end() - 10, batches.end(), [](const auto& batch) { return batch.size() <= 2; }));
    }
    void anInputThatAloneDoesNotFitIsOutOfMemory()
    {
        Answers answers;
        LaneUnderTest test(4);
        test.script.fitsAtMost(0);
        for (int i = 0; i < 4; ++i) test.submit(i, answers);
        answers.waitFor(4);
        for (int i = 0; i < 4; ++i) QVERIFY(answers.failedWith(i, Reason::ComputeOom));
    }
    void aPoisonedInputFailsAlone()
    {
        Answers answers;
        LaneUnderTest test(16);
        test.script.throwsFor(11);
        test.script.holdRuns();
        for (int i = 0; i < 32; ++i) test.submit(i, answers);
        test.script.releaseRuns();
        answers.waitFor(32);
        for (int i = 0; i < 32; ++i) {
            if (i == 11)
                QVERIFY(answers.failedWith(i, Reason::Internal));
            else
                QCOMPARE(answers.number(i), double(i));
        }
    }
    void anAnswerThatIsNoNumberFailsItsItemOnly()
    {
        Answers answers;
        LaneUnderTest test(8);
        test.script.givesNoNumberFor(2);
        test.script.holdRuns();
        for (int i = 0; i < 8; ++i) test.submit(i, answers);
        test.script.releaseRuns();
        answers.waitFor(8);
        QVERIFY(answers.failedWith(2, Reason::Internal));
        QCOMPARE(answers.number(3), 3.0);
    }
    void whatWaitsIsCancelledAndWhatRunsFinishes()
    {
        Answers answers;
        LaneUnderTest test(1);
        test.script.holdRuns();
        test.submit(0, answers);
        test.script.waitUntilARunBegan();
        for (int i = 1; i < 20; ++i) test.submit(i, answers);
        test.lane->cancelWaiting();
        answers.waitFor(19);
        test.script.releaseRuns();
        answers.waitFor(20);
        QCOMPARE(answers.number(0), 0.0);
        for (int i = 1; i < 20; ++i) QVERIFY(answers.failedWith(i, Reason::Cancelled));
        QCOMPARE(test.script.batches().size(), std::size_t{1});
    }
    void noCallIsLostOrAnsweredTwiceWhenTheLaneEnds()
    {
        for (int round = 0; round < 20; ++round) {
            Answers answers;
            LaneUnderTest test(4);
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (int i = 0; i < 25; ++i) test.submit(t * 25 + i, answers);
                });
            for (auto& thread : threads) thread.join();
            test.lane.reset();
            QVERIFY(answers.eachOnce(100));
        }
    }
    void aModelThatCannotBeLoadedFailsItsCallsAndTheNextPreparation()
    {
        Answers answers;
        LaneUnderTest test(4);
        test.script.cannotLoad();
        Values inputs;
        inputs.set("image", Value(plainImage(8, 8, 1, 0, 0)));
        auto prepared = test.lane->prepare("net", inputs, Json::object());
        if (prepared) {
            test.lane->submit("net", std::move(*prepared), {}, answers.forItem(1));
            answers.waitFor(1);
            QVERIFY(answers.failedWith(1, Reason::ComputeModelMissing));
        }
        const auto again = test.lane->prepare("net", inputs, Json::object());
        QVERIFY(!again);
        QVERIFY(again.error().reason == Reason::ComputeModelMissing);
        QCOMPARE(test.script.loads(), std::size_t{1});
    }
    void anUnknownModelAndAnAlteredFileAreRefusedBeforeAnythingRuns()
    {
        LaneUnderTest test(4);
        Values inputs;
        inputs.set("image", Value(plainImage(8, 8, 1, 0, 0)));
        QVERIFY(test.lane->prepare("net", inputs, Json::object()));
        QVERIFY(test.lane->prepare("nett", inputs, Json::object()).error().reason == Reason::ComputeModelMissing);
        test.folder().writeFile("net.pt", "something else");
        const auto altered = test.lane->prepare("net", inputs, Json::object());
        QVERIFY(!altered);
        QVERIFY(altered.error().reason == Reason::ComputeModelMissing);
    }
    void withoutTheModuleTheErrorNamesThePackage()
    {
        ModelsFolder folder;
        folder.add("net", "embed");
        folder.writeManifest();
        const SystemClock clock;
        const auto log = Log::nowhere();
        const auto lane = makeModelLane({folder.path()}, {folder.path()}, {}, clock, *log);
        QVERIFY(lane);
        Values inputs;
        inputs.set("image", Value(plainImage(8, 8, 1, 0, 0)));
        Answers answers;
        auto prepared = (*lane)->prepare("net", inputs, Json::object());
        if (prepared) {
            (*lane)->submit("net", std::move(*prepared), {}, answers.forItem(1));
            answers.waitFor(1);
        }
        const auto again = (*lane)->prepare("net", inputs, Json::object());
        QVERIFY(!again);
        QVERIFY(again.error().reason == Reason::ComputeModelMissing);
        QVERIFY(again.error().hint.find("aiflow-torch") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(BatchingLaneTest)
#include "batching_lane_test.moc"
