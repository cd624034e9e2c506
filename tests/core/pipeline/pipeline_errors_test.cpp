// Wrong pipeline files, and the words that their authors get to read.
#include "tests/core/pipeline/test_catalog.h"

#include <QtTest>

using namespace aiflow;
using namespace aiflow::test;

class PipelineErrorsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyMistakeIsNamedWithItsPlaceAndTheNearestRightWord_data();
    void everyMistakeIsNamedWithItsPlaceAndTheNearestRightWord();
    void allMistakesAreCollectedInTheOrderOfTheFile();
};

void PipelineErrorsTest::everyMistakeIsNamedWithItsPlaceAndTheNearestRightWord_data()
{
    QTest::addColumn<QString>("body");
    QTest::addColumn<QString>("expected");
#include "tests/core/pipeline/wrong_pipelines.inc"
}

void PipelineErrorsTest::everyMistakeIsNamedWithItsPlaceAndTheNearestRightWord()
{
    QFETCH(QString, body);
    QFETCH(QString, expected);
    const TestCatalog catalog;
    const std::string text = body.startsWith('!') ? body.mid(1).toStdString() : kHead + body.toStdString();
    std::vector<Error> all;
    const auto loaded = load(catalog, text, {}, &all);
    QStringList found;
    for (const Error& error : all) found.append(QString::fromStdString(error.text()));
    QCOMPARE(found.join('\n'), expected);
    QVERIFY(!loaded);
    QCOMPARE(loaded.error().text(), all.front().text());
}

void PipelineErrorsTest::allMistakesAreCollectedInTheOrderOfTheFile()
{
    const TestCatalog catalog;
    std::vector<Error> all;
    const auto loaded = load(catalog,
                             std::string(kHead) + "steps:\n"
                                                  "  a: { op: pas, inputs: { value: $item.titel } }\n"
                                                  "  b: { model: detector, inputs: { imag: $item.image } }\n"
                                                  "  c: { api: text, prompt: \"{{x}}\", timeout: long }\n"
                                                  "outputs: { \"{{item.sky}}\": $d.text }\n",
                             {}, &all);
    QVERIFY(!loaded);
    std::vector<std::int64_t> lines;
    for (const Error& error : all) lines.push_back(error.where->line);
    QCOMPARE(lines, (std::vector<std::int64_t>{11, 11, 12, 12, 13, 13, 14}));
}

QTEST_GUILESS_MAIN(PipelineErrorsTest)
#include "pipeline_errors_test.moc"
