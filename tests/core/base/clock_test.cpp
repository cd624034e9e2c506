#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/units.h"

#include <QtTest/QtTest>

using namespace aiflow;
using namespace std::chrono_literals;

class ClockTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void settingTheWallClockMovesNoOtherClock()
    {
        ManualClock clock;
        const auto before = clock.monotonic();
        clock.setWall(WallTime{0s});
        QCOMPARE(clock.monotonic(), before);
        QCOMPARE(clock.boot(), BootTime{0s});
        QCOMPARE(clock.wall(), WallTime{0s});
    }
    void advancingMovesAllThree()
    {
        ManualClock clock(WallTime{1000s});
        clock.advance(1500ms);
        QCOMPARE(clock.wall(), WallTime{1001500ms});
        QCOMPARE(clock.monotonic(), MonotonicTime{1500ms});
        QCOMPARE(clock.boot(), BootTime{1500ms});
    }
    void systemClocksDoNotGoBack()
    {
        const SystemClock clock;
        auto last = clock.monotonic();
        for (int i = 0; i < 1000; ++i) {
            const auto now = clock.monotonic();
            QVERIFY(now >= last);
            last = now;
        }
    }
    void isoTextIsReadBack()
    {
        for (const char* zone : {"CST-8", "NST3:30", "UTC0"}) {
            qputenv("TZ", zone);
            ::tzset();
            const WallTime time{1'700'000'000'012'000us};
            QCOMPARE(fromIso8601(toIso8601(time)), std::optional(time));
        }
        QCOMPARE(fromIso8601("2023-11-14T22:13:20Z"), std::optional(WallTime{1'700'000'000s}));
        for (const char* wrong : {"", "soon", "2023-11-14", "2023-02-30T00:00:00Z", "2023-11-14T25:00:00Z"})
            QVERIFY2(!fromIso8601(wrong), wrong);
    }

    void isoTextCarriesZoneAndMilliseconds()
    {
        qputenv("TZ", "Asia/Shanghai");
        tzset();
        QCOMPARE(toIso8601(WallTime{1'700'000'000'012'345us}), std::string("2023-11-15T06:13:20.012+08:00"));
        QCOMPARE(toClockText(WallTime{1'700'000'000s}), std::string("06:13:20"));
        qputenv("TZ", "America/St_Johns");
        tzset();
        QCOMPARE(toIso8601(WallTime{1'700'000'000s}), std::string("2023-11-14T18:43:20.000-03:30"));
    }
    void timesBeforeTheEpochHaveNoNegativeFraction()
    {
        qputenv("TZ", "UTC");
        tzset();
        QCOMPARE(toIso8601(WallTime{-1ms}), std::string("1969-12-31T23:59:59.999+00:00"));
    }
    void theSameSeedGivesTheSameNumbers()
    {
        SeededRandom a(7);
        SeededRandom b(7);
        for (int i = 0; i < 100; ++i) QCOMPARE(a.next(), b.next());
        const std::string text = a.hex(40);
        QCOMPARE(text.size(), std::size_t{40});
        QVERIFY(text.find_first_not_of("0123456789abcdef") == std::string::npos);
        for (int i = 0; i < 1000; ++i) {
            const double value = a.uniform();
            QVERIFY(value >= 0.0 && value < 1.0);
        }
    }
    void sizesReadLikeSizes()
    {
        QCOMPARE(toText(Bytes(512)), std::string("512 B"));
        QCOMPARE(toText(kibibytes(1) + Bytes(512)), std::string("1.5 KiB"));
        QCOMPARE(toText(mebibytes(300)), std::string("300 MiB"));
        QCOMPARE(toText(gibibytes(5000)), std::string("4.9 TiB"));
    }
};

QTEST_GUILESS_MAIN(ClockTest)
#include "clock_test.moc"
