#include "core/facade/running/outage_watch.h"

#include <QTest>

#include <atomic>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

// "text" is answered by openai alone, "image" by studio and, while it cannot, by openai.
ApiSettings settings()
{
    ApiSettings made;
    ProviderSettings openai, studio;
    openai.name = "openai";
    openai.accounts.resize(2);
    openai.accounts[0].name = "openai/main";
    openai.accounts[1].name = "openai/second";
    studio.name = "studio";
    studio.accounts.resize(1);
    studio.accounts[0].name = "studio/main";
    made.providers = {openai, studio};
    made.models.resize(2);
    made.models[0].provider = 0;
    made.models[1].provider = 1;
    made.routes.resize(2);
    made.routes[0].name = "text";
    made.routes[0].choices = {{0, 1}};
    made.routes[1].name = "image";
    made.routes[1].choices = {{1, 1}, {0, 1}};
    return made;
}

struct Watched {
    SystemClock clock;
    std::atomic<int> stops{0};
    OutageWatch watch;

    explicit Watched(OutagePatience patience, const std::set<std::string>& routes = {"text", "image"})
        : watch(settings(), routes, patience, clock, [this] { ++stops; })
    {
    }
};

} // namespace

class OutageWatchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aRouteThatNobodyAnswersStopsTheJobOnce()
    {
        Watched job({true, {}});
        job.watch.paused("openai", Reason::ProviderQuota, "402");
        QTRY_COMPARE(job.stops.load(), 1);
        const auto cause = job.watch.cause();
        QVERIFY(cause.has_value());
        QCOMPARE(cause->reason, Reason::ProviderQuota);
        QCOMPARE(cause->message, std::string("stopped early: nobody answers the route \"text\" (openai: 402)"));
        job.watch.paused("studio", Reason::ProviderOutage, "503");
        QCOMPARE(job.watch.cause()->message, cause->message);
    }

    void refusedKeysEndEvenAPatientJob()
    {
        Watched job({false, {}});
        job.watch.paused("openai/main", Reason::ProviderAuth, "401");
        job.watch.paused("openai/second", Reason::ProviderQuota, "402");
        job.watch.resumed("openai/second");
        QVERIFY(!job.watch.cause());
        job.watch.paused("openai", Reason::ProviderAuth, "401");
        QTRY_COMPARE(job.stops.load(), 1);
        QCOMPARE(job.watch.cause()->reason, Reason::ProviderAuth);
    }

    void aKeyThatOnlyLacksMoneyIsWaitedFor()
    {
        Watched job({false, {}});
        job.watch.paused("openai/main", Reason::ProviderAuth, "401");
        job.watch.paused("openai/second", Reason::ProviderQuota, "402");
        QVERIFY(!job.watch.cause());
        QCOMPARE(job.stops.load(), 0);
    }

    void whoHasAStandInHoldsNothing()
    {
        Watched job({true, {}}, {"image"});
        job.watch.paused("studio", Reason::ProviderOutage, "503");
        QVERIFY(!job.watch.cause());
        job.watch.paused("openai/main", Reason::ProviderAuth, "401");
        QVERIFY(!job.watch.cause());
        job.watch.paused("openai/second", Reason::ProviderAuth, "401");
        QTRY_COMPARE(job.stops.load(), 1);
    }

    void routesThatTheJobDoesNotAskDoNotMatter()
    {
        Watched job({true, {}}, {"image"});
        job.watch.paused("openai", Reason::ProviderOutage, "503");
        QVERIFY(!job.watch.cause());
        job.watch.paused("studio", Reason::ProviderOutage, "503");
        QTRY_VERIFY(job.watch.cause().has_value());
    }

    void afterTheLongestWaitTheJobStops()
    {
        Watched job({false, 20ms});
        job.watch.paused("openai", Reason::ProviderOutage, "503");
        QTRY_COMPARE(job.stops.load(), 1);
        QCOMPARE(job.watch.cause()->reason, Reason::ProviderOutage);
    }

    void aServiceThatIsBackInTimeStopsNothing()
    {
        Watched job({false, 1h});
        job.watch.paused("openai", Reason::ProviderOutage, "503");
        job.watch.resumed("openai");
        job.watch.resumed("never away");
        QVERIFY(!job.watch.cause());
        QCOMPARE(job.stops.load(), 0);
    }

    void withoutImpatienceAJobWaits()
    {
        Watched job({});
        job.watch.paused("openai", Reason::ProviderOutage, "503");
        QVERIFY(!job.watch.cause());
    }
};

QTEST_GUILESS_MAIN(OutageWatchTest)
#include "outage_watch_test.moc"
