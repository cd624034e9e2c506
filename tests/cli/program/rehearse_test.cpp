#include "tests/cli/program/program.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow::test;

namespace {

// The program itself, with a home of its own and no key in its environment.
struct Shop {
    QTemporaryDir folder;

    Program program(QStringList words) const
    {
        words << "--state-dir" << folder.filePath("state");
        return std::move(
            Program(AIFLOW_BINARY_DIR "/bin/aiflow-cli", words).in(folder.path()).set("HOME", folder.path()));
    }
    Outcome run(const QStringList& words) const { return program(words).run(); }
    void write(const QString& name, const QByteArray& text) const
    {
        QFile file(folder.filePath(name));
        if (file.open(QIODevice::WriteOnly)) file.write(text);
    }
    QStringList rehearsals() const
    {
        return QDir(folder.filePath("state/rehearsals")).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    }
};

QJsonObject objectOf(const QByteArray& text) { return QJsonDocument::fromJson(text).object(); }

} // namespace

class RehearseTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theSampleRunsWithoutAKey()
    {
        const Shop shop;
        const Outcome outcome =
            shop.run({"rehearse", "--sample", "--speed", "200", "--output", "json", "--progress", "plain"});
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        const QJsonObject job = objectOf(outcome.out);
        QCOMPARE(job["items"].toObject()["succeeded"].toInt(), 14);
        QCOMPARE(job["budget"].toObject()["amount"].toDouble(), 5.0);
        QCOMPARE(job["steps"].toArray()[1].toObject()["providers"].toArray()[0].toString(), QString("studio"));
        const QJsonObject rehearsal = job["rehearsal"].toObject();
        QCOMPARE(rehearsal["calls"].toInt(), 28);
        QCOMPARE(rehearsal["violations"].toInt(), 0);
        QCOMPARE(rehearsal["paid_twice"].toInt(), 0);
        QCOMPARE(shop.rehearsals(), QStringList());
    }

    void anOwnJobIsRehearsedWithItsOwnConfiguration()
    {
        const Shop shop;
        QCOMPARE(shop.run({"init"}).exitCode, 0);
        shop.write("aiflow.yaml", "providers:\n"
                                  "  deepseek: { accounts: { main: { key: env:NOT_THERE, limits: { rpm: 600 } } } }\n"
                                  "models:\n"
                                  "  chat: { provider: deepseek, price: { input: 2, output: 8, currency: CNY } }\n"
                                  "routes: { text: [chat] }\n");
        shop.write("pipeline.yaml", "aiflow: 1\nname: names\n"
                                    "input: { id: sku, columns: { sku: { type: text, required: true } } }\n"
                                    "steps: { name: { api: text, prompt: \"Name {{item.sku}}\" } }\n"
                                    "outputs: { \"{{item.sku}}.txt\": $name.text }\n");
        shop.write("products.csv", "sku\nA\nB\nC\n");
        const QStringList words{"rehearse", "products.csv", "-p",  "pipeline.yaml", "--speed",
                                "500",      "--out",        "try", "--progress",    "none"};
        const Outcome outcome = shop.run(words);
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        QVERIFY2(outcome.out.contains("3 of 3 items done"), outcome.out.constData());
        QVERIFY(outcome.out.contains(" CNY at the configured prices"));
        QVERIFY(QFile::exists(shop.folder.filePath("try/A.txt")));
        QVERIFY(!QDir(shop.folder.filePath("out")).exists());
        // For real the key is missing, and nothing begins.
        const Outcome real = shop.run({"batch", "products.csv", "-p", "pipeline.yaml", "--progress", "none"});
        QCOMPARE(real.exitCode, 4);
        const Outcome test = shop.run({"providers", "test"});
        QCOMPARE(test.exitCode, 4);
        QVERIFY2(test.out.contains("NOT_THERE"), test.out.constData());
    }

    void faultsAreBorneAndTold()
    {
        const Shop shop;
        const Outcome outcome = shop.run({"rehearse", "--sample", "--speed", "200", "--fault", "throttle=0.3",
                                          "--fault", "writer/second:quota", "--progress", "none"});
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        QVERIFY(outcome.out.contains("14 of 14 items done"));
        QVERIFY(outcome.out.contains("too many requests (429)"));
        QVERIFY(outcome.out.contains("kept: 0 calls over a limit"));
    }

    void anOutageCanEndTheJob()
    {
        const Shop shop;
        const Outcome outcome = shop.run({"rehearse", "--sample", "--speed", "200", "--fault", "outage=10h@1s",
                                          "--on-outage", "stop", "--progress", "plain"});
        QCOMPARE(outcome.exitCode, 5);
        QVERIFY2(outcome.err.contains("stopped early: nobody answers the route"), outcome.err.constData());
    }

    void ctrlCEndsARehearsalAndLeavesNothing()
    {
        const Shop shop;
        Program rehearsal = shop.program({"rehearse", "--sample", "--speed", "1", "--progress", "plain"});
        QVERIFY(rehearsal.start());
        QVERIFY(rehearsal.waitFor(" start: 14 items"));
        rehearsal.signal(SIGINT);
        QVERIFY(rehearsal.waitFor("Stopping"));
        rehearsal.signal(SIGINT);
        QCOMPARE(rehearsal.finish().exitCode, 130);
        QCOMPARE(shop.rehearsals(), QStringList());
    }
};

QTEST_GUILESS_MAIN(RehearseTest)
#include "rehearse_test.moc"
