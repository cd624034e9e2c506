#include "aiflow/rehearsal.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

class Rehearsed {
public:
    Rehearsed()
    {
        m_request.sample = true;
        m_request.speed = 200;
        m_where.stateDirectory = m_folder.filePath("state").toStdString();
    }

    RehearsalRequest& request() { return m_request; }
    Surroundings& where() { return m_where; }
    QString path(const QString& name) const { return m_folder.filePath(name); }

    Result<JobReport> run()
    {
        auto session = rehearse(m_where, m_request);
        if (!session) return tl::unexpected(session.error());
        return (*session)->run({});
    }
    QStringList left() const
    {
        return QDir(m_folder.filePath("state/rehearsals")).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    }

private:
    QTemporaryDir m_folder;
    Surroundings m_where;
    RehearsalRequest m_request;
};

std::int64_t callsThatEnded(const RehearsalReport& report, const std::string& kind)
{
    for (const RehearsalTrouble& trouble : report.troubles)
        if (trouble.kind == kind) return trouble.calls;
    return 0;
}

RehearsalFault fault(RehearsalFault::Kind kind, const std::string& provider = {})
{
    RehearsalFault made;
    made.kind = kind;
    made.provider = provider;
    return made;
}

} // namespace

class RehearsalTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatShipsIsRehearsedWithoutAKeyAndLeavesNothingBehind()
    {
        Rehearsed rehearsal;
        const auto report = rehearsal.run();
        QVERIFY2(report.has_value(), report ? "" : report.error().text().c_str());
        QCOMPARE(report->exitCode, 0);
        QCOMPARE(report->snapshot.items[TaskState::Succeeded], 14);
        QVERIFY(report->files.empty());
        const RehearsalReport& seen = *report->rehearsal;
        QCOMPARE(seen.calls, 28);
        QCOMPARE(seen.refusals, 0);
        QCOMPARE(seen.violations, 0);
        QCOMPARE(seen.paidTwice, 0);
        QCOMPARE(seen.cost.size(), std::size_t{1});
        QCOMPARE(seen.cost[0].currency, std::string("USD"));
        // 14 pictures at 0.03 USD, and some texts.
        QVERIFY(seen.cost[0].amount > 0.42 && seen.cost[0].amount < 0.60);
        QVERIFY(std::abs(seen.cost[0].amount - report->snapshot.cost.amount) < 1e-6);
        QVERIFY(!seen.unpriced);
        // No picture comes before its text: 15 s and 40 s, give or take chance.
        QVERIFY(seen.serviceTime > 40s && seen.serviceTime < 1h);
        QVERIFY(seen.accounts.size() >= 3);
        QCOMPARE(rehearsal.left(), QStringList());
        QVERIFY(!QDir(rehearsal.path("state/jobs")).exists() && !QFile::exists(rehearsal.path("state/limits.db")));
    }

    void aLimitTakesTheFirstItems()
    {
        Rehearsed rehearsal;
        rehearsal.request().limit = 2;
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(report->snapshot.total, 2);
        QCOMPARE(report->rehearsal->calls, 4);
    }

    void anotherModelStandsInForAServiceThatIsAway()
    {
        Rehearsed rehearsal;
        rehearsal.request().limit = 3;
        rehearsal.request().faults = {fault(RehearsalFault::Kind::Outage, "studio")};
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(report->exitCode, 0);
        QVERIFY(callsThatEnded(*report->rehearsal, "outage") > 0);
        QCOMPARE(report->rehearsal->accounts.front().account, std::string("painter/main"));
        QCOMPARE(report->rehearsal->accounts.front().calls, 3);
    }

    void refusedContentFailsItsItemsWithTheirLines()
    {
        Rehearsed rehearsal;
        rehearsal.request().limit = 2;
        rehearsal.request().faults = {fault(RehearsalFault::Kind::Refuse, "writer")};
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(report->snapshot.items[TaskState::Failed], 2);
        QCOMPARE(report->rehearsal->failures.size(), std::size_t{2});
        QCOMPARE(report->rehearsal->failures[0].line, 2);
        QCOMPARE(report->rehearsal->failures[0].item, std::string("CUP-01"));
        QCOMPARE(report->rehearsal->failures[0].reason, Reason::ProviderContentPolicy);
    }

    void anOutageEndsAnImpatientJobWithExitCodeFive()
    {
        Rehearsed rehearsal;
        rehearsal.request().faults = {fault(RehearsalFault::Kind::Outage)};
        rehearsal.request().batch.stopOnOutage = true;
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(report->exitCode, 5);
        QCOMPARE(report->snapshot.state, JobState::Interrupted);
        QVERIFY(report->cause && report->cause->reason == Reason::ProviderOutage);
        QCOMPARE(report->snapshot.items[TaskState::Failed], 0);
    }

    void aReachedBudgetEndsTheJobWithExitCodeSix()
    {
        Rehearsed rehearsal;
        rehearsal.request().batch.budget = "0.10USD";
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(report->exitCode, 6);
        QVERIFY(report->rehearsal->cost[0].amount <= 0.10);
        QCOMPARE(report->snapshot.budget.amount, 0.10);
    }

    void theFolderStaysWhenAskedTo()
    {
        Rehearsed rehearsal;
        rehearsal.request().limit = 1;
        rehearsal.request().keep = true;
        const auto report = rehearsal.run();
        QVERIFY(report.has_value());
        QCOMPARE(rehearsal.left().size(), 1);
        QVERIFY(QFile::exists(QString::fromStdString((report->rehearsal->folder / "out" / "CUP-01.png").string())));
    }

    void whatRehearsalsLeftThatDiedIsRemoved()
    {
        Rehearsed rehearsal;
        QVERIFY(QDir().mkpath(rehearsal.path("state/rehearsals/999999999-1/state")));
        rehearsal.request().limit = 1;
        QVERIFY(rehearsal.run().has_value());
        QCOMPARE(rehearsal.left(), QStringList());
    }

    void aPipelineWithoutServicesIsNothingToRehearse()
    {
        Rehearsed rehearsal;
        rehearsal.request().batch.pipeline = "hero-image";
        const auto report = rehearsal.run();
        QVERIFY(!report);
        QCOMPARE(report.error().reason, Reason::ConfigInvalid);
        QCOMPARE(rehearsal.left(), QStringList());
    }

    void aRouteThatNobodyAnswersIsAnError()
    {
        Rehearsed rehearsal;
        QFile config(rehearsal.path("aiflow.yaml"));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write("aiflow: 1\noffline: true\n");
        config.close();
        rehearsal.where().configFile = config.fileName().toStdString();
        const auto report = rehearsal.run();
        QVERIFY(!report);
        QVERIFY2(report.error().message.find("route \"text\"") != std::string::npos, report.error().text().c_str());
    }
};

QTEST_GUILESS_MAIN(RehearsalTest)
#include "rehearsal_test.moc"
