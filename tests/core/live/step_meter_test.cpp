#include "core/live/step_meter.h"

#include <algorithm>
#include <cmath>
#include <QTest>
#include <random>
#include <vector>

using namespace aiflow;
using namespace std::chrono_literals;

class StepMeterTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void rateIsThatOfTheLastMinute()
    {
        StepMeter meter;
        MonotonicTime now{1h};
        for (int i = 0; i < 1'200; ++i) meter.add(now += 100ms, 5ms); // 10 a second for two minutes
        QVERIFY(std::abs(meter.ratePerSecond(now) - 10) < 0.3);
        QVERIFY(std::abs(meter.ratePerSecond(now + 30s) - 5) < 0.3);
        QCOMPARE(meter.ratePerSecond(now + 61s), 0.0);
    }

    void aYoungStepIsNotDividedByAWholeMinute()
    {
        StepMeter meter;
        MonotonicTime now{0s};
        for (int i = 0; i < 20; ++i) meter.add(now += 500ms, 5ms);
        QVERIFY(std::abs(meter.ratePerSecond(now) - 2) < 0.3);
    }

    void medianIsNearTheTrueOne()
    {
        std::mt19937 random(7);
        for (const double scale : {2e1, 3e3, 1.8e6, 9e7}) {
            std::lognormal_distribution<double> spread(std::log(scale), 0.5);
            StepMeter meter;
            std::vector<double> all;
            for (int i = 0; i < 5'001; ++i) {
                const double micros = std::round(spread(random));
                all.push_back(micros);
                meter.add(MonotonicTime{1s}, std::chrono::microseconds(static_cast<std::int64_t>(micros)));
            }
            std::ranges::nth_element(all, all.begin() + 2'500);
            const double median = all[2'500] / 1e6;
            QVERIFY(std::abs(meter.medianSeconds() / median - 1) < 0.07);
        }
    }

    void extremesAreCounted()
    {
        StepMeter meter;
        QCOMPARE(meter.medianSeconds(), 0.0);
        meter.add(MonotonicTime{1s}, 0us);
        QVERIFY(meter.medianSeconds() > 0 && meter.medianSeconds() < 2e-6);
        meter.add(MonotonicTime{1s}, std::chrono::hours(24 * 365 * 100));
        meter.add(MonotonicTime{1s}, std::chrono::hours(24 * 365 * 100));
        QVERIFY(meter.medianSeconds() > 1e6);
    }
};

QTEST_GUILESS_MAIN(StepMeterTest)
#include "step_meter_test.moc"
