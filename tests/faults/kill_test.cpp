#include "tests/support/cli_sandbox/journal_facts.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QRandomGenerator>
#include <QTest>

#include <csignal>

using namespace aiflow::test;

namespace {

constexpr int kGoodProducts = 14;
constexpr int kProducts = kGoodProducts + 2; // one photograph is missing, one damaged
constexpr int kPartial = 3;
constexpr int kLinesOfARun = 50;

const QStringList kQuiet{QStringLiteral("--progress"), QStringLiteral("none")};
const QStringList kEvents{QStringLiteral("--output"), QStringLiteral("jsonl"), QStringLiteral("--progress"),
                          QStringLiteral("none")};

} // namespace

class KillTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void killedAtFaultPoints_data();
    void killedAtFaultPoints();
    void killedAfterEvents_data();
    void killedAfterEvents();
    void theSameCommandGoesOnWithAJobThatDiedBeforeItBegan();

private:
    static QByteArray goOnToTheEnd(const Sandbox& sandbox);
    QByteArray judge(const Sandbox& sandbox) const;

    FileTree m_undisturbed;
};

void KillTest::initTestCase()
{
    const Sandbox sandbox;
    sandbox.fill(kGoodProducts);
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    QVERIFY2(end.exitCode == kPartial, end.text().constData());
    m_undisturbed = sandbox.results();
    QCOMPARE(m_undisturbed.size(), 2 * kGoodProducts + 2);
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    QVERIFY2(broken.isEmpty(), broken.constData());
}

// Of a job that was killed.
QByteArray KillTest::goOnToTheEnd(const Sandbox& sandbox)
{
    const CliEnd end = sandbox.run(sandbox.resume(kQuiet));
    return end.exitCode == kPartial ? QByteArray() : end.text();
}

QByteArray KillTest::judge(const Sandbox& sandbox) const
{
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    return broken.isEmpty() ? difference(m_undisturbed, sandbox.results()) : broken;
}

void KillTest::killedAtFaultPoints_data()
{
    QTest::addColumn<QString>("point");
    for (const char* point :
         {"after_job_json=kill:1", "before_commit=kill:1", "after_commit=kill:1", "before_commit=kill:4",
          "after_commit=kill:5", "before_artifact=kill:5", "after_artifact=kill:9", "before_cache_commit=kill:1"})
        QTest::newRow(point) << QString::fromLatin1(point);
}

void KillTest::killedAtFaultPoints()
{
    QFETCH(QString, point);
    const Sandbox sandbox;
    sandbox.fill(kGoodProducts);
    const Environment armed{{QStringLiteral("AIFLOW_FAILPOINT"), point}};
    const CliEnd first = sandbox.run(sandbox.batch(kQuiet), armed);
    if (first.signal == 0) QSKIP("this build has no fault points");
    QCOMPARE(first.signal, SIGKILL);
    // The same place again; there may be too little left to do to come to it.
    const CliEnd second = sandbox.run(sandbox.resume(kQuiet), armed);
    QVERIFY2(second.signal == SIGKILL || second.exitCode == kPartial, second.text().constData());
    const QByteArray trouble = goOnToTheEnd(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
    const QByteArray verdict = judge(sandbox);
    QVERIFY2(verdict.isEmpty(), verdict.constData());
}

void KillTest::killedAfterEvents_data()
{
    QTest::addColumn<quint32>("seed");
    for (quint32 seed = 1; seed <= 3; ++seed) QTest::addRow("seed %u", seed) << seed;
}

// Twice in one job, each time after as many lines of the event stream as the seed says.
void KillTest::killedAfterEvents()
{
    QFETCH(quint32, seed);
    QRandomGenerator random(seed);
    const Sandbox sandbox;
    sandbox.fill(kGoodProducts);
    QStringList command = sandbox.batch(kEvents);
    for (int kill = 0; kill < 2; ++kill) {
        CliProcess job(command);
        for (int lines = random.bounded(1, kLinesOfARun / (kill + 1)); lines > 0; --lines)
            if (job.nextLine().isEmpty()) break;
        job.signal(SIGKILL);
        const CliEnd end = job.end();
        QVERIFY2(end.signal == SIGKILL || end.exitCode == kPartial, end.text().constData());
        command = sandbox.resume(kEvents);
    }
    const QByteArray trouble = goOnToTheEnd(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
    const QByteArray verdict = judge(sandbox);
    QVERIFY2(verdict.isEmpty(), verdict.constData());
}

void KillTest::theSameCommandGoesOnWithAJobThatDiedBeforeItBegan()
{
    const Sandbox sandbox;
    sandbox.fill(kGoodProducts);
    const CliEnd first = sandbox.run(sandbox.batch(kQuiet),
                                     {{QStringLiteral("AIFLOW_FAILPOINT"), QStringLiteral("after_job_json=kill:1")}});
    if (first.signal == 0) QSKIP("this build has no fault points");
    const QString job = sandbox.job();
    const CliEnd again = sandbox.run(sandbox.batch(kQuiet));
    QVERIFY2(again.exitCode == kPartial, again.text().constData());
    QCOMPARE(sandbox.job(), job);
    const QByteArray verdict = judge(sandbox);
    QVERIFY2(verdict.isEmpty(), verdict.constData());
}

QTEST_GUILESS_MAIN(KillTest)
#include "kill_test.moc"
