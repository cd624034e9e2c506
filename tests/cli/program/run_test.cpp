#include "tests/cli/program/program.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow::test;

namespace {

const QString kProgram = AIFLOW_BINARY_DIR "/tests/aiflow-cli-fake";

} // namespace

// A job whose course the test decides, run by the real program.
class RunTest : public QObject {
    Q_OBJECT

    static Program& set(Program& program, const char* course, int items, int failing)
    {
        return program.set("FAKE_COURSE", course)
            .set("FAKE_ITEMS", QString::number(items))
            .set("FAKE_FAIL", QString::number(failing));
    }

private Q_SLOTS:
    void quietSaysNothingWhenAllWentWell()
    {
        Program program(kProgram, {"batch", "p.csv", "--quiet"});
        const Outcome outcome = program.run();
        QCOMPARE(outcome.exitCode, 0);
        QCOMPARE(outcome.out, QByteArray());
        QCOMPARE(outcome.err, QByteArray());
    }

    void quietGivesTheSummaryAloneWhenItemsFailed()
    {
        Program program(kProgram, {"batch", "p.csv", "--quiet"});
        const Outcome outcome = set(program, "finish", 24, 3).run();
        QCOMPARE(outcome.exitCode, 3);
        QCOMPARE(outcome.err, QByteArray());
        QVERIFY(outcome.out.contains("done 21") && outcome.out.contains("failed 3"));
        QVERIFY(outcome.out.contains("input.image_missing"));
        QVERIFY(outcome.out.contains("Next:  aiflow-cli retry fa4e01"));
    }

    void plainLinesHoldNoEscapeAndNoCarriageReturn()
    {
        Program program(kProgram, {"batch", "p.csv"});
        const Outcome outcome = set(program, "finish", 24, 8).run();
        QCOMPARE(outcome.exitCode, 3);
        for (const QByteArray& text : {outcome.out, outcome.err})
            QVERIFY(!text.contains('\x1b') && !text.contains('\r'));
        QVERIFY(outcome.err.contains("job fa4e01 start: 24 items, 2 steps, p.csv"));
        QCOMPARE(outcome.err.count(" failed line="), 5);
        QVERIFY(outcome.err.contains("...and 3 more like this"));
        QVERIFY(outcome.err.contains("end: partial, 16 ok, 8 failed"));
    }

    void jsonIsOneObjectAndEventsAreLines()
    {
        Program json(kProgram, {"batch", "p.csv", "--output", "json", "--progress", "none"});
        const Outcome one = set(json, "finish", 24, 2).run();
        QCOMPARE(one.out.count('\n'), 1);
        const auto object = QJsonDocument::fromJson(one.out).object();
        QCOMPARE(object["v"].toInt(), 1);
        QCOMPARE(object["exit_code"].toInt(), 3);
        QCOMPARE(object["outcome"].toString(), "partial");

        Program lines(kProgram, {"batch", "p.csv", "--output", "jsonl", "--progress", "none"});
        const Outcome many = set(lines, "finish", 24, 2).run();
        const auto events = many.out.split('\n');
        QCOMPARE(events.size(), 24 + 2 + 1);
        for (int i = 0; i < events.size() - 1; ++i)
            QCOMPARE(QJsonDocument::fromJson(events[i]).object()["seq"].toInt(), i + 1);
        QVERIFY(events.first().contains("job_started") && events[events.size() - 2].contains("job_finished"));
    }

    void jsonProgressGoesToStandardError()
    {
        Program program(kProgram, {"batch", "p.csv", "--progress", "json", "--output", "json"});
        const Outcome outcome = program.run();
        QVERIFY(outcome.err.startsWith("{\"v\":1,\"type\":\"progress\""));
        QCOMPARE(QJsonDocument::fromJson(outcome.out).object()["outcome"].toString(), "succeeded");
    }

    void errorsThatKeepAJobFromStartingHaveTheirExitCodes_data()
    {
        QTest::addColumn<QString>("reason");
        QTest::addColumn<int>("exitCode");
        QTest::newRow("key") << "provider.auth" << 4;
        QTest::newRow("lock") << "job.locked" << 11;
        QTest::newRow("pipeline") << "pipeline.invalid" << 2;
        QTest::newRow("unforeseen") << "internal" << 1;
    }
    void errorsThatKeepAJobFromStartingHaveTheirExitCodes()
    {
        QFETCH(QString, reason);
        QFETCH(int, exitCode);
        Program program(kProgram, {"batch", "p.csv", "--output", "json", "--progress", "none"});
        const Outcome outcome = program.set("FAKE_ERROR", reason).run();
        QCOMPARE(outcome.exitCode, exitCode);
        QCOMPARE(outcome.err, QByteArray("error: products.csv:3:7: as asked\n  a way out\n"));
        const auto error = QJsonDocument::fromJson(outcome.out).object()["error"].toObject();
        QCOMPARE(error["reason"].toString(), reason);
        QCOMPARE(error["line"].toInt(), 3);
    }

    void firstInterruptStopsSoftly()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "hang", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGINT);
        const Outcome outcome = program.finish();
        QCOMPARE(outcome.exitCode, 130);
        QVERIFY(outcome.err.contains("Stopping: no new work, "));
        QVERIFY(outcome.err.contains("up to 120 s.  Ctrl-C again to drop them."));
        QVERIFY(outcome.err.contains("Stopped. 12 of 24 done, checkpoint saved.\nResume:  aiflow-cli resume fa4e01"));
    }

    void terminationIsTheSameWithItsOwnCode()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "hang", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGTERM);
        QCOMPARE(program.finish().exitCode, 143);
    }

    void secondInterruptDropsWhatIsInFlight()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "stubborn", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGINT);
        QVERIFY(program.waitFor("Stopping:"));
        program.signal(SIGINT);
        const Outcome outcome = program.finish();
        QCOMPARE(outcome.exitCode, 130);
        QVERIFY(outcome.err.contains("Dropping what is in flight."));
    }

    void graceThatRanOutDropsWhatIsInFlight()
    {
        Program program(kProgram, {"batch", "p.csv", "--grace", "0"});
        QVERIFY(set(program, "stubborn", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGTERM);
        const Outcome outcome = program.finish();
        QCOMPARE(outcome.exitCode, 143);
        QVERIFY(outcome.err.contains("Time is up: dropping what is in flight."));
    }

    void engineThatDoesNotStopIsLeftAfterTheSecondInterrupt()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "stuck", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGINT);
        QVERIFY(program.waitFor("Stopping:"));
        program.signal(SIGINT);
        QCOMPARE(program.finish().exitCode, 130);
    }

    void thirdInterruptLeavesAtOnce()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "stuck", 24, 0).start());
        QVERIFY(program.waitFor("start: 24 items"));
        program.signal(SIGINT);
        QVERIFY(program.waitFor("Stopping:"));
        program.signal(SIGINT);
        QVERIFY(program.waitFor("Dropping"));
        program.signal(SIGINT);
        QCOMPARE(program.finish().exitCode, 130);
    }

    void userSignalAsksForOneStatusLine()
    {
        Program program(kProgram, {"batch", "p.csv"});
        QVERIFY(set(program, "hang", 24, 1).start());
        QVERIFY(program.waitFor("failed line=2"));
        program.signal(SIGUSR1);
        QVERIFY(program.waitFor("fa4e01 Running 50% 12/24 x1"));
        program.signal(SIGINT);
        QCOMPARE(program.finish().exitCode, 130);
    }

    void batchGoesOnWithoutAReaderAndSaysSoOnce()
    {
        Program program("/bin/sh", {"-c", kProgram + " batch p.csv --output jsonl --progress none | head -n 1; "
                                                     "echo ended"});
        const Outcome outcome = set(program, "finish", 20'000, 0).run();
        QVERIFY(outcome.out.contains("job_started") && outcome.out.contains("ended"));
        QCOMPARE(outcome.err.count("nobody reads standard output any more; the job goes on"), 1);
    }

    void finishCommandGetsTheFinalObject()
    {
        QTemporaryDir folder;
        Program program(kProgram, {"batch", "p.csv", "--quiet", "--on-finish", "cat > final.json; exit 5"});
        const Outcome outcome = set(program.in(folder.path()), "finish", 24, 1).run();
        QCOMPARE(outcome.exitCode, 3);
        QVERIFY(outcome.err.contains("--on-finish command ended with 5"));
        QFile file(folder.filePath("final.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(QJsonDocument::fromJson(file.readAll()).object()["exit_code"].toInt(), 3);
    }
};

QTEST_GUILESS_MAIN(RunTest)
#include "run_test.moc"
