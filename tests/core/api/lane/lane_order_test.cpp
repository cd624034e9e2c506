#include "tests/core/api/lane/lane_rig.h"

#include <atomic>
#include <QTest>
#include <set>

using namespace aiflow;
using namespace aiflow::test;
using std::chrono::milliseconds;

namespace {

SimulatedWorld slowService(milliseconds latency)
{
    SimulatedWorld world = oneService();
    world.services[0].models[0].latency.median = latency;
    return world;
}

// A disk that is full from the second exchange on.
class FullDisk final : public LimitStore {
public:
    explicit FullDisk(std::atomic<bool>& full) : m_full(full) {}
    std::uint64_t newId() override { return m_inner.newId(); }
    Result<void> exchange(const std::function<LimitChanges(const LimitNews&)>& decide) override
    {
        auto exchanged = m_inner.exchange(decide);
        if (m_full) return fail(Reason::OutputDiskFull, "limits.db: no space left on device", "free some space");
        return exchanged;
    }
    bool hasNews() override { return false; }

private:
    LoneLimitStore m_inner;
    std::atomic<bool>& m_full;
};

} // namespace

class LaneOrderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void nothingIsOnTheWireBeforeItsIntentIsDurable()
    {
        LaneRig rig(oneService());
        std::atomic<int> told{0};
        std::atomic<int> tooEarly{0};
        rig.recorder->beforeIntentIsDurable = [&](const AttemptIntent& intent) {
            // As many calls as there are durable intents may have been seen, and none more.
            if (rig.provider->verdict().calls > told) ++tooEarly;
            if (intent.idempotencyKey.empty() || intent.account != "svc/main") ++tooEarly;
            ++told;
        };
        for (int item = 0; item < 20; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(20));
        QCOMPARE(tooEarly.load(), 0);
        QCOMPARE(told.load(), 20);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{20});
    }

    void answerComesBackWhenItIsDurableNotBefore()
    {
        LaneRig rig(oneService());
        std::atomic<std::size_t> early{0};
        rig.recorder->beforeEndIsDurable = [&](const AttemptReport&) { early += rig.ended().size(); };
        QVERIFY(rig.answerOf(1, textRequest("a chair")));
        QCOMPARE(early.load(), 0U);
        QCOMPARE(rig.recorder->order(), (std::vector<std::string>{"intent", "ended responded"}));
    }

    void refusedIntentSendsNothingAndStopsTheJob()
    {
        LaneRig rig(oneService());
        rig.recorder->failIntents(true);
        rig.ask(1, textRequest("a chair"));
        QVERIFY(rig.waitUntil([&] { return !rig.stops().empty(); }));
        QCOMPARE(rig.stops()[0].reason, Reason::OutputDiskFull);
        rig.lane->cancelWaiting();
        QVERIFY(rig.waitFor(1));
        QCOMPARE(rig.provider->ledger().size(), 0U);
    }

    void answerThatCannotBeKeptStopsTheJob()
    {
        LaneRig rig(oneService());
        rig.recorder->failEnds(true);
        const auto answer = rig.answerOf(1, textRequest("a chair"));
        QVERIFY(!answer);
        QCOMPARE(answer.error().reason, Reason::OutputDiskFull);
        QCOMPARE(rig.stops().at(0).reason, Reason::OutputDiskFull);
    }

    void withoutSharedLimitsNothingIsSent()
    {
        std::atomic<bool> full{true};
        LaneRig rig(oneService());
        rig.makeLimits = [&full] { return std::make_unique<FullDisk>(full); };
        rig.restart();
        rig.ask(1, textRequest("a chair"));
        QVERIFY(rig.waitUntil([&] { return !rig.stops().empty(); }));
        QCOMPARE(rig.stops()[0].reason, Reason::OutputDiskFull);
        QCOMPARE(rig.provider->ledger().size(), 0U);
        // The disk has room again, and whoever runs the job did not give up.
        full = false;
        QVERIFY(rig.waitFor(1));
        QVERIFY(rig.find(1)->answer);
    }

    void remoteIdIsDurableBeforeTheFirstPoll()
    {
        LaneRig rig(oneService(ProtocolKind::RemoteJob));
        QVERIFY(rig.answerOf(1, textRequest("a chair")));
        QCOMPARE(rig.recorder->order(), (std::vector<std::string>{"intent", "remote id", "ended responded"}));
    }

    void identicalRequestsAreSentOnceAndShared()
    {
        LaneRig rig(slowService(milliseconds(150)));
        for (int item = 0; item < 5; ++item) rig.ask(item, textRequest("the same"));
        QVERIFY(rig.waitFor(5));
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        double cost = 0;
        int shared = 0;
        for (const Ended& one : rig.ended()) {
            QVERIFY(one.answer);
            QCOMPARE(one.answer->body, rig.ended()[0].answer->body);
            cost += one.answer->provenance.cost;
            if (one.answer->provenance.note.starts_with("shared: item item-0")) ++shared;
        }
        QCOMPARE(shared, 4);
        QCOMPARE(cost, rig.provider->verdict().cost["USD"].units());
        QVERIFY(rig.waitUntil([&] { return rig.lane->inFlight() == 0; }));
    }

    void sharedPicturesHaveAFileEach()
    {
        SimulatedWorld world = slowService(milliseconds(150));
        world.services[0].models[0].pictureBytes = 200'000;
        LaneRig rig(world);
        for (int item = 0; item < 3; ++item) rig.ask(item, textRequest("the same"), "image");
        QVERIFY(rig.waitFor(3));
        std::set<std::string> files;
        for (const Ended& one : rig.ended()) {
            QVERIFY(one.answer);
            files.insert(one.answer->files.at(0).spooled.string());
            QVERIFY(std::filesystem::remove(one.answer->files[0].spooled));
        }
        QCOMPARE(files.size(), 3U);
    }

    void identicalRequestsFailAlike()
    {
        SimulatedWorld world = slowService(milliseconds(100));
        SimulatedFault refused;
        refused.kind = FaultKind::ContentRefused;
        world.services[0].faults.push_back(refused);
        LaneRig rig(world);
        for (int item = 0; item < 4; ++item) rig.ask(item, textRequest("the same"));
        QVERIFY(rig.waitFor(4));
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
        for (const Ended& one : rig.ended()) QCOMPARE(one.answer.error().reason, Reason::ProviderContentPolicy);
    }

    void callsThatWaitAreCancelledAndOpenOnesGoOn()
    {
        SimulatedWorld world = slowService(milliseconds(300));
        world.services[0].accounts[0].limits.concurrency = 1;
        LaneRig rig(world);
        for (int item = 0; item < 5; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitUntil([&] { return rig.provider->open() > 0; }));
        rig.lane->cancelWaiting();
        QVERIFY(rig.waitFor(5));
        int answered = 0;
        for (const Ended& one : rig.ended()) {
            if (one.answer)
                ++answered;
            else
                QCOMPARE(one.answer.error().reason, Reason::Cancelled);
        }
        QCOMPARE(answered, 1);
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{1});
    }

    void openCallsAreDroppedAndRecordedAsUnknown()
    {
        LaneRig rig(slowService(milliseconds(5000)));
        rig.ask(1, textRequest("a chair"));
        QVERIFY(rig.waitUntil([&] { return rig.provider->open() > 0; }));
        rig.lane->abortOpen();
        QVERIFY(rig.waitFor(1));
        QCOMPARE(rig.find(1)->answer.error().reason, Reason::Cancelled);
        QVERIFY(rig.waitUntil([&] { return !rig.recorder->reports().empty(); }));
        QCOMPARE(rig.recorder->reports()[0].outcome, AttemptOutcome::Unknown);
        QVERIFY(rig.recorder->reports()[0].cost.amount > Nanos(0));
    }

    void lanesEndAnswersEveryCall()
    {
        SimulatedWorld world = slowService(milliseconds(5000));
        world.services[0].accounts[0].limits.concurrency = 2;
        LaneRig rig(world);
        for (int item = 0; item < 10; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitUntil([&] { return rig.provider->open() == 2; }));
        rig.closeLane();
        QCOMPARE(rig.ended().size(), 10U);
    }

    void thousandsOfWaitingCallsAllEnd()
    {
        SimulatedWorld world = oneService();
        world.keepEntries = false;
        world.services[0].accounts[0].limits.concurrency = 64;
        LaneRig rig(world);
        for (int item = 0; item < 3000; ++item) rig.ask(item, textRequest("chair " + std::to_string(item)));
        QVERIFY(rig.waitFor(3000));
        QCOMPARE(rig.provider->verdict().calls, std::int64_t{3000});
        QCOMPARE(rig.provider->verdict().violations, std::int64_t{0});
        for (const Ended& one : rig.ended()) QVERIFY(one.answer);
    }

    void accountsTellTheirUse()
    {
        LaneRig rig(oneService(), [](ApiSettings& settings) {
            settings.providers[0].accounts[0].limits.windows = {{LimitUnit::Requests, 60, milliseconds(60'000)}};
        });
        QVERIFY(rig.answerOf(1, textRequest("a chair")));
        QVERIFY(rig.waitUntil([&] {
            const auto accounts = rig.lane->accounts();
            return !accounts.empty() && accounts[0].sentInMinute == 1;
        }));
        const auto accounts = rig.lane->accounts();
        QCOMPARE(accounts[0].account, std::string("svc/main"));
        QCOMPARE(accounts[0].perMinute, std::int64_t{60});
        QCOMPARE(accounts[0].state, std::string("ok"));
    }
};

QTEST_GUILESS_MAIN(LaneOrderTest)
#include "lane_order_test.moc"
