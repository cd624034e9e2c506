#include "core/input/text_source.h"
#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

namespace {

const std::string kProducts =
    "货号,标题,价格\nA1,北欧实木餐桌 𠮷,12\nA2,\"保温杯, \"\"大容量\"\"\n不锈钢\",99\nA3,mug,3\n";

} // namespace

class EncodingTest : public QObject {
    Q_OBJECT

private:
    InputFiles m_files;

private Q_SLOTS:
    void everyEncodingGivesTheSameItems_data()
    {
        QTest::addColumn<int>("encoding");
        QTest::addColumn<bool>("mark");
        const auto add = [](const char* title, Encoding encoding, bool mark) {
            QTest::newRow(title) << static_cast<int>(encoding) << mark;
        };
        add("UTF-8", Encoding::Utf8, false);
        add("UTF-8 with mark", Encoding::Utf8, true);
        add("UTF-16LE with mark", Encoding::Utf16Le, true);
        add("UTF-16BE with mark", Encoding::Utf16Be, true);
        add("UTF-32LE with mark", Encoding::Utf32Le, true);
        add("UTF-32BE with mark", Encoding::Utf32Be, true);
        add("UTF-16LE", Encoding::Utf16Le, false);
        add("UTF-16BE", Encoding::Utf16Be, false);
        add("GB18030", Encoding::Gb18030, false);
        add("GB18030 with mark", Encoding::Gb18030, true);
    }

    void everyEncodingGivesTheSameItems()
    {
        QFETCH(int, encoding);
        QFETCH(bool, mark);
        const auto expected = readAll(m_files.write("utf8.csv", kProducts));
        const auto reading = readAll(m_files.writeAs("other.csv", kProducts, static_cast<Encoding>(encoding), mark));
        QVERIFY2(!reading.error, reading.error ? reading.error->text().c_str() : "");
        QCOMPARE(static_cast<int>(reading.description.encoding.encoding), encoding);
        QCOMPARE(reading.description.header, expected.description.header);
        QCOMPARE(reading.records.size(), expected.records.size());
        for (std::size_t i = 0; i < reading.records.size(); ++i) {
            QCOMPARE(reading.records[i].cells, expected.records[i].cells);
            QCOMPARE(reading.records[i].line, expected.records[i].line);
        }
    }

    void largeFilesAreReadInPieces_data() { everyEncodingGivesTheSameItems_data(); }

    void largeFilesAreReadInPieces()
    {
        QFETCH(int, encoding);
        QFETCH(bool, mark);
        std::string text = "货号,标题\n";
        for (int i = 0; i < 30'000; ++i) text += std::to_string(i) + (i % 3 == 0 ? ",𠮷野家\n" : ",不锈钢\r\n");
        const auto reading = readAll(m_files.writeAs("large.csv", text, static_cast<Encoding>(encoding), mark));
        QVERIFY(!reading.error);
        QCOMPARE(reading.records.size(), std::size_t{30'000});
        for (std::size_t i = 0; i < reading.records.size(); ++i)
            QCOMPARE(reading.records[i].cells,
                     (std::vector<std::string>{std::to_string(i), i % 3 == 0 ? "𠮷野家" : "不锈钢"}));
    }

    void invalidByteIsNamedWithItsPlace()
    {
        std::string text = "sku,title\n";
        for (int i = 0; i < 20; ++i) text += "A" + std::to_string(i) + ",北欧实木餐桌\n";
        const auto bad = static_cast<std::int64_t>(text.size()) + 6;
        const auto reading = readAll(m_files.write("damaged.csv", text + "B1,北\xB1,x\n"));
        QVERIFY(reading.error.has_value());
        QCOMPARE(reading.error->reason, Reason::InputFileBad);
        QCOMPARE(reading.error->where->line, 22);
        QCOMPARE(reading.error->where->column, 5);
        QCOMPARE(reading.error->where->byteOffset, bad);
        QVERIFY(reading.error->message.find("0xB1") != std::string::npos);
    }

    void bytesThatNoEncodingKnowsAreAnError()
    {
        const auto reading = readAll(m_files.write("neither.csv", "sku,title\nA1,\xFF\xFF\n"));
        QVERIFY(reading.error && reading.error->hint.find("--encoding") != std::string::npos);
    }

    void givenEncodingIsObeyed()
    {
        InputSettings settings;
        settings.encoding = "gbk";
        const auto ascii = readAll(m_files.write("ascii.csv", "sku\nA1\n"), settings);
        QCOMPARE(static_cast<int>(ascii.description.encoding.encoding), static_cast<int>(Encoding::Gb18030));
        settings.encoding = "utf-8";
        const auto wrong = readAll(m_files.writeAs("gbk.csv", kProducts, Encoding::Gb18030, false), settings);
        QVERIFY(wrong.error && wrong.error->where->line == 1 && wrong.error->where->column == 1);
        settings.encoding = "klingon";
        QCOMPARE(readAll(m_files.write("ascii.csv", "sku\nA1\n"), settings).error->reason, Reason::UsageInvalid);
    }

    void loneSurrogateIsAnError()
    {
        std::string bytes = encode("sku,title\nA1,x\n", Encoding::Utf16Le);
        bytes[bytes.size() - 4] = '\x00';
        bytes[bytes.size() - 3] = '\xD8';
        const auto reading = readAll(m_files.write("lone.csv", "\xFF\xFE" + bytes));
        QVERIFY(reading.error.has_value());
        QCOMPARE(reading.error->where->line, 2);
    }

    void utf8PrefixAgreesWithTheStandard()
    {
        QCOMPARE(utf8Prefix("abc\xC0\x80").valid, std::size_t{3});
        QCOMPARE(utf8Prefix("\xED\xA0\x80").valid, std::size_t{0});
        QCOMPARE(utf8Prefix("\xF4\x90\x80\x80").valid, std::size_t{0});
        QCOMPARE(utf8Prefix("\xF0\x9F\x98\x80").valid, std::size_t{4});
        QVERIFY(utf8Prefix("ab\xE5\x8C").cutOff);
        QVERIFY(!utf8Prefix("ab\xE5(").cutOff);
    }
};

QTEST_GUILESS_MAIN(EncodingTest)
#include "encoding_test.moc"
