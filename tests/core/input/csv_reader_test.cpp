#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;
using Cells = std::vector<std::string>;

class CsvReaderTest : public QObject {
    Q_OBJECT

private:
    Reading read(std::string_view text, const InputSettings& settings = {})
    {
        return readAll(m_files.write("products.csv", text), settings);
    }

    InputFiles m_files;

private Q_SLOTS:
    void quotesDoubledQuotesAndLineBreaksBelongToTheCell()
    {
        const auto reading = read("sku,title\nA1,\"55\"\" TV, black\nwith stand\"\nA2,\"\"\n");
        QCOMPARE(reading.records.size(), std::size_t{2});
        QCOMPARE(reading.records[0].cells, (Cells{"A1", "55\" TV, black\nwith stand"}));
        QCOMPARE(reading.records[1].cells, (Cells{"A2", ""}));
        QCOMPARE(reading.records[1].line, 4);
    }

    void allLineEndsMayBeMixed()
    {
        const auto reading = read("a,b\r1,2\r\n3,4\n\"5\r\n\r6\",7\r\r\n8,9");
        QCOMPARE(reading.records.size(), std::size_t{4});
        QCOMPARE(reading.records[2].cells, (Cells{"5\r\n\r6", "7"}));
        QCOMPARE(reading.records[2].line, 4);
        QCOMPARE(reading.records[3].cells, (Cells{"8", "9"}));
        QCOMPARE(reading.records[3].line, 8);
    }

    void formulasAndQuotesComeBackAsTheyWereWritten()
    {
        const Cells cells{"=SUM(A1:A2)", "+1", "-1",       "@x",      "\"",          "\"\"",
                          ",",           "\n", " padded ", "55\" TV", "\xEF\xBC\x9D"};
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
        text += "\r\n";
        for (std::size_t i = 0; i < cells.size(); ++i) {
            std::string quoted;
            for (const char c : cells[i]) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
            text += (i > 0 ? ",\"" : "\"") + quoted + "\"";
        }
        const auto reading = read(text + "\r\n");
        QCOMPARE(reading.records.size(), std::size_t{1});
        QCOMPARE(reading.records[0].cells, cells);
    }

    void quoteInsideAPlainCellIsText()
    {
        QCOMPARE(read("sku,title\nA1,55\" TV\n").records[0].cells, (Cells{"A1", "55\" TV"}));
    }

    void delimiterIsTakenFromTheHeaderLine_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("comma") << QByteArray("sku,title\nA1,x;y\n");
        QTest::newRow("semicolon") << QByteArray("sku;title\nA1;x;y\n").replace("x;y", "\"x;y\"");
        QTest::newRow("tab") << QByteArray("sku\ttitle\nA1\tx;y\n");
        QTest::newRow("separator line") << QByteArray("sep=|\nsku|title\nA1|x;y\n");
        QTest::newRow("quoted delimiters do not count") << QByteArray("sku,\"title\"\nA1,x;y\n");
    }

    void delimiterIsTakenFromTheHeaderLine()
    {
        QFETCH(QByteArray, text);
        const auto reading = read(text.toStdString());
        QCOMPARE(reading.description.header.size(), std::size_t{2});
        QCOMPARE(reading.records.at(0).cells, (Cells{"A1", "x;y"}));
    }

    void delimiterCanBeGiven()
    {
        InputSettings settings;
        settings.delimiter = ';';
        const auto reading = read("a,b,c;d\n1,2,3;4\n", settings);
        QCOMPARE(reading.records.at(0).cells, (Cells{"1,2,3", "4"}));
    }

    void raggedRowIsAnErrorWithItsLine()
    {
        const auto reading = read("sku,title,price\nA1,Mug,1\nA2,Lamp\nA3,Vase,3\nA4,Jar,4,5\n");
        QCOMPARE(reading.records.size(), std::size_t{4});
        QVERIFY(!reading.records[0].error && !reading.records[2].error);
        const Error& few = *reading.records[1].error;
        QCOMPARE(few.reason, Reason::InputFileBad);
        QCOMPARE(few.where->line, 3);
        QCOMPARE(few.where->byteOffset, 25);
        QCOMPARE(few.message, std::string("the row has 2 cells, expected 3 as in the header"));
        QVERIFY(!few.hint.empty());
        QCOMPARE(reading.records[3].error->message, std::string("the row has 4 cells, expected 3 as in the header"));
    }

    void unclosedQuoteCostsItsOwnLineAlone()
    {
        const auto reading = read("sku,title\nA1,\"Mug\nA2,Lamp\nA3,\"Vase\"\n");
        QCOMPARE(reading.records.size(), std::size_t{3});
        const Error& error = *reading.records[0].error;
        QCOMPARE(error.where->line, 2);
        QCOMPARE(error.where->column, 4);
        QVERIFY(error.message.find("cell 2 (title)") != std::string::npos);
        QCOMPARE(reading.records[1].cells, (Cells{"A2", "Lamp"}));
        QCOMPARE(reading.records[2].cells, (Cells{"A3", "Vase"}));
    }

    void textBehindAClosingQuoteNamesWhatWasFound()
    {
        const auto reading = read("sku,title\nA1,\"55\" TV\nA2,Lamp\n");
        const Error& error = *reading.records.at(0).error;
        QCOMPARE(error.where->line, 2);
        QCOMPARE(error.where->column, 8);
        QVERIFY2(error.message.find("found \" \"") != std::string::npos, error.message.c_str());
        QCOMPARE(reading.records.at(1).cells, (Cells{"A2", "Lamp"}));
    }

    void nulCharacterIsTheRowsError()
    {
        const auto reading = read(std::string_view("sku,title\nA1,M\0g\nA2,Lamp\n", 25));
        QCOMPARE(reading.records.at(0).error->where->column, 5);
        QVERIFY(reading.records.at(0).error->message.find("NUL") != std::string::npos);
        QVERIFY(!reading.records.at(1).error);
    }

    void emptyLinesArePassedOver()
    {
        const auto reading = read("\n\nsku,title\n\nA1,Mug\n,\n  \nA2,Lamp\n\n");
        QCOMPARE(reading.records.size(), std::size_t{2});
        QCOMPARE(reading.records[1].line, 8);
    }

    void headerMistakesStopTheFile_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("word");
        QTest::newRow("empty file") << QByteArray("") << QByteArray("is empty");
        QTest::newRow("blank file") << QByteArray("\n \n") << QByteArray("is empty");
        QTest::newRow("twice") << QByteArray("sku,title, sku\n") << QByteArray("twice");
        QTest::newRow("no name") << QByteArray("sku,,title\n") << QByteArray("column 2 of the header has no name");
        QTest::newRow("open quote") << QByteArray("sku,\"title\nA1,x\n") << QByteArray("in the header");
        QTest::newRow("workbook") << QByteArray("PK\x03\x04xxxx") << QByteArray("Excel workbook");
        QTest::newRow("too many columns") << QByteArray("a,").repeated(5000) << QByteArray("twice");
    }

    void headerMistakesStopTheFile()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, word);
        const auto reading = read(text.toStdString());
        QVERIFY(reading.error.has_value());
        QCOMPARE(reading.error->reason, Reason::InputFileBad);
        if (text.size() < 5000)
            QVERIFY2(reading.error->message.find(word.toStdString()) != std::string::npos,
                     reading.error->message.c_str());
        QVERIFY(!reading.error->hint.empty());
    }

    void underscoredColumnsAreKeptAndMarked()
    {
        const auto reading = read("sku,_reason,_reason\nA1,x,y\n");
        QCOMPARE(reading.description.header,
                 (std::vector<HeaderColumn>{{"sku", false}, {"_reason", true}, {"_reason", true}}));
        QCOMPARE(reading.records.at(0).cells.size(), std::size_t{3});
    }

    void limitsAreRowErrorsAndReadingGoesOn()
    {
        const std::string large(std::size_t{1} << 20U, 'x');
        const std::string text = "sku,title\nA1," + large + "\nA2,y" + large + "\nA3,\"" + large + "z\"\nA4,Mug\n";
        const auto reading = read(text);
        QCOMPARE(reading.records.size(), std::size_t{4});
        QVERIFY(!reading.records[0].error);
        QVERIFY(reading.records[1].error->message.find("1 MiB") != std::string::npos);
        QVERIFY(reading.records[2].error->message.find("1 MiB") != std::string::npos);
        QCOMPARE(reading.records[3].cells, (Cells{"A4", "Mug"}));
        QCOMPARE(reading.records[3].line, 5);
    }

    void rowOverFourMebibytesIsPassedOver()
    {
        std::string text = "a,b,c,d,e,f\n";
        for (int i = 0; i < 6; ++i) text += (i > 0 ? "," : "") + std::string(900'000, 'x');
        const auto reading = read(text + "\n1,2,3,4,5,6\n");
        QCOMPARE(reading.records.size(), std::size_t{2});
        QVERIFY(reading.records[0].error->message.find("4 MiB") != std::string::npos);
        QVERIFY(!reading.records[1].error);
    }

    void quoteThatStaysOpenForMegabytesCostsOneLine()
    {
        std::string text = "sku,title\nA0,\"open\n";
        for (int i = 1; i <= 100'000; ++i) text += "A" + std::to_string(i) + ",a title of some length\n";
        const auto reading = read(text);
        QCOMPARE(reading.records.size(), std::size_t{100'001});
        QVERIFY(reading.records[0].error.has_value());
        QVERIFY(!reading.records[1].error);
        QCOMPARE(reading.records.back().line, 100'002);
    }
};

QTEST_GUILESS_MAIN(CsvReaderTest)
#include "csv_reader_test.moc"
