#include "tests/cli/program/program.h"

#include <QTest>

using namespace aiflow::test;

namespace {

const QString kProgram = AIFLOW_BINARY_DIR "/tests/aiflow-cli-fake";

Outcome run(const QStringList& words) { return Program(kProgram, words).run(); }

} // namespace

class HelpTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void helpOfEveryCommandFitsTheScreenAndBeginsWithExamples_data()
    {
        QTest::addColumn<QStringList>("words");
        for (const char* command : {"",
                                    "batch",
                                    "resume",
                                    "retry",
                                    "demo",
                                    "rehearse",
                                    "status",
                                    "list",
                                    "attach",
                                    "pause",
                                    "cancel",
                                    "export",
                                    "init",
                                    "doctor",
                                    "pipelines",
                                    "pipelines list",
                                    "pipelines show",
                                    "pipelines check",
                                    "pipelines graph",
                                    "pipelines ops",
                                    "models",
                                    "models list",
                                    "models verify",
                                    "providers",
                                    "providers list",
                                    "providers test",
                                    "providers prices",
                                    "config",
                                    "config show",
                                    "config example"})
            for (const char* language : {"en", "zh"}) {
                QStringList words = QString(command).split(' ', Qt::SkipEmptyParts);
                QTest::addRow("%s %s", command, language) << (words << "--help"
                                                                    << "--lang" << language);
            }
    }
    void helpOfEveryCommandFitsTheScreenAndBeginsWithExamples()
    {
        QFETCH(QStringList, words);
        const Outcome outcome = run(words);
        QCOMPARE(outcome.exitCode, 0);
        QCOMPARE(outcome.err, QByteArray());
        const QStringList lines = QString::fromUtf8(outcome.out).split('\n');
        QVERIFY2(lines.size() <= 25, outcome.out.constData());
        for (const QString& line : lines) QVERIFY2(line.size() <= 80, qPrintable(line));
        const auto examples = std::max(outcome.out.indexOf("Examples:"), outcome.out.indexOf("示例："));
        const auto options = std::max({outcome.out.indexOf("Options:"), outcome.out.indexOf("选项："),
                                       outcome.out.indexOf("Commands:"), outcome.out.indexOf("命令：\n")});
        QVERIFY(examples > 0);
        QVERIFY(options < 0 || options > examples);
    }

    void helpNamesNoCommandThatDoesNotExist()
    {
        const Outcome outcome = run({"--help"});
        for (const char* later : {"plan", "report", "revise", " try"}) QVERIFY2(!outcome.out.contains(later), later);
    }

    void fullHelpExplainsEveryOption()
    {
        const Outcome outcome = run({"help", "batch"});
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.contains("--max-failures N|N%  "));
        QVERIFY(outcome.out.contains("--state-dir DIR"));
    }

    void topicsAnswerAndAnUnknownOneDoesNot()
    {
        for (const char* topic : {"exit-codes", "states", "reasons", "env", "files", "faults"}) {
            const Outcome outcome = run({"help", topic});
            QCOMPARE(outcome.exitCode, 0);
            QVERIFY(outcome.out.size() > 100);
        }
        QVERIFY(run({"help", "exit-codes"}).out.contains("   11  another process owns"));
        QCOMPARE(run({"help", "weather"}).exitCode, 2);
    }

    void mistypedWordsAreCorrectedWithExitCodeTwo_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QByteArray>("meant");
        QTest::newRow("command") << QStringList{"bacth", "products.csv"} << QByteArray("\"batch\"");
        QTest::newRow("option") << QStringList{"batch", "x", "--ofline"} << QByteArray("\"--offline\"");
        QTest::newRow("option with value") << QStringList{"batch", "x", "--otput=json"} << QByteArray("\"--output\"");
        QTest::newRow("command of a group") << QStringList{"pipelines", "chekc", "x"} << QByteArray("\"check\"");
        QTest::newRow("choice") << QStringList{"batch", "x", "--output", "jsnl"} << QByteArray("jsonl");
        QTest::newRow("common option") << QStringList{"--quite", "list"} << QByteArray("\"--quiet\"");
    }
    void mistypedWordsAreCorrectedWithExitCodeTwo()
    {
        QFETCH(QStringList, words);
        QFETCH(QByteArray, meant);
        const Outcome outcome = run(words);
        QCOMPARE(outcome.exitCode, 2);
        QCOMPARE(outcome.out, QByteArray());
        QVERIFY2(outcome.err.contains("did you mean") && outcome.err.contains(meant), outcome.err.constData());
    }

    void beginningsOfCommandsAreNotCommands() { QCOMPARE(run({"bat", "x"}).exitCode, 2); }

    void wordsOfCommandsMayBeFileNames()
    {
        const Outcome outcome = run({"batch", "list", "--progress", "none"});
        QCOMPARE(outcome.exitCode, 0);
    }

    void missingAndWrongValuesAreUsageErrors_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::newRow("no input") << QStringList{"batch"};
        QTest::newRow("no value") << QStringList{"batch", "x", "--out"};
        QTest::newRow("not a number") << QStringList{"batch", "x", "--cores", "many"};
        QTest::newRow("too small") << QStringList{"batch", "x", "--cores", "0"};
        QTest::newRow("not a time") << QStringList{"batch", "x", "--progress-interval", "soon"};
        QTest::newRow("not a size") << QStringList{"batch", "x", "--memory", "nan"};
        QTest::newRow("not a share") << QStringList{"batch", "x", "--max-failures", "120%"};
        QTest::newRow("not money") << QStringList{"batch", "x", "--budget", "60"};
        QTest::newRow("not money either") << QStringList{"batch", "x", "--budget", "yuan60"};
        QTest::newRow("not a wait") << QStringList{"batch", "x", "--max-wait", "long"};
        QTest::newRow("not a policy") << QStringList{"batch", "x", "--on-outage", "panic"};
        QTest::newRow("not a fault") << QStringList{"rehearse", "x", "--fault", "flood"};
        QTest::newRow("more than all") << QStringList{"rehearse", "x", "--fault", "throttle=3"};
        QTest::newRow("not a start") << QStringList{"rehearse", "x", "--fault", "throttle=0.3@noon"};
        QTest::newRow("nobody's fault") << QStringList{"rehearse", "x", "--fault", ":quota"};
        QTest::newRow("standing still") << QStringList{"rehearse", "x", "--speed", "0"};
        QTest::newRow("nothing to rehearse") << QStringList{"rehearse"};
        QTest::newRow("too much to rehearse") << QStringList{"rehearse", "x", "--sample"};
        QTest::newRow("provider") << QStringList{"providers", "test", "opneai"};
        QTest::newRow("no pair") << QStringList{"batch", "x", "--set", "canvas"};
        QTest::newRow("two characters") << QStringList{"batch", "x", "--delimiter", ";;"};
        QTest::newRow("language") << QStringList{"list", "--lang", "fr"};
        QTest::newRow("too many words") << QStringList{"batch", "x", "y"};
        QTest::newRow("example") << QStringList{"config", "example", "windows"};
        QTest::newRow("seq without jsonl") << QStringList{"attach", "last", "--from-seq", "3"};
        QTest::newRow("reason") << QStringList{"retry", "last", "--group", "input.weather"};
        QTest::newRow("filter") << QStringList{"retry", "last", "--where", "colour:red"};
    }
    void missingAndWrongValuesAreUsageErrors()
    {
        QFETCH(QStringList, words);
        const Outcome outcome = run(words);
        QCOMPARE(outcome.exitCode, 2);
        QVERIFY2(outcome.err.startsWith("error: "), outcome.err.constData());
    }

    void languageFollowsTheOptionThenTheEnvironment()
    {
        QVERIFY(run({"--help", "--lang", "zh"}).out.contains("用法"));
        QVERIFY(Program(kProgram, {"--help"}).unset("LC_ALL").set("LANG", "zh_CN.UTF-8").run().out.contains("用法"));
        QVERIFY(Program(kProgram, {"--help"}).set("LANG", "zh_CN.UTF-8").run().out.contains("Usage"));
    }

    void theProgramLinksNeitherLibTorchNorOpenCvNorQt()
    {
        Program ldd("/usr/bin/ldd", {AIFLOW_BINARY_DIR "/bin/aiflow-cli"});
        const Outcome outcome = ldd.run();
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.contains("libc.so"));
        for (const char* heavy : {"torch", "opencv", "libQt", "c10", "gdal", "rsvg"})
            QVERIFY2(!outcome.out.contains(heavy), heavy);
    }
};

QTEST_GUILESS_MAIN(HelpTest)
#include "help_test.moc"
