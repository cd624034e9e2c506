#include "tests/cli/program/program.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow::test;

namespace {

const QString kProgram = AIFLOW_BINARY_DIR "/bin/aiflow-cli";
const QString kSamples = AIFLOW_SOURCE_DIR "/resources/samples";

QByteArray contentOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void write(const QString& path, const QByteArray& text)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

void copyFolder(const QString& from, const QString& to)
{
    QDir().mkpath(to);
    QDirIterator files(from, QDir::Files, QDirIterator::Subdirectories);
    while (files.hasNext()) {
        files.next();
        const QString target = to + "/" + QDir(from).relativeFilePath(files.filePath());
        QDir().mkpath(QFileInfo(target).path());
        QVERIFY(QFile::copy(files.filePath(), target));
    }
}

const QByteArray kThreeRows = "sku,title,image\r\n"
                              "A-1,Desk,images/desk.jpg\r\n"
                              "B-2,Bed,images/bed-front.jpg\r\n"
                              "C-3,Lamp,images/desk-lamp.jpg\r\n";

// Enough work that a test can act while it runs.
QByteArray manyRows(int rows)
{
    QByteArray text = "sku,title,image\r\n";
    for (int i = 0; i < rows; ++i) text += "N-" + QByteArray::number(i) + ",Desk,images/desk.jpg\r\n";
    return text;
}

} // namespace

// The whole product, from the command line to the pictures, offline.
class JobsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;

    Program cli(const QStringList& words)
    {
        Program program(kProgram, words);
        program.in(m_folder->path()).set("XDG_STATE_HOME", m_folder->filePath("state"));
        return program;
    }
    Outcome run(const QStringList& words) { return cli(words).run(); }
    static QJsonObject objectOf(const Outcome& outcome) { return QJsonDocument::fromJson(outcome.out).object(); }

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        copyFolder(kSamples, m_folder->filePath("samples"));
        write(m_folder->filePath("samples/three.csv"), kThreeRows);
    }

    void samplesFailTwiceAreMendedAndReused()
    {
        const QStringList batch{"batch", "samples/products.csv", "--offline"};
        const Outcome first = run(batch);
        QCOMPARE(first.exitCode, 3);
        QVERIFY2(first.out.contains("failed 2"), first.out.constData());
        QVERIFY(first.out.contains("input.image_missing") && first.out.contains("input.image_bad"));
        QVERIFY(first.out.contains("Next:  aiflow-cli retry "));
        QCOMPARE(first.err.count(" failed line="), 2);
        QCOMPARE(QDir(m_folder->filePath("out")).entryList({"*.jpg"}).size(), 12);

        const QString failures = m_folder->filePath("out/failures.csv");
        write(failures, contentOf(failures).replace("bed-front", "bed").replace("desk-damaged", "desk"));
        const Outcome mended = run({"batch", "out/failures.csv", "--offline", "--output", "json"});
        QVERIFY2(mended.exitCode == 0, mended.err.constData());
        QCOMPARE(objectOf(mended)["total"].toInt(), 2);
        QCOMPARE(QDir(m_folder->filePath("out")).entryList({"*.jpg"}).size(), 14);

        const Outcome again = run({"batch", "samples/products.csv", "--offline", "--output", "json"});
        QCOMPARE(again.exitCode, 3);
        QCOMPARE(objectOf(again)["items"].toObject()["cached"].toInt(), 12);
    }

    void eventsHaveNoGapAndAddUp()
    {
        const Outcome outcome = run({"batch", "samples/three.csv", "--offline", "--output", "jsonl"});
        QCOMPARE(outcome.exitCode, 3);
        QVERIFY(outcome.out.endsWith('\n'));
        int seq = 0, finished = 0, failed = 0;
        QJsonObject last;
        for (const QByteArray& line : outcome.out.trimmed().split('\n')) {
            const auto event = QJsonDocument::fromJson(line).object();
            QVERIFY2(!event.isEmpty(), line.constData());
            if (!event.contains("seq")) continue;
            QCOMPARE(event["seq"].toInt(), ++seq);
            if (seq == 1) QCOMPARE(event["type"].toString(), "job_started");
            if (event["type"] == "item_finished") {
                ++finished;
                failed += event["state"] == "failed" ? 1 : 0;
            }
            last = event;
        }
        QCOMPARE(last["type"].toString(), "job_finished");
        QCOMPARE(last["exit_code"].toInt(), 3);
        QCOMPARE(finished, 3);
        QCOMPARE(failed, 1);
        int sum = 0;
        const auto counts = last["counts"].toObject();
        for (const auto& count : counts) sum += count.toInt();
        QCOMPARE(sum, 3);

        // The same stream again, from the journal.
        const Outcome later = run({"attach", "last", "--output", "jsonl", "--from-seq", "2", "--exit-status"});
        QCOMPARE(later.exitCode, 3);
        QCOMPARE(later.out.count('\n'), seq - 1);
    }

    void quietIsSilentOnlyWhenAllWentWell()
    {
        write(m_folder->filePath("samples/good.csv"), "sku,title,image\r\nA-1,Desk,images/desk.jpg\r\n");
        const Outcome good = run({"batch", "samples/good.csv", "--offline", "--quiet"});
        QVERIFY2(good.exitCode == 0, good.err.constData());
        QCOMPARE(good.out + good.err, QByteArray());
        const Outcome bad = run({"batch", "samples/three.csv", "--offline", "--quiet"});
        QCOMPARE(bad.exitCode, 3);
        QCOMPARE(bad.err, QByteArray());
        QVERIFY(bad.out.contains("Failures in 1 group"));
    }

    void chineseHeadersFindThePipeline()
    {
        write(m_folder->filePath("samples/shop.csv"), "货号,商品标题,主图\r\nA-1,办公桌,images/desk.jpg\r\n");
        const Outcome outcome = run({"batch", "samples/shop.csv", "--offline"});
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        QVERIFY2(outcome.err.contains("hero-image fits"), outcome.err.constData());
        QVERIFY(outcome.err.contains("商品标题"));
    }

    void missingColumnsAreNamedWithExitCodeTwo()
    {
        write(m_folder->filePath("people.csv"), "name,age\r\nAnna,31\r\n");
        const Outcome outcome = run({"batch", "people.csv", "--offline"});
        QCOMPARE(outcome.exitCode, 2);
        QCOMPARE(outcome.out, QByteArray());
        QVERIFY2(outcome.err.contains("image"), outcome.err.constData());
        QCOMPARE(run({"batch", "nothing.csv"}).exitCode, 2);
    }

    void plainOutputNeedsNoHomeAndNoTerminal()
    {
        write(m_folder->filePath("samples/good.csv"), "sku,title,image\r\nA-1,Desk,images/desk.jpg\r\n");
        Program program(kProgram, {"batch", "samples/good.csv", "--offline", "--state-dir", "state"});
        const Outcome outcome = program.in(m_folder->path()).unset("LC_ALL").run();
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        for (const QByteArray& text : {outcome.out, outcome.err})
            QVERIFY(!text.contains('\x1b') && !text.contains('\r'));
    }

    void theSampleCrontabRunsInABareShell()
    {
        const Outcome example = run({"config", "example", "crontab"});
        QVERIFY2(example.exitCode == 0, example.err.constData());
        const QByteArray last = example.out.trimmed().split('\n').last();
        const QByteArray command = last.mid(last.indexOf("cd "));
        QVERIFY(last.startsWith("0 2 * * *"));
        write(m_folder->filePath("samples/products.csv"), "sku,title,image\r\nA-1,Desk,images/desk.jpg\r\n");
        Program shell("/bin/sh", {"-c", command});
        shell.unset("LC_ALL").set("PATH", AIFLOW_BINARY_DIR "/bin:/usr/bin:/bin");
        shell.set("SHOP", m_folder->filePath("samples")).set("STATE", m_folder->filePath("state"));
        const Outcome outcome = shell.run();
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        QCOMPARE(outcome.out + outcome.err, QByteArray());
        QVERIFY(QFile::exists(m_folder->filePath("samples/out/A-1.jpg")));
    }

    void systemdExamplesAcceptPartialSuccess()
    {
        QVERIFY(run({"config", "example", "systemd-service"}).out.contains("SuccessExitStatus=3"));
        QVERIFY(run({"config", "example", "systemd-timer"}).out.contains("OnCalendar="));
    }

    void interruptedJobGoesOnAndItsFolderIsLockedMeanwhile()
    {
        write(m_folder->filePath("samples/many.csv"), manyRows(40));
        const QStringList batch{"batch", "samples/many.csv", "--offline", "--output", "jsonl", "--progress", "plain"};
        Program program = cli(batch);
        QVERIFY(program.start());
        QVERIFY(program.waitFor("item_finished", true));
        const QString job = objectOf(run({"status", "--output", "json"}))["job"].toString();
        QCOMPARE(run({"batch", "samples/products.csv", "--offline"}).exitCode, 11);
        QVERIFY(run({"list"}).out.contains("Running"));
        QCOMPARE(run({"resume", job}).exitCode, 11);
        program.signal(SIGINT);
        const Outcome stopped = program.finish();
        QCOMPARE(stopped.exitCode, 130);
        QVERIFY2(stopped.err.contains("Resume:  aiflow-cli resume " + job.toUtf8()), stopped.err.constData());
        QCOMPARE(objectOf(run({"status", job, "--output", "json"}))["state"].toString(), "interrupted");

        const Outcome resumed = run({"resume", job, "--output", "json"});
        QVERIFY2(resumed.exitCode == 0, resumed.err.constData());
        const auto items = objectOf(resumed)["items"].toObject();
        QCOMPARE(items["succeeded"].toInt() + items["cached"].toInt(), 40);
    }

    void pausedJobIsContinuedByResumeAndCancelledByCancel()
    {
        write(m_folder->filePath("samples/many.csv"), manyRows(40));
        Program program = cli({"batch", "samples/many.csv", "--offline", "--output", "jsonl", "--progress", "plain"});
        QVERIFY(program.start());
        QVERIFY(program.waitFor("item_finished", true));
        QCOMPARE(run({"pause", "last"}).exitCode, 0);
        QVERIFY(program.waitFor("job_paused", true));
        QCOMPARE(run({"resume", "last"}).exitCode, 0);
        QVERIFY(program.waitFor("job_resumed", true));
        QCOMPARE(run({"cancel", "last", "--now"}).exitCode, 0);
        QVERIFY(program.finish().exitCode != 0);
        QCOMPARE(objectOf(run({"status", "--output", "json"}))["state"].toString(), "cancelled");
        QCOMPARE(run({"pause", "last"}).exitCode, 2);
    }

    void retryAsksForConsentAndRunsOnlyWhatFailed()
    {
        QCOMPARE(run({"batch", "samples/three.csv", "--offline"}).exitCode, 3);
        const Outcome unasked = run({"retry", "last", "--failed"});
        QCOMPARE(unasked.exitCode, 2);
        QVERIFY(unasked.err.contains("--yes"));
        QCOMPARE(run({"retry", "last", "--group", "input.image_bad", "--yes"}).exitCode, 2);
        QVERIFY(QFile::copy(m_folder->filePath("samples/images/bed.jpg"),
                            m_folder->filePath("samples/images/bed-front.jpg")));
        const Outcome one = run({"retry", "last", "--group", "input.image_missing", "--yes", "--output", "json"});
        QVERIFY2(one.exitCode == 0, one.err.constData());
        QCOMPARE(objectOf(one)["items"].toObject()["failed"].toInt(), 0);
        QVERIFY(QFile::exists(m_folder->filePath("out/B-2.jpg")));
    }

    void demoEndsWellAndKeepsWhatIsThere()
    {
        const Outcome first = run({"demo"});
        QVERIFY2(first.exitCode == 0, first.err.constData());
        QVERIFY(first.err.contains("The pictures are in aiflow-demo/out"));
        QVERIFY(first.err.contains("Next:  aiflow-cli batch aiflow-demo/out/failures.csv --offline"));
        write(m_folder->filePath("aiflow-demo/README.md"), "mine");
        QCOMPARE(run({"demo"}).exitCode, 0);
        QCOMPARE(contentOf(m_folder->filePath("aiflow-demo/README.md")), QByteArray("mine"));
        const QString failures = m_folder->filePath("aiflow-demo/out/failures.csv");
        write(failures, contentOf(failures).replace("bed-front", "bed").replace("desk-damaged", "desk"));
        const Outcome mended = run({"batch", "aiflow-demo/out/failures.csv", "--offline"});
        QVERIFY2(mended.exitCode == 0, mended.err.constData());
    }
};

QTEST_GUILESS_MAIN(JobsTest)
#include "jobs_test.moc"
