#include "core/inference/batcher.h"

#include <QtTest/QtTest>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

LaneOrder ofItem(std::int64_t item, std::int32_t stepFromEnd = 0) { return {0, ItemIndex(item), stepFromEnd, 0}; }

BatchLimits limits(int max, std::chrono::milliseconds delay = 0ms, Bytes bytes = mebibytes(1))
{
    return {max, delay, bytes};
}

using Tickets = std::vector<BatchTicket>;

} // namespace

class BatcherTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void oldestItemGoesFirstAndOfOneItemTheLaterStep()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(2));
        batcher.add(1, group, ofItem(5), Bytes(1), {});
        batcher.add(2, group, ofItem(3, 4), Bytes(1), {});
        batcher.add(3, group, ofItem(3, 1), Bytes(1), {});
        QCOMPARE(batcher.next({})->tickets, (Tickets{3, 2}));
        QCOMPARE(batcher.next({})->tickets, Tickets{1});
        QVERIFY(!batcher.next({}));
    }
    void equalOrdersKeepTheOrderOfTheirComing()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(8));
        for (BatchTicket ticket : {9, 4, 7}) batcher.add(ticket, group, ofItem(1), Bytes(1), {});
        QCOMPARE(batcher.next({})->tickets, (Tickets{9, 4, 7}));
    }
    void onlyEqualShapesShareABatchAndTheMoreUrgentGroupGoesFirst()
    {
        Batcher batcher;
        const auto one = batcher.addGroup(limits(8));
        const auto other = batcher.addGroup(limits(8));
        batcher.add(1, one, ofItem(2), Bytes(1), {});
        batcher.add(2, other, ofItem(1), Bytes(1), {});
        batcher.add(3, one, ofItem(3), Bytes(1), {});
        const auto first = batcher.next({});
        QCOMPARE(first->group, other);
        QCOMPARE(first->tickets, Tickets{2});
        QCOMPARE(batcher.next({})->tickets, (Tickets{1, 3}));
    }
    void aBatchThatIsNotFullWaitsForItsDelayAndNoLonger()
    {
        ManualClock clock;
        Batcher batcher;
        const auto group = batcher.addGroup(limits(3, 10ms));
        batcher.add(1, group, ofItem(1), Bytes(1), clock.monotonic());
        QVERIFY(!batcher.next(clock.monotonic()));
        QCOMPARE(*batcher.nextDue() - clock.monotonic(), 10ms);
        clock.advance(6ms);
        batcher.add(2, group, ofItem(0), Bytes(1), clock.monotonic());
        QCOMPARE(*batcher.nextDue() - clock.monotonic(), 4ms);
        QVERIFY(!batcher.next(clock.monotonic()));
        clock.advance(4ms);
        QCOMPARE(batcher.next(clock.monotonic())->tickets, (Tickets{2, 1}));
        QVERIFY(!batcher.nextDue());
    }
    void aFullBatchGoesAtOnceThoughItsGroupDelays()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(2, 1h));
        batcher.add(1, group, ofItem(1), Bytes(1), {});
        batcher.add(2, group, ofItem(2), Bytes(1), {});
        QCOMPARE(batcher.next({})->tickets.size(), std::size_t{2});
    }
    void aGroupThatDelaysDoesNotHoldUpAnother()
    {
        Batcher batcher;
        const auto slow = batcher.addGroup(limits(8, 1h));
        const auto quick = batcher.addGroup(limits(8));
        batcher.add(1, slow, ofItem(1), Bytes(1), {});
        batcher.add(2, quick, ofItem(2), Bytes(1), {});
        QCOMPARE(batcher.next({})->tickets, Tickets{2});
        QVERIFY(!batcher.next({}));
    }
    void bytesBoundABatchButNeverASingleInput()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(8, 0ms, Bytes(10)));
        batcher.add(1, group, ofItem(1), Bytes(50), {});
        batcher.add(2, group, ofItem(2), Bytes(6), {});
        batcher.add(3, group, ofItem(3), Bytes(4), {});
        batcher.add(4, group, ofItem(4), Bytes(1), {});
        QCOMPARE(batcher.waitingBytes(), Bytes(61));
        QCOMPARE(batcher.next({})->tickets, Tickets{1});
        QCOMPARE(batcher.next({})->tickets, (Tickets{2, 3}));
        QCOMPARE(batcher.next({})->tickets, Tickets{4});
        QCOMPARE(batcher.waitingBytes(), Bytes(0));
    }
    void outOfMemoryHalvesTheGroupsBatchesDownToOne()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(8));
        const auto other = batcher.addGroup(limits(8));
        QVERIFY(batcher.outOfMemory(group, 8));
        QCOMPARE(batcher.currentMax(group), 4);
        QVERIFY(batcher.outOfMemory(group, 3));
        QCOMPARE(batcher.currentMax(group), 1);
        QVERIFY(!batcher.outOfMemory(group, 1));
        QCOMPARE(batcher.currentMax(group), 1);
        QCOMPARE(batcher.currentMax(other), 8);
        for (BatchTicket ticket : {1, 2}) batcher.add(ticket, group, ofItem(1), Bytes(1), {});
        QCOMPARE(batcher.next({})->tickets, Tickets{1});
    }
    void whatIsRemovedIsNeverRun()
    {
        Batcher batcher;
        const auto group = batcher.addGroup(limits(8));
        for (BatchTicket ticket : {1, 2, 3}) batcher.add(ticket, group, ofItem(1), Bytes(1), {});
        QVERIFY(batcher.remove(2));
        QVERIFY(!batcher.remove(2));
        QCOMPARE(batcher.waiting(), std::size_t{2});
        QCOMPARE(batcher.next({})->tickets, (Tickets{1, 3}));
        QVERIFY(!batcher.remove(1));
    }
};

QTEST_GUILESS_MAIN(BatcherTest)
#include "batcher_test.moc"
