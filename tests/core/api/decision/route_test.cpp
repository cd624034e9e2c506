#include "core/api/decision/limits/fair_share.h"
#include "core/api/decision/route_book.h"
#include "tests/core/api/decision/world_of_one.h"

#include <map>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

ApiSettings threeModels()
{
    ApiSettings settings = settingsWith(1, {});
    addFallback(settings, "q");
    addFallback(settings, "s");
    return settings;
}

CallDemand callOf(std::uint64_t item)
{
    CallDemand call;
    call.id = CallId(item);
    call.itemHash = item;
    return call;
}

std::map<std::size_t, int> firstChoices(RouteBook& book)
{
    std::map<std::size_t, int> firsts;
    for (std::uint64_t item = 0; item < 10'000; ++item) ++firsts[book.models(book.listFor(callOf(item))).front()];
    return firsts;
}

} // namespace

class RouteTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void choicesComeInTheirOrder()
    {
        const ApiSettings settings = threeModels();
        RouteBook book(settings);
        const auto list = book.listFor(callOf(1));
        QVERIFY((book.models(list) == std::vector<std::size_t>{0, 1, 2}));
        QVERIFY((book.models(book.without(list, 1)) == std::vector<std::size_t>{0, 2}));
        CallDemand only = callOf(1);
        only.onlyModel = 2;
        QVERIFY((book.models(book.listFor(only)) == std::vector<std::size_t>{2}));
    }

    void weightsSpreadItemsAndAnItemStays()
    {
        ApiSettings settings = threeModels();
        settings.routes[0].weighted = true;
        settings.routes[0].choices[0].weight = 3;
        RouteBook book(settings);
        auto firsts = firstChoices(book);
        QVERIFY(firsts[0] > 5700 && firsts[0] < 6300);
        QVERIFY(firsts[1] > 1800 && firsts[1] < 2200);
        QCOMPARE(book.listFor(callOf(5)), book.listFor(callOf(5)));
    }

    void canaryGetsItsShareAndIsPromoted()
    {
        ApiSettings settings = threeModels();
        settings.routes[0].canaryPercent = 10;
        RouteBook book(settings);
        QVERIFY(firstChoices(book)[2] > 900 && firstChoices(book)[2] < 1100);
        const auto waiting = book.listFor(callOf(1));
        for (int i = 0; i < 50; ++i) {
            book.ended(0, 0, i % 10 == 0);
            book.ended(0, 2, i % 10 == 0);
        }
        QCOMPARE(firstChoices(book)[2], 10'000);
        QCOMPARE(book.models(waiting).front(), std::size_t(2));
    }

    void badCanaryIsTakenOutEvenOfWaitingCalls()
    {
        ApiSettings settings = threeModels();
        settings.routes[0].canaryPercent = 50;
        RouteBook book(settings);
        std::vector<RouteBook::ListId> lists;
        for (std::uint64_t item = 0; item < 50; ++item) lists.push_back(book.listFor(callOf(item)));
        for (int i = 0; i < 10; ++i) {
            book.ended(0, 0, false);
            book.ended(0, 2, true);
        }
        for (const auto list : lists) QVERIFY((book.models(list) == std::vector<std::size_t>{0, 1}));
        QCOMPARE(firstChoices(book)[2], 0);
    }

    void rateLimitedFirstChoiceIsWaitedForUnlessTheOtherEndsMuchSooner()
    {
        ApiSettings settings = settingsWith(1, {{perMinute(1)}, {}, {}});
        addFallback(settings, "q");
        Bench bench(settings);
        bench.submit(1, at(0s));
        bench.submit(2, at(0s));
        QCOMPARE(bench.sendsAt(at(0s)).size(), std::size_t(1));
        QVERIFY(bench.sendsAt(at(30s)).empty());

        settings.providers[0].accounts[0].limits.windows = {{LimitUnit::Requests, 1, 600s}};
        Bench patient(settings);
        patient.submit(1, at(0s));
        patient.submit(2, at(0s));
        QCOMPARE(patient.sendsAt(at(0s)).size(), std::size_t(1));
        const auto sends = patient.sendsAt(at(1s));
        QCOMPARE(sends.size(), std::size_t(1));
        QCOMPARE(sends[0].model, std::size_t(1));
        QCOMPARE(QString::fromStdString(sends[0].why), QString("m: busy for long"));
    }

    void promptFamilyStaysOnItsAccountWhileThatCostsNothing()
    {
        Bench bench(settingsWith(4, {{}, 2, {}}));
        std::vector<std::size_t> accounts;
        for (std::uint64_t i = 1; i <= 6; ++i) {
            CallDemand call = callOf(i);
            call.item = ItemIndex(static_cast<std::int64_t>(i));
            call.promptFamily = 42;
            bench.dispatcher->submit(call, at(0s));
        }
        for (const SendOrder& order : bench.sendsAt(at(0s))) accounts.push_back(order.account);
        QCOMPARE(accounts.size(), std::size_t(6));
        QCOMPARE(accounts[0], accounts[1]);
        QVERIFY(accounts[2] != accounts[1]);
        QCOMPARE(accounts[2], accounts[3]);
    }

    void largeCallIsNotStarvedBySmallOnes()
    {
        ApiSettings settings = settingsWith(1, {{{LimitUnit::InputTokens, 1000, 60s}}, {}, {}});
        settings.routes.push_back({"small", RouteKind::Text, {{0, 1}}});
        ApiModel twin = settings.models[0];
        twin.name = "twin";
        settings.models.push_back(twin);
        settings.routes[1].choices = {{1, 1}};
        Bench bench(std::move(settings));
        const auto submit = [&](std::size_t route, std::int64_t item, std::int64_t tokens, BootTime now) {
            CallDemand call = callOf(++bench.lastCall);
            call.route = route;
            call.item = ItemIndex(item);
            call.inputTokens = tokens;
            bench.dispatcher->submit(call, now);
        };
        submit(1, 0, 600, at(0s));
        bench.sendsAt(at(0s));
        submit(0, 1, 900, at(1s));
        bool large = false;
        for (int second = 1; second < 100 && !large; ++second) {
            submit(1, 100 + second, 100, at(std::chrono::seconds(second)));
            for (const SendOrder& order : bench.sendsAt(at(std::chrono::seconds(second))))
                large = large || order.model == 0;
        }
        QVERIFY(large);
    }

    void lessUrgentProcessMakesWayAndIsNotStarved()
    {
        FairShare share;
        share.demands({{"s", 1, 5, at(0s), 2}});
        QVERIFY(share.mayTake("s", 1, at(0s)) <= at(0s));
        QVERIFY(share.mayTake("s", 0, at(0s)) <= at(0s));
        QVERIFY(share.mayTake("other", 9, at(0s)) <= at(0s));
        QVERIFY(share.mayTake("s", 9, at(0s)) == at(250ms));
        for (int i = 0; i < 14; ++i) share.othersGranted("s");
        QVERIFY(share.mayTake("s", 9, at(1s)) > at(1s));
        share.othersGranted("s");
        QVERIFY(share.mayTake("s", 9, at(1s)) <= at(1s));
        share.granted("s");
        QVERIFY(share.mayTake("s", 9, at(2s)) == at(2s + 250ms));
        QVERIFY(share.mayTake("s", 9, at(3s)) <= at(3s));
        share.demands({});
        QVERIFY(share.mayTake("s", 9, at(4s)) <= at(4s));
    }
};

QTEST_GUILESS_MAIN(RouteTest)
#include "route_test.moc"
