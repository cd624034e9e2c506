#include "core/live/eta.h"

#include <functional>
#include <QTest>
#include <random>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

struct Ending {
    double second = 0;
    bool reused = false;
};

struct Trace {
    std::vector<Ending> endings; // by time
    double outageFrom = 0;
    double outageTo = 0;
    bool pausedByPerson = false; // else: a provider's outage
    std::int64_t knownReused = 0;
};

MonotonicTime at(double second)
{
    return MonotonicTime{std::chrono::nanoseconds(static_cast<std::int64_t>(second * 1e9))};
}

// Replays a trace, asking every second; from 10 % of the live work on, the share of answers that held the true end.
struct Verdict {
    int asked = 0;
    int held = 0;
    int inOutage = 0; // answers while nothing could go on
    bool sane = true;
    double share() const { return asked == 0 ? 0 : static_cast<double>(held) / asked; }
};

Verdict replay(const Trace& trace)
{
    const auto live = std::ranges::count(trace.endings, false, &Ending::reused);
    Eta eta(at(0), static_cast<std::int64_t>(trace.endings.size()));
    eta.setKnownReused(trace.knownReused);
    const auto hold = [&](double now, bool on) {
        if (trace.pausedByPerson) {
            eta.setPaused(at(now), on);
        } else {
            eta.setHeld(at(now), on);
        }
    };
    Verdict verdict;
    std::size_t next = 0;
    std::int64_t done = 0;
    const double end = trace.endings.back().second;
    for (double now = 1; now < end; now += 1) {
        if (trace.outageTo > 0 && now - 1 < trace.outageFrom && now >= trace.outageFrom) hold(trace.outageFrom, true);
        if (trace.outageTo > 0 && now - 1 < trace.outageTo && now >= trace.outageTo) hold(trace.outageTo, false);
        for (; next < trace.endings.size() && trace.endings[next].second <= now; ++next) {
            if (trace.endings[next].reused) {
                eta.reusedDone();
            } else {
                eta.liveDone(at(trace.endings[next].second));
                ++done;
            }
        }
        const bool out = now >= trace.outageFrom && now < trace.outageTo;
        const auto range = eta.range(at(now));
        if (range && (range->low < 0s || range->high < range->low)) verdict.sane = false;
        if (out) {
            if (range && (trace.pausedByPerson || now > trace.outageFrom + 31)) ++verdict.inOutage;
            continue;
        }
        if (done * 10 < live || !range) continue;
        const double left = end - now - (now < trace.outageFrom ? trace.outageTo - trace.outageFrom : 0);
        ++verdict.asked;
        if (static_cast<double>(range->low.count()) <= left + 1 && left - 1 <= static_cast<double>(range->high.count()))
            ++verdict.held;
    }
    return verdict;
}

// Endings with random gaps; `rate(t)` items per second at time t.
Trace traceOf(int items, unsigned seed, const std::function<double(double)>& rate)
{
    std::mt19937 random(seed);
    std::exponential_distribution<double> gap(1);
    Trace trace;
    double now = 0;
    for (int i = 0; i < items; ++i) {
        now += gap(random) / rate(now);
        trace.endings.push_back({now, false});
    }
    return trace;
}

} // namespace

class EtaTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void steadyWorkEndsInsideTheRange()
    {
        for (unsigned seed = 1; seed <= 5; ++seed) {
            const Verdict verdict = replay(traceOf(2'000, seed, [](double) { return 2.0; }));
            QVERIFY(verdict.sane);
            QVERIFY2(verdict.asked > 500 && verdict.share() >= 0.8, qPrintable(QString::number(verdict.share())));
        }
    }

    void aSlowStartEndsInsideTheRange()
    {
        for (unsigned seed = 1; seed <= 5; ++seed) {
            const auto rate = [](double now) { return now < 60 ? 0.2 + now / 30 : 2.2; };
            const Verdict verdict = replay(traceOf(2'000, seed, rate));
            QVERIFY(verdict.sane);
            QVERIFY2(verdict.asked > 500 && verdict.share() >= 0.8, qPrintable(QString::number(verdict.share())));
        }
    }

    void reuseScatteredOverTheInputIsNoSpeed_data()
    {
        QTest::addColumn<bool>("known");
        QTest::newRow("announced") << true;
        QTest::newRow("found on the way") << false;
    }
    void reuseScatteredOverTheInputIsNoSpeed()
    {
        QFETCH(bool, known);
        Trace trace = traceOf(600, 3, [](double) { return 1.0; });
        std::vector<Ending> endings;
        for (const Ending& live : trace.endings) {
            for (int i = 0; i < 4; ++i) endings.push_back({live.second, true});
            endings.push_back(live);
        }
        trace.endings = endings;
        trace.knownReused = known ? 2'400 : 0;
        const Verdict verdict = replay(trace);
        QVERIFY(verdict.sane);
        QVERIFY2(verdict.asked > 300 && verdict.share() >= 0.8, qPrintable(QString::number(verdict.share())));
    }

    void reuseAtTheStartIsNoSpeed()
    {
        for (unsigned seed = 1; seed <= 5; ++seed) {
            Trace trace = traceOf(600, seed, [](double) { return 1.0; });
            trace.endings.insert(trace.endings.begin(), 2'400, Ending{0.5, true});
            trace.knownReused = 2'400;
            const Verdict verdict = replay(trace);
            QVERIFY(verdict.sane);
            QVERIFY2(verdict.asked > 300 && verdict.share() >= 0.8, qPrintable(QString::number(verdict.share())));
        }
    }

    void anOutageIsNoPaceAndHasNoRange_data()
    {
        QTest::addColumn<bool>("byPerson");
        QTest::newRow("paused by a person") << true;
        QTest::newRow("provider out") << false;
    }
    void anOutageIsNoPaceAndHasNoRange()
    {
        QFETCH(bool, byPerson);
        Trace trace = traceOf(1'500, 5, [](double) { return 2.0; });
        trace.outageFrom = 300;
        trace.outageTo = 700;
        trace.pausedByPerson = byPerson;
        for (Ending& ending : trace.endings)
            if (ending.second >= 300) ending.second += 400;
        const Verdict verdict = replay(trace);
        QVERIFY(verdict.sane);
        QCOMPARE(verdict.inOutage, 0);
        QVERIFY2(verdict.asked > 400 && verdict.share() >= 0.8, qPrintable(QString::number(verdict.share())));
    }

    void nothingIsSaidBeforeItMeansSomething()
    {
        Eta eta(at(0), 1'000);
        QVERIFY(!eta.range(at(100)));
        eta.liveDone(at(101));
        QVERIFY(eta.range(at(101)).has_value()); // 20 s of work are enough
        Eta young(at(0), 1'000);
        for (int i = 1; i <= 50; ++i) young.liveDone(at(0.1 * i));
        QVERIFY(!young.range(at(5)));
        for (int i = 51; i <= 100; ++i) young.liveDone(at(0.1 * i));
        QVERIFY(young.range(at(10)).has_value()); // and so are 10 % of it
    }

    void theEndHasNoRange()
    {
        Eta eta(at(0), 2);
        eta.liveDone(at(30));
        QVERIFY(eta.range(at(30)).has_value());
        eta.liveDone(at(60));
        QVERIFY(!eta.range(at(60)));
    }

    void aMillionItemsStayInBoundedMemoryAndInRange()
    {
        Eta eta(at(0), 2'000'000);
        for (int i = 1; i <= 1'000'000; ++i) eta.liveDone(at(0.01 * i));
        const auto range = eta.range(at(10'000));
        QVERIFY(range && range->low <= 10'000s && range->high >= 10'000s);
        QVERIFY(range->high - range->low < 2'500s);
    }
};

QTEST_GUILESS_MAIN(EtaTest)
#include "eta_test.moc"
