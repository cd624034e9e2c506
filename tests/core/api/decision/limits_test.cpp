#include "core/api/decision/limits/learnt_limits.h"
#include "core/api/decision/limits/limiter.h"
#include "core/api/decision/limits/spending.h"
#include "tests/core/api/decision/world_of_one.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr Amounts kOne{1, 10, 100, 0, 0, 0};

LimitUse useOf(std::uint64_t id, LimitUse::State state, BootTime when)
{
    LimitUse use;
    use.id = id;
    use.state = state;
    use.scope = "host#0";
    use.provider = "p";
    use.model = "m";
    use.at = when;
    use.openUntil = when + 60s;
    return use;
}

} // namespace

class LimitsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void allLimitsHoldTogether()
    {
        ApiSettings settings = settingsWith(2, {{perMinute(4)}, {}, {}});
        settings.models[0].limits.windows = {perMinute(3)};
        settings.providers[0].limits.windows = {perMinute(5)};
        settings.organisations.push_back({"o", {{perMinute(2)}, {}, {}}});
        settings.providers[0].accounts[1].organisation = "o";
        Bench bench(std::move(settings));
        for (int i = 0; i < 20; ++i) bench.submit(i, at(0s));
        std::vector<std::int64_t> sent(2, 0);
        for (const SendOrder& order : bench.sendsAt(at(0s))) ++sent[order.account];
        QCOMPARE(sent[0], std::int64_t(3)); // its model's
        QCOMPARE(sent[1], std::int64_t(2)); // its organisation's
    }

    void otherProcessesUsesCountLikeOurs()
    {
        const ApiSettings settings = settingsWith(1, {{perMinute(2)}, 2, {}});
        Limiter limiter(settings);
        limiter.learn(useOf(7, LimitUse::State::Sent, at(0s)), at(1s));
        limiter.learn(useOf(8, LimitUse::State::Reserved, at(1s)), at(1s));
        QVERIFY(!limiter.roomFor(0, kOne, at(1s)).isNow(at(1s)));
        limiter.learn(useOf(8, LimitUse::State::Released, at(1s)), at(2s));
        QVERIFY(limiter.roomFor(0, kOne, at(2s)).isNow(at(2s)));
        limiter.learn(useOf(7, LimitUse::State::Done, at(0s)), at(2s));
        limiter.learn(useOf(7, LimitUse::State::Done, at(0s)), at(2s));
        limiter.learn(useOf(9, LimitUse::State::Done, at(2s)), at(2s));
        QVERIFY(limiter.roomFor(0, kOne, at(3s)).at == at(60s + 450ms));
    }

    void deadProcessesReservationCountsAsSentAndLeaves()
    {
        const ApiSettings settings = settingsWith(1, {{perMinute(1)}, {}, {}});
        Limiter limiter(settings);
        LimitUse use = useOf(7, LimitUse::State::Reserved, at(0s));
        use.openUntil = at(20s);
        limiter.learn(use, at(0s));
        QVERIFY(limiter.roomFor(0, kOne, at(0s)).at == Room::kWhenFreed);
        limiter.tick(at(21s));
        QVERIFY(limiter.roomFor(0, kOne, at(21s)).at == at(80s + 450ms));
    }

    void longCallKeepsItsPlaceWithTheOthers()
    {
        const ApiSettings settings = settingsWith(1, {{}, 1, {}});
        Limiter limiter(settings);
        limiter.reserve(1, 0, kOne, 60s, at(0s));
        limiter.onWire(1, at(0s));
        limiter.takeChanges();
        limiter.tick(at(60s));
        const auto changes = limiter.takeChanges();
        QCOMPARE(changes.size(), std::size_t(1));
        QVERIFY(changes[0].openUntil > at(110s));
    }

    void releaseAndFinishAreIdempotent()
    {
        const ApiSettings settings = settingsWith(1, {{perMinute(2)}, 1, {}});
        Limiter limiter(settings);
        limiter.reserve(1, 0, kOne, 60s, at(0s));
        limiter.release(1);
        limiter.release(1);
        limiter.reserve(2, 0, kOne, 60s, at(0s));
        limiter.onWire(2, at(0s));
        limiter.onWire(2, at(1s));
        limiter.finish(2, at(1s), at(1s));
        limiter.finish(2, at(1s), at(1s));
        limiter.release(2);
        QVERIFY(limiter.roomFor(0, kOne, at(1s)).isNow(at(1s)));
        const auto changes = limiter.takeChanges();
        QCOMPARE(changes.size(), std::size_t(2));
        QVERIFY(changes[0].state == LimitUse::State::Released);
        QVERIFY(changes[1].state == LimitUse::State::Done);
        QVERIFY(limiter.takeChanges().empty());
    }

    void usageAboveTheReservationBecomesDebt()
    {
        const ApiSettings settings = settingsWith(1, {{{LimitUnit::OutputTokens, 300, 60s}}, {}, {}});
        Limiter limiter(settings);
        limiter.reserve(1, 0, kOne, 60s, at(0s));
        limiter.onWire(1, at(0s));
        QVERIFY(limiter.roomFor(0, kOne, at(1s)).isNow(at(1s)));
        limiter.settle(1, {1, 10, 250, 0, 0, 0});
        QVERIFY(limiter.roomFor(0, kOne, at(1s)).at == at(60s + 450ms));
    }

    void stricterLimitOfAnAnswerIsObeyedAndShared()
    {
        const ApiSettings settings = settingsWith(1, {{perMinute(10)}, {}, {}});
        Limiter limiter(settings);
        LearntLimits learnt(limiter.pools());
        limiter.reserve(1, 0, kOne, 60s, at(0s));
        limiter.onWire(1, at(0s));
        AttemptEnd::Learnt word;
        word.limit = 2;
        learnt.answered(limiter.pools().targets()[0], {word}, at(0s), at(1s));
        limiter.reserve(2, 0, kOne, 60s, at(1s));
        limiter.onWire(2, at(1s));
        QVERIFY(!limiter.roomFor(0, kOne, at(2s)).isNow(at(2s)));

        Limiter other(settings);
        LearntLimits others(other.pools());
        const auto notices = learnt.takeNotices();
        QCOMPARE(QString::fromStdString(notices.at(0).kind), QString("requests/60000"));
        others.learn(notices[0], at(2s));
        for (std::uint64_t id = 1; id <= 2; ++id) {
            other.reserve(id, 0, kOne, 60s, at(2s));
            other.onWire(id, at(2s));
        }
        QVERIFY(!other.roomFor(0, kOne, at(3s)).isNow(at(3s)));
        word.limit = 50;
        learnt.answered(limiter.pools().targets()[0], {word}, at(0s), at(3s));
        QVERIFY(learnt.takeNotices().empty());
    }

    void usedUpLimitIsLeftAloneUntilItsTime()
    {
        const ApiSettings settings = settingsWith(1, {});
        Limiter limiter(settings);
        LearntLimits learnt(limiter.pools());
        AttemptEnd::Learnt word;
        word.unit = LimitUnit::InputTokens;
        word.remaining = 0;
        word.resetAfter = 30s;
        learnt.answered(limiter.pools().targets()[0], {word}, at(0s), at(2s));
        QVERIFY(limiter.roomFor(0, kOne, at(3s)).at == at(30s));
        QVERIFY(limiter.roomFor(0, {1, 0, 0, 0, 0, 0}, at(3s)).isNow(at(3s)));
    }

    void unexplainedRefusalsSlowDownAndQuietMinutesGiveBack()
    {
        LimitPool pool;
        pool.limit({{perMinute(100)}, {}, {}}, 0);
        pool.slowDown(at(0s), 60s);
        pool.slowDown(at(1s), 60s);
        QCOMPARE(pool.permille(at(1s)), 700);
        QCOMPARE(pool.permille(at(60s)), 750);
        QCOMPARE(pool.permille(at(120s)), 850);
        QCOMPARE(pool.permille(at(180s)), 1000);
    }

    void worstCaseIsReservedAndTheRestGivenBack()
    {
        BudgetSettings budgets;
        budgets.perCall = Money{nanosOf(2), "USD"};
        budgets.perItem = Money{nanosOf(3), "USD"};
        budgets.perJob = Money{nanosOf(5), "USD"};
        Spending spending(budgets);
        using Answer = Spending::Answer;
        const Money two{nanosOf(2), "USD"};
        QVERIFY(spending.mayReserve(1, {nanosOf(2.1), "USD"}) == Answer::OverCall);
        QVERIFY(spending.mayReserve(1, two) == Answer::Fits);
        spending.reserve(1, two);
        QVERIFY(spending.mayReserve(1, two) == Answer::ItemFull);
        spending.reserve(2, two);
        QVERIFY(spending.mayReserve(3, two) == Answer::JobFull);
        spending.settle(1, two, {nanosOf(0.5), "USD"});
        QVERIFY(spending.mayReserve(1, two) == Answer::Fits);
        spending.settle(2, two, two);
        QVERIFY(spending.mayReserve(2, two) == Answer::ItemOver);
        spending.setSpent(nanosOf(4), "USD");
        QVERIFY(spending.mayReserve(3, two) == Answer::JobOver);
        QVERIFY(spending.mayReserve(3, {nanosOf(2), "CNY"}) == Answer::Fits);
    }

    void moneyOfTheDayIsSharedByAllProcesses()
    {
        ApiSettings settings = settingsWith(1, {});
        settings.models[0].price.perCall = nanosOf(1);
        settings.models[0].price.currency = "USD";
        settings.budgets.perDay = Money{nanosOf(3), "USD"};
        Bench bench(std::move(settings));
        LimitUse use = useOf(1000, LimitUse::State::Done, at(-1h));
        use.scope = "elsewhere";
        use.nanos = nanosOf(2).count();
        use.currency = "USD";
        bench.dispatcher->learn({{use}, {}, {}}, at(0s));
        for (int i = 0; i < 3; ++i) bench.submit(i, at(0s));
        const auto sends = bench.sendsAt(at(0s));
        QCOMPARE(sends.size(), std::size_t(1));
        bench.answered(sends[0], at(1s));
        bench.sendsAt(at(1s));
        QVERIFY(bench.last.jobStops.has_value());
        QVERIFY(bench.last.jobStops->message.find("per day") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(LimitsTest)
#include "limits_test.moc"
