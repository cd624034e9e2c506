#include "tests/cli/program/program.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace aiflow::test;

namespace {

const QString kProgram = AIFLOW_BINARY_DIR "/tests/aiflow-cli-fake";

Program program(const QStringList& words) { return {kProgram, words}; }
Outcome run(const QStringList& words) { return program(words).run(); }

QJsonObject objectOf(const QByteArray& text) { return QJsonDocument::fromJson(text).object(); }

} // namespace

class ServicesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theListShowsWhereKeysComeFromAndWhetherTheyAreThere()
    {
        const Outcome outcome = run({"providers"});
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.contains("openai/main     openai    env:OPENAI_API_KEY (there)  acme    60 requests/min"));
        QVERIFY(outcome.out.contains("openai/second   openai    file:second.key (missing)"));
        QVERIFY(outcome.out.contains("ollama/default  openai"));
        QVERIFY(outcome.out.contains("not needed"));
        QVERIFY(outcome.out.contains("text   text  small, local  in this order"));
        QVERIFY(outcome.out.contains("acme: 500 requests/min"));
        QVERIFY(outcome.err.contains("aiflow-cli providers test"));
        QVERIFY(run({"providers", "list", "--lang", "zh"}).out.contains("（缺失）"));
    }

    void withoutServicesTheListSaysWhoAnswers()
    {
        const Outcome outcome = program({"providers"}).set("FAKE_PROVIDERS", "none").run();
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.contains("offline stand-ins"));
        QVERIFY(outcome.err.contains("aiflow-cli rehearse --sample"));
    }

    void pricesCarryTheirUnits()
    {
        const Outcome outcome = run({"providers", "prices"});
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.contains("small  openai    0.15 USD/M in, 0.60 USD/M out  128,000"));
        QVERIFY(outcome.out.contains("unknown"));
        const QJsonObject json = objectOf(run({"providers", "prices", "--json"}).out);
        QCOMPARE(json["models"].toArray().size(), 2);
    }

    void listAsJsonIsOneObject()
    {
        const Outcome outcome = run({"providers", "--json"});
        QCOMPARE(outcome.out.count('\n'), 1);
        const QJsonObject json = objectOf(outcome.out);
        QCOMPARE(json["v"].toInt(), 1);
        const QJsonObject account = json["providers"].toArray()[0].toObject()["accounts"].toArray()[1].toObject();
        QCOMPARE(account["key"].toString(), QString("missing"));
        QCOMPARE(account["hint"].toString(), QString("write the key into it"));
    }

    void aTestTellsOneLineAndTheWayOutAndExitsAccordingly_data()
    {
        QTest::addColumn<QString>("how");
        QTest::addColumn<int>("exitCode");
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("good") << QString() << 0 << QByteArray(" + openai/main     works  312 ms\n");
        QTest::newRow("key") << QString("refused") << 4
                             << QByteArray(
                                    " x openai/main     key refused: 401 Unauthorized\n     export OPENAI_API_KEY");
        QTest::newRow("away") << QString("away") << 5
                              << QByteArray(" x openai/main     cannot be reached: no such host\n     check base_url");
    }
    void aTestTellsOneLineAndTheWayOutAndExitsAccordingly()
    {
        QFETCH(QString, how);
        QFETCH(int, exitCode);
        QFETCH(QByteArray, line);
        const Outcome outcome = program({"providers", "test", "--ascii"}).set("FAKE_PROVIDERS", how).run();
        QCOMPARE(outcome.exitCode, exitCode);
        QVERIFY2(outcome.out.contains(line), outcome.out.constData());
        const Outcome asJson = program({"providers", "test", "--json"}).set("FAKE_PROVIDERS", how).run();
        QCOMPARE(asJson.exitCode, exitCode);
        QCOMPARE(objectOf(asJson.out)["exit_code"].toInt(), exitCode);
        QCOMPARE(objectOf(asJson.out)["accounts"].toArray().size(), 2);
        QCOMPARE(run({"providers", "test", "openai"}).out.count('\n'), 1);
    }

    void aRehearsalIsSummedUpByItsOwnWords()
    {
        const Outcome outcome = program({"rehearse", "products.csv", "--progress", "none"}).set("FAKE_FAIL", "1").run();
        QCOMPARE(outcome.exitCode, 3);
        QVERIFY(
            outcome.out.contains("Rehearsal in 41s: 23 of 24 items done, services simulated at 20 times life speed"));
        QVERIFY(outcome.out.contains("13-14 min in life: waiting for services 12m58s, own steps 31s"));
        QVERIFY(outcome.out.contains("0.84 USD + 2.10 CNY at the configured prices"));
        QVERIFY(outcome.out.contains("kept: 0 calls over a limit, 0 refused for one\n"));
        QVERIFY(outcome.out.contains("       12  too many requests (429)"));
        QVERIFY(outcome.out.contains("line 2  SKU-0  load  input.image_missing: images/\\x1b[31mno.jpg not found"));
        QVERIFY(!outcome.out.contains("Next:  aiflow-cli retry") && !outcome.out.contains("resume"));
        QVERIFY(outcome.err.contains("aiflow-cli batch products.csv"));
        QVERIFY(run({"rehearse", "--sample", "--lang", "zh", "--progress", "none"}).out.contains("演练用时 41 秒"));
    }

    void aRehearsalAsJsonCarriesItsReport()
    {
        const Outcome outcome =
            run({"rehearse", "--sample", "--speed", "50", "--output", "json", "--progress", "none"});
        QCOMPARE(outcome.exitCode, 0);
        const QJsonObject json = objectOf(outcome.out)["rehearsal"].toObject();
        QCOMPARE(json["speed"].toDouble(), 50.0);
        QCOMPARE(json["at_least_ms"].toInt(), 778'000);
        QCOMPARE(json["at_most_ms"].toInt(), 809'000);
        QCOMPARE(json["cost"].toArray().size(), 2);
        QCOMPARE(json["failures"].toArray()[0].toObject()["reason"].toString(), QString("input.image_missing"));
    }

    void faultsAreUnderstood_data()
    {
        QTest::addColumn<QString>("words");
        QTest::addColumn<QByteArray>("understood");
        QTest::newRow("an outage begins when work goes on")
            << QString("outage") << QByteArray("fault 0 share=1 who= from=30000 lasting=120000");
        QTest::newRow("time") << QString("outage=5m") << QByteArray("fault 0 share=1 who= from=30000 lasting=300000");
        QTest::newRow("share") << QString("throttle=30%") << QByteArray("fault 1 share=0.3 who= from=0 lasting=-1");
        QTest::newRow("small share") << QString("hang=0.01") << QByteArray("fault 3 share=0.01 who= from=0 lasting=-1");
        QTest::newRow("provider") << QString("openai:key@1m") << QByteArray("fault 10 share=1 who=openai from=60000");
        QTest::newRow("account") << QString("openai/b:quota=2h@5m")
                                 << QByteArray("fault 9 share=1 who=openai/b from=300000 lasting=7200000");
    }
    void faultsAreUnderstood()
    {
        QFETCH(QString, words);
        QFETCH(QByteArray, understood);
        const Outcome outcome = run({"rehearse", "--sample", "--fault", words, "--progress", "plain"});
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY2(outcome.err.contains(understood), outcome.err.constData());
    }

    void anInterruptedRehearsalOffersNoResume()
    {
        Program job(kProgram, {"rehearse", "x", "--progress", "plain", "--grace", "60"});
        job.set("FAKE_COURSE", "hang");
        QVERIFY(job.start());
        QVERIFY(job.waitFor("start:"));
        job.signal(SIGINT);
        const Outcome outcome = job.finish();
        QCOMPARE(outcome.exitCode, 130);
        QVERIFY(!outcome.err.contains("resume") && !outcome.out.contains("resume"));
    }
};

QTEST_GUILESS_MAIN(ServicesTest)
#include "services_test.moc"
