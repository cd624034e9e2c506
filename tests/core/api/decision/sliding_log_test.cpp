#include "core/api/decision/limits/sliding_log.h"

#include "core/base/random.h"
#include "tests/core/api/decision/world_of_one.h"

#include <deque>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

class SlidingLogTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void marginIsThreeQuartersOfAPercentOrTwentyMilliseconds()
    {
        QVERIFY(SlidingLog::marginOf(60s) == 450ms);
        QVERIFY(SlidingLog::marginOf(1s) == 20ms);
    }

    void useCountsFromItsReservationUntilItLeftTheWindow()
    {
        SlidingLog log(60s);
        log.reserve(3);
        QVERIFY(log.roomFor(2, 4, at(0s)).at == Room::kWhenFreed);
        log.wire(3, at(5s));
        QVERIFY(log.roomFor(1, 4, at(5s)).isNow(at(5s)));
        QVERIFY(log.roomFor(2, 4, at(5s)).at == at(65s + 450ms));
        QCOMPARE(log.used(at(65s)), std::int64_t(3));
        QCOMPARE(log.used(at(65s + 450ms)), std::int64_t(0));
    }

    void cancelledReservationLeavesNothing()
    {
        SlidingLog log(60s);
        log.reserve(4);
        log.cancel(4);
        QVERIFY(log.roomFor(4, 4, at(0s)).isNow(at(0s)));
    }

    void largeAmountWaitsForAsManyAsItNeeds()
    {
        SlidingLog log(60s);
        for (int i = 0; i < 4; ++i) log.add(10, at(std::chrono::seconds(i)));
        QVERIFY(log.roomFor(25, 50, at(4s)).at == at(61s + 450ms));
        QVERIFY(log.roomFor(51, 50, at(4s)).never);
    }

    void settledAmountMakesRoomOrDebt()
    {
        SlidingLog log(60s);
        log.add(100, at(0s));
        log.add(-60, at(0s));
        QCOMPARE(log.used(at(1s)), std::int64_t(40));
        log.add(160, at(0s));
        QVERIFY(log.roomFor(1, 150, at(1s)).at == at(60s + 450ms));
        QCOMPARE(log.used(at(61s)), std::int64_t(0));
        log.add(-10, at(0s));
        QCOMPARE(log.used(at(61s)), std::int64_t(0));
    }

    void memoryOfALongWindowIsBoundedAndNeverOptimistic()
    {
        SlidingLog log(24h);
        std::deque<std::pair<BootTime, std::int64_t>> exact;
        SeededRandom random(7);
        BootTime now = at(0s);
        for (int i = 0; i < 200'000; ++i) {
            now += std::chrono::milliseconds(random.next() % 1500);
            const auto amount = static_cast<std::int64_t>(random.next() % 9 + 1);
            log.add(amount, now);
            exact.emplace_back(now, amount);
        }
        QVERIFY(log.entries() < 3000);
        while (exact.front().first <= now - 24h) exact.pop_front();
        std::int64_t truth = 0;
        for (const auto& [time, amount] : exact) truth += amount;
        QVERIFY(log.used(now) >= truth);
        QVERIFY(log.used(now) <= truth * 102 / 100);
    }

    void usesThatAreToldLateFindTheirPlace()
    {
        SlidingLog log(60s);
        log.add(1, at(10s));
        log.add(1, at(5s));
        QVERIFY(log.roomFor(1, 2, at(11s)).at == at(65s + 450ms));
        log.add(-1, at(5s));
        QVERIFY(log.roomFor(1, 2, at(11s)).isNow(at(11s)));
    }
};

QTEST_GUILESS_MAIN(SlidingLogTest)
#include "sliding_log_test.moc"
