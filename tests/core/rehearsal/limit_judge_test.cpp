#include "core/rehearsal/limit_judge.h"

#include <QTest>
#include <random>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

SimulatedService serviceWith(LimitSet account, LimitSet model = {}, LimitSet organisation = {}, LimitSet provider = {})
{
    SimulatedService service;
    service.name = "sim";
    service.limits = std::move(provider);
    service.organisations["team"] = std::move(organisation);
    for (const char* name : {"a", "b"}) service.accounts.push_back({name, name, account, "team"});
    for (const char* name : {"m", "n"}) {
        SimulatedModel& made = service.models.emplace_back();
        made.name = name;
        made.limits = model;
    }
    return service;
}

LimitSet requests(std::int64_t count, std::chrono::milliseconds window)
{
    LimitSet limits;
    limits.windows = {{LimitUnit::Requests, count, window}};
    return limits;
}

// The same question, answered by looking at every span.
bool anySpanTooFull(const std::vector<std::int64_t>& arrivals, std::int64_t window, std::int64_t most)
{
    for (const std::int64_t from : arrivals) {
        std::int64_t count = 0;
        for (const std::int64_t at : arrivals) count += at >= from && at < from + window ? 1 : 0;
        if (count > most) return true;
    }
    return false;
}

} // namespace

class LimitJudgeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theCallOverTheLimitIsRefusedUntilTheFirstLeavesItsWindow()
    {
        LimitJudge judge(serviceWith(requests(2, 1s)), 1);
        const auto& gates = judge.gatesOf(0, 0);
        QVERIFY(!judge.arrive(gates, 0, {}).refused);
        QVERIFY(!judge.arrive(gates, 10, {}).refused);
        const Ruling third = judge.arrive(gates, kSecond - 1, {});
        QVERIFY(third.refused);
        QVERIFY(third.violates);
        QCOMPARE(third.waitNs, std::int64_t{1});
        QCOMPARE(third.limit, std::string("2 requests in 1000 ms of account a"));
    }

    void aCallExactlyOneWindowLaterIsAccepted()
    {
        LimitJudge judge(serviceWith(requests(1, 1s)), 1);
        const auto& gates = judge.gatesOf(0, 0);
        QVERIFY(!judge.arrive(gates, 5, {}).refused);
        QVERIFY(!judge.arrive(gates, 5 + kSecond, {}).refused);
    }

    void aRefusedCallStillCountsAsAnArrival()
    {
        LimitJudge judge(serviceWith(requests(1, 1s)), 1);
        const auto& gates = judge.gatesOf(0, 0);
        judge.arrive(gates, 0, {});
        QVERIFY(judge.arrive(gates, kSecond / 2, {}).refused);
        const Ruling later = judge.arrive(gates, kSecond, {});
        QVERIFY(!later.refused);
        QVERIFY(later.violates);
    }

    void windowsShrinkWithTheSpeed()
    {
        LimitJudge judge(serviceWith(requests(1, 1s)), 20);
        const auto& gates = judge.gatesOf(0, 0);
        judge.arrive(gates, 0, {});
        QVERIFY(judge.arrive(gates, kSecond / 20 - 1, {}).refused);
        QVERIFY(!judge.arrive(gates, kSecond / 20, {}).refused);
    }

    void everyScopeHasItsOwnLimit()
    {
        LimitJudge byModel(serviceWith({}, requests(1, 1s)), 1);
        QVERIFY(!byModel.arrive(byModel.gatesOf(0, 0), 0, {}).refused);
        QVERIFY(!byModel.arrive(byModel.gatesOf(0, 1), 0, {}).refused);
        QVERIFY(!byModel.arrive(byModel.gatesOf(1, 0), 0, {}).refused);
        QVERIFY(byModel.arrive(byModel.gatesOf(0, 0), 0, {}).refused);
        LimitJudge byOrganisation(serviceWith({}, {}, requests(1, 1s)), 1);
        QVERIFY(!byOrganisation.arrive(byOrganisation.gatesOf(0, 0), 0, {}).refused);
        QVERIFY(byOrganisation.arrive(byOrganisation.gatesOf(1, 1), 0, {}).refused);
        LimitJudge byProvider(serviceWith({}, {}, {}, requests(1, 1s)), 1);
        QVERIFY(!byProvider.arrive(byProvider.gatesOf(0, 0), 0, {}).refused);
        QVERIFY(byProvider.arrive(byProvider.gatesOf(1, 1), 0, {}).refused);
    }

    void tokensAreCountedAndARefusedCallUsesNone()
    {
        LimitSet limits;
        limits.windows = {{LimitUnit::TotalTokens, 100, 1s}, {LimitUnit::Images, 2, 1s}};
        LimitJudge judge(serviceWith(limits), 1);
        const auto& gates = judge.gatesOf(0, 0);
        CallLoad load;
        load.inputTokens = 40;
        load.outputTokens = 20;
        QVERIFY(!judge.arrive(gates, 0, load).refused);
        QVERIFY(judge.arrive(gates, 1, load).refused);
        load.outputTokens = 0;
        load.images = 2;
        QVERIFY(!judge.arrive(gates, 2, load).refused);
        load.inputTokens = 0;
        load.images = 1;
        QVERIFY(judge.arrive(gates, 3, load).refused);
    }

    void placesAreTakenUntilTheWorkEnds()
    {
        LimitSet limits;
        limits.concurrency = 2;
        LimitJudge judge(serviceWith(limits), 1);
        const auto& gates = judge.gatesOf(0, 0);
        judge.arrive(gates, 0, {});
        judge.arrive(gates, 1, {});
        QVERIFY(judge.arrive(gates, 2, {}).refused);
        judge.left(gates);
        QVERIFY(!judge.arrive(gates, 3, {}).refused);
        QCOMPARE(judge.highest(0), std::int64_t{2});
    }

    void lateNoticedArrivalsAreJudgedByTheirTime()
    {
        ArrivalLog log(2, kSecond);
        log.add(kSecond, 1);
        log.add(kSecond + kSecond / 2, 1);
        QVERIFY(log.overflows(kSecond / 2 + 1, 1)); // the span from here holds both
        QVERIFY(!log.overflows(kSecond / 2, 1));    // and this one only the first
        QVERIFY(log.overflows(kSecond * 2 - 1, 1));
        QVERIFY(!log.overflows(kSecond * 2, 1));
    }

    void theLogAgreesWithCountingEverySpan()
    {
        std::mt19937_64 random(7);
        for (int round = 0; round < 300; ++round) {
            const std::int64_t most = 1 + static_cast<std::int64_t>(random() % 5);
            const std::int64_t window = 20 + static_cast<std::int64_t>(random() % 50);
            ArrivalLog log(most, window);
            std::vector<std::int64_t> admitted;
            std::int64_t now = 1000;
            for (int i = 0; i < 60; ++i) {
                now += static_cast<std::int64_t>(random() % 12);
                const std::int64_t at = now - static_cast<std::int64_t>(random() % 9); // a little disorder
                std::vector<std::int64_t> with = admitted;
                with.push_back(at);
                const bool tooFull = anySpanTooFull(with, window, most);
                QCOMPARE(log.overflows(at, 1), tooFull);
                if (tooFull) {
                    QVERIFY(log.fitsAt(at, 1) > at);
                    continue;
                }
                log.add(at, 1);
                admitted = with;
            }
        }
    }
};

QTEST_GUILESS_MAIN(LimitJudgeTest)
#include "limit_judge_test.moc"
