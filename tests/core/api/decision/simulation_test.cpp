#include "tests/core/api/decision/simulated_world.h"

#include <cstdio>
#include <cstdlib>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;
using namespace std::chrono_literals;

// AIFLOW_SIM_SEEDS=N runs N random worlds, AIFLOW_SIM_SEED=S only the one of that seed.
class SimulationTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void randomWorldsKeepEveryPromise()
    {
        const char* one = std::getenv("AIFLOW_SIM_SEED");
        const char* many = std::getenv("AIFLOW_SIM_SEEDS");
        const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
        const std::uint64_t count = one ? 1 : many ? std::strtoull(many, nullptr, 10) : 4000;
        int failures = 0;
        std::int64_t calls = 0;
        for (std::uint64_t seed = first; seed < first + count && failures < 10; ++seed) {
            SimulatedWorld world(planOf(seed));
            const std::string wrong = world.run();
            calls += static_cast<std::int64_t>(world.sent().size());
            if (wrong.empty()) continue;
            ++failures;
            std::printf("seed %llu: %s\n  replay: AIFLOW_SIM_SEED=%llu test_decision_simulation\n",
                        static_cast<unsigned long long>(seed), wrong.c_str(), static_cast<unsigned long long>(seed));
        }
        std::printf("%llu worlds, %lld calls sent\n", static_cast<unsigned long long>(count),
                    static_cast<long long>(calls));
        QCOMPARE(failures, 0);
    }

    void sameSeedIsTheSameStory()
    {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            SimulatedWorld a(planOf(seed));
            SimulatedWorld b(planOf(seed));
            a.run();
            b.run();
            QCOMPARE(a.sent().size(), b.sent().size());
            for (std::size_t i = 0; i < a.sent().size(); ++i) {
                QVERIFY(a.sent()[i].call == b.sent()[i].call);
                QVERIFY(a.sent()[i].decided == b.sent()[i].decided);
                QCOMPARE(a.sent()[i].account, b.sent()[i].account);
            }
        }
    }
};

QTEST_GUILESS_MAIN(SimulationTest)
#include "simulation_test.moc"
