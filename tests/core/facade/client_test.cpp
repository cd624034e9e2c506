#include "aiflow/job_client.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QDir>
#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr int kGoodProducts = 10;
constexpr int kProducts = kGoodProducts + 2;

std::unique_ptr<JobClient> clientOf(const Sandbox& sandbox)
{
    auto client = JobClient::open(sandbox.path(QStringLiteral("state")).toStdString());
    if (!client) qFatal("%s", client.error().message.c_str());
    return std::move(*client);
}

} // namespace

class ClientTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aKilledJobAddsUpToItsTotal_data();
    void aKilledJobAddsUpToItsTotal();
    void aJobThatDiedBeforeItsJournalBeganIsShownAsInterrupted();
    void pagesOfItemsAndEventsAreWhole();
    void exportPutsBackWhatWasDeleted();
    void itemsAndJsonLinesNameEveryProduct();
    void aJobThatDoesNotRunTakesNoCommand();

private:
    // A job that ended; two products of it failed.
    static void runJob(const Sandbox& sandbox)
    {
        sandbox.fill(kGoodProducts);
        const CliEnd end = sandbox.run(sandbox.batch());
        QVERIFY2(end.exitCode == 3, end.text().constData());
    }
    // False: this build has no fault points.
    static bool killJob(const Sandbox& sandbox, const QString& point)
    {
        sandbox.fill(kGoodProducts);
        return sandbox.run(sandbox.batch(), {{QStringLiteral("AIFLOW_FAILPOINT"), point}}).signal != 0;
    }
};

void ClientTest::aKilledJobAddsUpToItsTotal_data()
{
    QTest::addColumn<QString>("point");
    for (const char* point : {"after_commit=kill:1", "before_commit=kill:3", "after_commit=kill:5"})
        QTest::newRow(point) << QString::fromLatin1(point);
}

void ClientTest::aKilledJobAddsUpToItsTotal()
{
    QFETCH(QString, point);
    const Sandbox sandbox;
    if (!killJob(sandbox, point)) QSKIP("this build has no fault points");
    const auto job = clientOf(sandbox)->status("last");
    QVERIFY(job);
    QCOMPARE(job->state, JobState::Interrupted);
    QCOMPARE(job->ownerPid, 0);
    QCOMPARE(job->total, kProducts);
    QCOMPARE(job->items.total(), kProducts);
    QCOMPARE(job->items[TaskState::Running], 0);
    QCOMPARE(job->steps.size(), 4U);
    for (const StepSnapshot& step : job->steps) QCOMPARE(step.counts.total(), kProducts);
}

void ClientTest::aJobThatDiedBeforeItsJournalBeganIsShownAsInterrupted()
{
    const Sandbox sandbox;
    if (!killJob(sandbox, QStringLiteral("after_job_json=kill:1"))) QSKIP("this build has no fault points");
    const auto jobs = clientOf(sandbox)->list();
    QVERIFY(jobs && jobs->size() == 1);
    QCOMPARE(jobs->front().state, JobState::Interrupted);
    QCOMPARE(jobs->front().total, 0);
}

void ClientTest::pagesOfItemsAndEventsAreWhole()
{
    const Sandbox sandbox;
    runJob(sandbox);
    const auto client = clientOf(sandbox);
    std::vector<std::string> ids;
    for (std::int64_t from = 0;; from += 5) {
        const auto page = client->items("last", {from, 5, {}, {}});
        QVERIFY(page);
        for (const ItemLine& item : *page) ids.push_back(item.id);
        if (page->size() < 5) break;
    }
    QCOMPARE(ids.size(), std::size_t{kProducts});
    QCOMPARE(ids.back(), std::string("P-0011"));
    const auto failed = client->items("last", {0, 100, TaskState::Failed, {}});
    QVERIFY(failed && failed->size() == 2);
    QCOMPARE(failed->front().step, std::string("load"));
    QVERIFY(failed->front().reason == Reason::InputImageMissing);

    const auto all = client->events("last", 1, 10'000), some = client->events("last", 4, 2);
    QVERIFY(all && some && some->size() == 2);
    QCOMPARE(all->back().type, std::string("job_finished"));
    QCOMPARE(some->front().json, (*all)[3].json);
}

void ClientTest::exportPutsBackWhatWasDeleted()
{
    const Sandbox sandbox;
    runJob(sandbox);
    const FileTree before = sandbox.results();
    QVERIFY(QDir(sandbox.path(QStringLiteral("out"))).removeRecursively());
    const auto summary = clientOf(sandbox)->exportJob("last", {});
    QVERIFY(summary);
    QCOMPARE(summary->results, kProducts);
    QCOMPARE(summary->failures, 2);
    QCOMPARE(summary->files, 2 * kGoodProducts);
    const QByteArray other = difference(before, sandbox.results());
    QVERIFY2(other.isEmpty(), other.constData());
}

void ClientTest::itemsAndJsonLinesNameEveryProduct()
{
    const Sandbox sandbox;
    runJob(sandbox);
    ExportRequest request;
    request.files = {ExportFile::Items, ExportFile::JsonLines};
    request.folder = sandbox.path(QStringLiteral("lists")).toStdString();
    const auto summary = clientOf(sandbox)->exportJob("last", request);
    QVERIFY(summary && summary->written.size() == 2);
    const QByteArray items = sandbox.read(QStringLiteral("lists/items.csv"));
    const QByteArray lines = sandbox.read(QStringLiteral("lists/results.jsonl"));
    QCOMPARE(items.count('\n'), kProducts + 1);
    QCOMPARE(lines.count('\n'), kProducts);
    for (int i = 0; i < kProducts; ++i) {
        const QByteArray id = "P-" + QByteArray::number(i).rightJustified(4, '0');
        QVERIFY2(items.contains(id) && lines.contains(id), id.constData());
    }
}

void ClientTest::aJobThatDoesNotRunTakesNoCommand()
{
    const Sandbox sandbox;
    runJob(sandbox);
    const auto client = clientOf(sandbox);
    const auto answer = client->pause("last");
    QVERIFY(!answer && answer.error().reason == Reason::JobNotFound);
    QVERIFY(QByteArray(answer.error().message.c_str()).contains("not running"));
    const auto follower = client->follow("last");
    QVERIFY(!follower && follower.error().reason == Reason::JobNotFound);
}

QTEST_GUILESS_MAIN(ClientTest)
#include "client_test.moc"
