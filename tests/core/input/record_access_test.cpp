#include "core/base/random.h"
#include "tests/core/input/input_files.h"

#include <atomic>
#include <QTest>
#include <thread>

using namespace aiflow;
using namespace aiflow::testing;

namespace {

// Good and bad rows of every kind.
std::string mixedCsv(std::uint64_t seed, int rows)
{
    SeededRandom random(seed);
    static const std::vector<std::string> kCells{
        "mug",    "北欧餐桌", "\"a, \"\"b\"\"\"", "\"line\r\nline\"", "", "𠮷", "\"", "\"x\"y", "a,b",
        " =1+1 ", "\"\"",     "\"行\n行\""};
    static const std::vector<std::string> kEnds{"\n", "\r\n", "\r", "\n\n"};
    std::string text = "货号,标题,price\n";
    for (int i = 0; i < rows; ++i) {
        text += std::to_string(i);
        for (int cell = 0; cell < 2; ++cell) text += "," + kCells[random.next() % kCells.size()];
        text += kEnds[random.next() % kEnds.size()];
    }
    return text;
}

} // namespace

class RecordAccessTest : public QObject {
    Q_OBJECT

private:
    InputFiles m_files;

private Q_SLOTS:
    void everyRecordIsReadAgainAlike_data()
    {
        QTest::addColumn<int>("encoding");
        QTest::addColumn<bool>("mark");
        for (const Encoding encoding : {Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Utf32Le,
                                        Encoding::Utf32Be, Encoding::Gb18030})
            for (const bool mark : {false, true})
                QTest::addRow("%s%s", std::string(name(encoding)).c_str(), mark ? " with mark" : "")
                    << static_cast<int>(encoding) << mark;
    }

    void everyRecordIsReadAgainAlike()
    {
        QFETCH(int, encoding);
        QFETCH(bool, mark);
        InputSettings settings;
        settings.encoding = name(static_cast<Encoding>(encoding));
        const auto path = m_files.writeAs("mixed.csv", mixedCsv(7, 20'000), static_cast<Encoding>(encoding), mark);
        const auto reading = readAll(path, settings);
        QVERIFY(!reading.error);
        QVERIFY(reading.records.size() > 10'000);
        const auto access = RecordAccess::open(path, reading.description);
        QVERIFY(access.has_value());
        int bad = 0;
        std::int64_t end = 0;
        for (const InputRecord& record : reading.records) {
            const auto again = (*access)->read(placeOf(record));
            QVERIFY(again.has_value());
            QVERIFY2(same(record, *again), std::to_string(record.line).c_str());
            QVERIFY(record.byteOffset >= end);
            end = record.byteOffset + record.byteLength;
            bad += record.error ? 1 : 0;
        }
        QVERIFY(bad > 1000);
    }

    void recordsThatAreTooLargeAreReadAgainAlike()
    {
        const std::string large(std::size_t{3} << 19U, 'x');
        const std::string lines(1'200'000, '\n');
        std::string text = "a,b,c,d\n1," + large + ",3,4\n\"" + lines + "\",x\n";
        text += large.substr(0, 900'000) + "," + large.substr(0, 900'000) + ",\"" + large.substr(0, 900'000) + "\"," +
                large.substr(0, 900'000) + "," + large.substr(0, 900'000) + "\n1,2,3,4\n";
        for (const Encoding encoding : {Encoding::Utf8, Encoding::Utf16Le, Encoding::Gb18030}) {
            InputSettings settings;
            settings.encoding = name(encoding);
            const auto path = m_files.writeAs("large.csv", text, encoding, false);
            const auto reading = readAll(path, settings);
            QCOMPARE(reading.records.size(), std::size_t{5});
            for (const InputRecord& record : reading.records)
                QVERIFY(same(record, *readRecordAt(path, reading.description, placeOf(record))));
            QVERIFY(!reading.records.back().error);
        }
    }

    void manyThreadsReadAtOnce()
    {
        const auto path = m_files.write("mixed.csv", mixedCsv(11, 2'000));
        const auto reading = readAll(path);
        const auto access = RecordAccess::open(path, reading.description);
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (const InputRecord& record : reading.records)
                    if (!same(record, *(*access)->read(placeOf(record)))) ++wrong;
            });
        for (std::thread& thread : threads) thread.join();
        QCOMPARE(wrong.load(), 0);
    }

    void shortenedFileIsAnError()
    {
        const auto path = m_files.write("short.csv", "sku\nA1\nA2\n");
        const auto reading = readAll(path);
        std::filesystem::resize_file(path, 5);
        const auto again = readRecordAt(path, reading.description, placeOf(reading.records.back()));
        QVERIFY(!again && again.error().reason == Reason::InputFileBad);
    }
};

QTEST_GUILESS_MAIN(RecordAccessTest)
#include "record_access_test.moc"
