#include "core/facade/rehearsal/fault_rules.h"

#include <QTest>

using namespace aiflow;
using namespace std::chrono_literals;
using Kind = RehearsalFault::Kind;

namespace {

SimulatedWorld twoServices()
{
    SimulatedWorld world;
    SimulatedService openai, studio;
    openai.name = "openai";
    openai.accounts = {{"openai/main", "k", {}, ""}, {"openai/second", "l", {}, ""}};
    studio.name = "studio";
    studio.accounts = {{"studio/main", "m", {}, ""}};
    world.services = {openai, studio};
    return world;
}

RehearsalFault fault(Kind kind, double share = 1)
{
    RehearsalFault made;
    made.kind = kind;
    made.share = share;
    return made;
}

// Of all calls that the rules leave to be met, as they are tried one after the other.
double shareOf(const std::vector<SimulatedFault>& rules)
{
    double left = 1;
    for (const SimulatedFault& rule : rules) left *= 1 - rule.probability;
    return 1 - left;
}

} // namespace

class FaultRulesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aFaultWithoutANameMeetsEveryService()
    {
        SimulatedWorld world = twoServices();
        RehearsalFault outage = fault(Kind::Outage);
        outage.from = 30s;
        outage.lasting = 2min;
        QVERIFY(addFaults(world, {outage}).has_value());
        for (const SimulatedService& service : world.services) {
            QCOMPARE(service.faults.size(), std::size_t{1});
            QCOMPARE(service.faults[0].kind, FaultKind::Unavailable);
            QCOMPARE(service.faults[0].from, std::chrono::milliseconds(30s));
            QCOMPARE(service.faults[0].until, std::optional(std::chrono::milliseconds(150s)));
        }
    }

    void aFaultWithANameMeetsThatServiceOrAccountAlone()
    {
        SimulatedWorld world = twoServices();
        RehearsalFault quota = fault(Kind::Quota);
        quota.provider = "openai";
        quota.account = "openai/second";
        QVERIFY(addFaults(world, {quota}).has_value());
        QCOMPARE(world.services[0].faults.size(), std::size_t{1});
        QCOMPARE(world.services[0].faults[0].account, std::string("openai/second"));
        QVERIFY(!world.services[0].faults[0].until);
        QVERIFY(world.services[1].faults.empty());
    }

    void allFormsOfAFaultTogetherMeetTheShare()
    {
        for (const Kind kind : {Kind::Throttle, Kind::Reset, Kind::Lie}) {
            SimulatedWorld world = twoServices();
            QVERIFY(addFaults(world, {fault(kind, 0.3)}).has_value());
            QVERIFY(world.services[0].faults.size() > 3);
            QVERIFY(std::abs(shareOf(world.services[0].faults) - 0.3) < 1e-9);
        }
        SimulatedWorld world = twoServices();
        QVERIFY(addFaults(world, {fault(Kind::Reset)}).has_value());
        QCOMPARE(world.services[0].faults.back().probability, 1.0);
    }

    void whoIsNotThereIsNamedWithTheNearest()
    {
        SimulatedWorld world = twoServices();
        RehearsalFault wrong = fault(Kind::Key);
        wrong.provider = "opneai";
        const auto provider = addFaults(world, {wrong});
        QVERIFY(!provider);
        QCOMPARE(provider.error().reason, Reason::UsageInvalid);
        QCOMPARE(provider.error().hint, std::string("did you mean openai?"));
        wrong.provider = "openai";
        wrong.account = "openai/third";
        const auto account = addFaults(world, {wrong});
        QVERIFY(!account);
        QVERIFY(account.error().message.find("the account \"openai/third\"") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(FaultRulesTest)
#include "fault_rules_test.moc"
