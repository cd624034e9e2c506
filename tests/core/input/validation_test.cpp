#include "core/input/validation.h"

#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

class ValidationTest : public QObject {
    Q_OBJECT

private:
    InputFiles m_files;

    static ValidationOptions withFields()
    {
        ValidationOptions options;
        FieldSpec title;
        title.name = "title";
        title.required = true;
        FieldSpec price;
        price.name = "price";
        price.type = FieldType::Number;
        options.columns = ColumnMapSettings{{title, price}, "sku", {}};
        return options;
    }

private Q_SLOTS:
    void badRowsAreCountedByReasonAndTheFirstAreKept()
    {
        const std::string text = "sku,title,price\nA1,Mug,1\nA2,,2\nA3,Lamp\nA4,Vase,x\nA1,Jar,3\nA6,Pot,4\n";
        auto options = withFields();
        options.keptErrors = 3;
        const auto path = m_files.write("p.csv", text);
        const auto report = validateInput(path, options);
        QVERIFY(report.has_value());
        QCOMPARE(report->totalRows, 6);
        QCOMPARE(report->goodRows, 2);
        QCOMPARE(report->badRows(), 4);
        QCOMPARE(report->errors.size(), std::size_t{3});
        QCOMPARE(report->errorsByReason.at(Reason::InputFieldMissing), 1);
        QCOMPARE(report->errorsByReason.at(Reason::InputFileBad), 1);
        QCOMPARE(report->errorsByReason.at(Reason::InputFieldBad), 2);
        QCOMPARE(report->contentHash, sha256(text));
        QCOMPARE(report->bytes, static_cast<std::int64_t>(text.size()));
    }

    void laterOfTwoEqualIdsHasTheErrorWithBothLines()
    {
        const auto report = validateInput(m_files.write("p.csv", "sku,title\nA1,Mug\nA2,Jar\nA1,Pot\n"), withFields());
        QCOMPARE(report->errors.size(), std::size_t{1});
        QCOMPARE(report->errors[0].where->line, 4);
        QVERIFY(report->errors[0].message.find("first on line 2, again on line 4") != std::string::npos);
    }

    void missingColumnStopsBeforeTheRows()
    {
        const auto report = validateInput(m_files.write("p.csv", "sku,price\nA1,1\n"), withFields());
        QVERIFY(!report && report.error().reason == Reason::InputFieldMissing);
    }

    void hashIsOfTheFilesOwnBytesInEveryEncoding()
    {
        for (const Encoding encoding : {Encoding::Utf8, Encoding::Utf16Le, Encoding::Gb18030}) {
            const auto path = m_files.writeAs("p.csv", "sku,标题\nA1,北欧餐桌\n", encoding, true);
            const auto report = validateInput(path, withFields());
            QVERIFY(report.has_value());
            QCOMPARE(report->contentHash, *sha256File(path));
            QCOMPARE(report->goodRows, 1);
        }
    }

    void progressIsToldAndGrows()
    {
        std::string text = "sku,title\n";
        for (int i = 0; i < 50'000; ++i) text += "A" + std::to_string(i) + ",Mug\n";
        auto options = withFields();
        std::vector<ValidationProgress> told;
        options.progress = [&](const ValidationProgress& progress) { told.push_back(progress); };
        QVERIFY(validateInput(m_files.write("p.csv", text), options).has_value());
        QCOMPARE(told.size(), std::size_t{3});
        QVERIFY(told[0].bytes < told[2].bytes && told[2].bytes < told[2].totalBytes);
    }

    void itCanBeStopped()
    {
        std::string text = "sku,title\n";
        for (int i = 0; i < 20'000; ++i) text += "A" + std::to_string(i) + ",Mug\n";
        std::stop_source stop;
        auto options = withFields();
        options.stop = stop.get_token();
        stop.request_stop();
        const auto report = validateInput(m_files.write("p.csv", text), options);
        QVERIFY(!report && report.error().reason == Reason::Cancelled);
    }

    void withoutFieldsOnlyTheFormIsChecked()
    {
        const auto report = validateInput(m_files.write("p.csv", "a,b\n1,2\n3\n"), {});
        QCOMPARE(report->totalRows, 2);
        QCOMPARE(report->goodRows, 1);
        QVERIFY(!report->columns);
    }

    void invalidByteFarInTheFileIsTheFilesError()
    {
        std::string text = "sku,title\n";
        for (int i = 0; i < 40'000; ++i) text += "A" + std::to_string(i) + ",Mug\n";
        auto options = withFields();
        options.input.encoding = "utf-8";
        const auto report = validateInput(m_files.write("p.csv", text + "B1,\xB1\n"), options);
        QVERIFY(!report);
        QCOMPARE(report.error().where->line, 40'002);
        QCOMPARE(report.error().where->column, 4);
        QCOMPARE(report.error().where->byteOffset, static_cast<std::int64_t>(text.size()) + 3);
    }
};

QTEST_GUILESS_MAIN(ValidationTest)
#include "validation_test.moc"
