#include "tests/support/cli_sandbox/journal_facts.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStorageInfo>
#include <QTest>

#include <utility>

using namespace aiflow::test;

namespace {

constexpr int kProducts = 24;

const QStringList kQuiet{QStringLiteral("--progress"), QStringLiteral("none")};

// A disk of its own in memory, where this user may mount one.
class SmallDisk {
public:
    SmallDisk()
        : m_mounted(QProcess::execute(QStringLiteral("mount"),
                                      {QStringLiteral("-t"), QStringLiteral("tmpfs"), QStringLiteral("-o"),
                                       QStringLiteral("size=8m"), QStringLiteral("none"), m_place.path()}) == 0)
    {
    }
    ~SmallDisk()
    {
        if (m_mounted) QProcess::execute(QStringLiteral("umount"), {m_place.path()});
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    bool mounted() const { return m_mounted; }
    QString path() const { return m_place.path(); }
    void leaveFree(qint64 bytes) const
    {
        const qint64 available = QStorageInfo(path()).bytesAvailable();
        QFile filler(path() + QStringLiteral("/filler"));
        const QByteArray content(std::max<qint64>(available - bytes, 0), 'x');
        if (!filler.open(QIODevice::WriteOnly) || filler.write(content) != content.size() || !filler.flush())
            qFatal("the small disk cannot be filled");
    }
    void setFree() const { QFile::remove(path() + QStringLiteral("/filler")); }

private:
    QTemporaryDir m_place;
    bool m_mounted;
};

} // namespace

// A disk that takes no more: the job stops with the reason, says nothing wrong, and completes when there is space.
class DiskTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aWriteThatFailsStopsTheJob_data();
    void aWriteThatFailsStopsTheJob();
    void aFullDiskStopsTheJob_data();
    void aFullDiskStopsTheJob();
    void aFileSizeLimitStopsTheJob_data();
    void aFileSizeLimitStopsTheJob();
    void anOutputFolderThatCannotBeMadeIsToldBeforeAnythingRuns();

private:
    // What is wrong after a stop, and after going on with it; empty: nothing.
    QByteArray stopped(const Sandbox& sandbox, const CliEnd& end) const;
    QByteArray completed(const Sandbox& sandbox) const;

    FileTree m_undisturbed;
};

void DiskTest::initTestCase()
{
    const Sandbox sandbox;
    sandbox.fill(kProducts, false);
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    QVERIFY2(end.exitCode == 0, end.text().constData());
    m_undisturbed = sandbox.results();
}

QByteArray DiskTest::stopped(const Sandbox& sandbox, const CliEnd& end) const
{
    if (end.signal != 0 || end.exitCode == 0) return "not stopped: " + end.text();
    const bool told = end.err.contains("error: ") || end.out.contains("stopped after");
    if (!told) return "no reason: " + end.text();
    if (end.err.contains("LOG ERROR")) return "noise of the log: " + end.err;
    const FileTree files = sandbox.results();
    for (auto it = files.begin(); it != files.end(); ++it) {
        if (it.key().endsWith(QStringLiteral(".csv"))) continue;
        if (m_undisturbed.value(it.key()) != it.value()) return "wrong bytes: " + it.key().toUtf8();
    }
    return {};
}

QByteArray DiskTest::completed(const Sandbox& sandbox) const
{
    // The same command: it goes on with the job, or starts it if the disk had no place for one.
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    if (end.exitCode != 0) return end.text();
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    return broken.isEmpty() ? difference(m_undisturbed, sandbox.results()) : broken;
}

void DiskTest::aWriteThatFailsStopsTheJob_data()
{
    QTest::addColumn<QString>("point");
    for (const char* point :
         {"commit=error:1", "commit=error:3", "commit=error:8", "artifact=error:1", "artifact=error:20"})
        QTest::newRow(point) << QString::fromLatin1(point);
}

void DiskTest::aWriteThatFailsStopsTheJob()
{
    QFETCH(QString, point);
    const Sandbox sandbox;
    sandbox.fill(kProducts, false);
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet), {{QStringLiteral("AIFLOW_FAILPOINT"), point}});
    if (end.exitCode == 0) QSKIP("this build has no fault points");
    QVERIFY2(end.text().contains("no space left"), end.text().constData());
    const QByteArray wrong = stopped(sandbox, end);
    QVERIFY2(wrong.isEmpty(), wrong.constData());
    const QByteArray trouble = completed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void DiskTest::aFullDiskStopsTheJob_data()
{
    QTest::addColumn<int>("kibibytes");
    for (const int left : {0, 60, 150, 250, 350}) QTest::addRow("%d KiB left", left) << left;
}

void DiskTest::aFullDiskStopsTheJob()
{
    QFETCH(int, kibibytes);
    const SmallDisk disk;
    if (!disk.mounted()) QSKIP("NOT TESTED: this user may not mount a small disk");
    const Sandbox sandbox(disk.path());
    sandbox.fill(kProducts, false);
    disk.leaveFree(qint64{kibibytes} * 1024);
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    const QByteArray wrong = stopped(sandbox, end);
    QVERIFY2(wrong.isEmpty(), wrong.constData());
    QVERIFY2(end.text().contains("disk is full") || end.text().contains("No space left"), end.text().constData());
    disk.setFree();
    const QByteArray trouble = completed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void DiskTest::aFileSizeLimitStopsTheJob_data()
{
    QTest::addColumn<int>("bytes");
    for (const int bytes : {2'000, 20'000, 60'000}) QTest::addRow("%d bytes", bytes) << bytes;
}

void DiskTest::aFileSizeLimitStopsTheJob()
{
    QFETCH(int, bytes);
    const Sandbox sandbox;
    sandbox.fill(kProducts, false);
    CliProcess job(sandbox.batch(kQuiet), {}, sandbox.path(),
                   {QStringLiteral("prlimit"), QStringLiteral("--fsize=%1").arg(bytes)});
    const CliEnd end = job.end();
    if (end.exitCode < 0 && end.signal == 0) QSKIP("NOT TESTED: there is no prlimit here");
    const QByteArray wrong = stopped(sandbox, end);
    QVERIFY2(wrong.isEmpty(), wrong.constData());
    const QByteArray trouble = completed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

void DiskTest::anOutputFolderThatCannotBeMadeIsToldBeforeAnythingRuns()
{
    const Sandbox sandbox;
    sandbox.fill(kProducts, false);
    sandbox.write(QStringLiteral("out"), "a file stands where the folder should be");
    const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
    QVERIFY2(end.exitCode == 1 && end.err.contains("out"), end.text().constData());
    QVERIFY(QFile::remove(sandbox.path(QStringLiteral("out"))));
    const QByteArray trouble = completed(sandbox);
    QVERIFY2(trouble.isEmpty(), trouble.constData());
}

QTEST_GUILESS_MAIN(DiskTest)
#include "disk_test.moc"
