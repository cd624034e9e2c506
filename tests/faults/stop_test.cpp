#include "tests/support/cli_sandbox/journal_facts.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <csignal>

using namespace aiflow::test;

namespace {

constexpr int kProducts = 40;

const QStringList kQuiet{QStringLiteral("--progress"), QStringLiteral("none")};
const QStringList kEvents{QStringLiteral("--output"), QStringLiteral("jsonl"), QStringLiteral("--progress"),
                          QStringLiteral("none")};

QJsonObject objectOf(const QByteArray& line) { return QJsonDocument::fromJson(line).object(); }

bool isFirstItem(const QByteArray& line) { return line.contains("\"type\":\"item_finished\""); }

} // namespace

// A job of many products is told things from outside while it runs. Every test waits for what it needs to see.
class StopTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void oneSignalStopsItAndResumeCompletesIt_data();
    void oneSignalStopsItAndResumeCompletesIt();
    void twoInterruptsEndItAtOnceAndNothingIsLost();
    void aSecondJobIntoTheSameFolderIsRefusedWithTheOwnersPid();
    void resumeOfARunningJobIsRefused();
    void pausedFromOutsideItWaitsAndGoesOn();
    void cancelledFromOutsideItEndsAndResumeCanGoOn();
    void aViewerSeesEveryEventOnce();
    void nobodyReadingItsOutputDoesNotStopIt();

private:
    QByteArray resumed(const Sandbox& sandbox) const;
    static QJsonObject status(const Sandbox& sandbox);

    FileTree m_undisturbed;
};

void StopTest::initTestCase()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    QVERIFY2(end.exitCode == 0, end.text().constData());
    m_undisturbed = sandbox.results();
    QCOMPARE(m_undisturbed.size(), 2 * kProducts + 1);
}

// Goes on with the job; what is wrong then, empty when nothing is.
QByteArray StopTest::resumed(const Sandbox& sandbox) const
{
    const CliEnd end = sandbox.run(sandbox.resume(kQuiet));
    if (end.exitCode != 0) return end.text();
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    return broken.isEmpty() ? difference(m_undisturbed, sandbox.results()) : broken;
}

QJsonObject StopTest::status(const Sandbox& sandbox)
{
    return objectOf(sandbox
                        .run(sandbox.command({QStringLiteral("status"), QStringLiteral("last"),
                                              QStringLiteral("--output"), QStringLiteral("json")}))
                        .out);
}

void StopTest::oneSignalStopsItAndResumeCompletesIt_data()
{
    QTest::addColumn<int>("signal");
    QTest::addColumn<int>("exitCode");
    QTest::newRow("Ctrl-C") << SIGINT << 130;
    QTest::newRow("SIGTERM") << SIGTERM << 143;
}

void StopTest::oneSignalStopsItAndResumeCompletesIt()
{
    QFETCH(int, signal);
    QFETCH(int, exitCode);
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    job.signal(signal);
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == exitCode, end.text().constData());
    QVERIFY2(end.err.contains("resume"), end.err.constData());
    const JournalFacts facts = journalFacts(sandbox.job());
    QVERIFY(facts.ended > 0 && facts.ended < kProducts);
    QCOMPARE(status(sandbox)[QStringLiteral("state")].toString(), QStringLiteral("interrupted"));
    const QByteArray trouble = resumed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void StopTest::twoInterruptsEndItAtOnceAndNothingIsLost()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    job.signal(SIGINT);
    job.signal(SIGINT);
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 130, end.text().constData());
    const QByteArray trouble = resumed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void StopTest::aSecondJobIntoTheSameFolderIsRefusedWithTheOwnersPid()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    job.signal(SIGSTOP); // it cannot end meanwhile
    const CliEnd second = sandbox.run(sandbox.batch(kQuiet));
    job.signal(SIGCONT);
    QVERIFY2(second.exitCode == 11, second.text().constData());
    QVERIFY2(second.err.contains(QByteArray::number(job.pid())), second.err.constData());
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 0, end.text().constData());
    const QByteArray other = difference(m_undisturbed, sandbox.results());
    QVERIFY2(other.isEmpty(), other.constData());
}

void StopTest::resumeOfARunningJobIsRefused()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    job.signal(SIGSTOP); // it cannot end meanwhile
    const CliEnd second = sandbox.run(sandbox.resume(kQuiet));
    job.signal(SIGCONT);
    QVERIFY2(second.exitCode == 11, second.text().constData());
    QVERIFY2(second.err.contains(QByteArray::number(job.pid())), second.err.constData());
    QCOMPARE(job.end().exitCode, 0);
}

void StopTest::pausedFromOutsideItWaitsAndGoesOn()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    const CliEnd paused = sandbox.run(sandbox.command({QStringLiteral("pause"), QStringLiteral("last")}));
    QVERIFY2(paused.exitCode == 0, paused.text().constData());
    QVERIFY(job.readUntil([](const QByteArray& line) { return line.contains("\"job_paused\""); }));
    const QString state = status(sandbox)[QStringLiteral("state")].toString();
    QVERIFY2(state == QStringLiteral("paused") || state == QStringLiteral("pausing"), qPrintable(state));
    const CliEnd going = sandbox.run(sandbox.resume());
    QVERIFY2(going.exitCode == 0, going.text().constData());
    QVERIFY(job.readUntil([](const QByteArray& line) { return line.contains("\"job_resumed\""); }));
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 0, end.text().constData());
    const QByteArray other = difference(m_undisturbed, sandbox.results());
    QVERIFY2(other.isEmpty(), other.constData());
}

void StopTest::cancelledFromOutsideItEndsAndResumeCanGoOn()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    const CliEnd cancelled = sandbox.run(sandbox.command({QStringLiteral("cancel"), QStringLiteral("last")}));
    QVERIFY2(cancelled.exitCode == 0, cancelled.text().constData());
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 130, end.text().constData());
    const QJsonObject at = status(sandbox);
    QCOMPARE(at[QStringLiteral("state")].toString(), QStringLiteral("cancelled"));
    const QJsonObject items = at[QStringLiteral("items")].toObject();
    const int done = items[QStringLiteral("succeeded")].toInt();
    QVERIFY(done > 0 && done < kProducts);
    QCOMPARE(items[QStringLiteral("cancelled")].toInt() + done, kProducts);
    const QByteArray trouble = resumed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void StopTest::aViewerSeesEveryEventOnce()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    CliProcess viewer(sandbox.command({QStringLiteral("attach"), QStringLiteral("last"), QStringLiteral("--output"),
                                       QStringLiteral("jsonl"), QStringLiteral("--from-seq"), QStringLiteral("1")}));
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 0, end.text().constData());
    const CliEnd seen = viewer.end();
    qint64 expected = 1;
    for (const QByteArray& line : seen.out.split('\n')) {
        const QJsonObject event = objectOf(line);
        if (!event.contains(QStringLiteral("seq"))) continue;
        QCOMPARE(event[QStringLiteral("seq")].toInteger(), expected++);
    }
    QCOMPARE(expected - 1, journalFacts(sandbox.job()).lastSeq);
}

void StopTest::nobodyReadingItsOutputDoesNotStopIt()
{
    const Sandbox sandbox;
    sandbox.fillSlow(kProducts);
    CliProcess job(sandbox.batch(kEvents));
    QVERIFY(job.readUntil(isFirstItem));
    job.closeOutput();
    const CliEnd end = job.end();
    QVERIFY2(end.exitCode == 0, end.text().constData());
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    QVERIFY2(broken.isEmpty(), broken.constData());
}

QTEST_GUILESS_MAIN(StopTest)
#include "stop_test.moc"
