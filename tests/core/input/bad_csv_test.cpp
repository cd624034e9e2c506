#include "core/base/random.h"
#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

namespace {

std::string goodCsv(SeededRandom& random)
{
    std::string text = "sku,title,price\n";
    const auto rows = 3 + random.next() % 12;
    for (std::uint64_t i = 0; i < rows; ++i)
        text += "A" + std::to_string(i) + (random.next() % 2 == 0 ? ",\"桌子, 实木\"," : ",mug,") + "12\n";
    return text;
}

std::size_t someLine(SeededRandom& random, const std::string& text)
{
    const std::size_t at = text.find('\n', random.next() % (text.size() - 1));
    return at == std::string::npos || at + 1 >= text.size() ? text.find('\n') + 1 : at + 1;
}

// A file with one mistake in it.
std::string damaged(SeededRandom& random)
{
    std::string text = goodCsv(random);
    const std::size_t line = someLine(random, text);
    switch (random.next() % 10) {
    case 0:
        return text.insert(line, "X1,\"open,12\n");
    case 1:
        return text.insert(line, "X1,\"a\"b,12\n");
    case 2:
        return text.insert(line, "X1,few\n");
    case 3:
        return text.insert(line, "X1,a,b,many\n");
    case 4:
        return text.insert(line, std::string("X1,a\0b,12\n", 10));
    case 5:
        return text.insert(line, "X1,\xFF\xFE,12\n");
    case 6:
        return "sku,title,sku\n" + text;
    case 7:
        return "sku,,price\n" + text;
    case 8:
        return text.insert(line, "X1,\"" + std::string(1'100'000, 'x') + "\",12\n");
    default:
        return std::string("\0\0", 2) + text.insert(line, "X1,few\n");
    }
}

} // namespace

class BadCsvTest : public QObject {
    Q_OBJECT

private:
    InputFiles m_files;

    static void checkError(const Error& error, const std::filesystem::path& path)
    {
        QCOMPARE(error.reason, Reason::InputFileBad);
        QVERIFY(!error.message.empty());
        QVERIFY2(!error.hint.empty(), error.message.c_str());
        QVERIFY2(error.where.has_value(), error.message.c_str());
        QCOMPARE(error.where->file, path.string());
        QVERIFY(error.where->line > 0 && error.where->column > 0 && error.where->byteOffset >= 0);
    }

private Q_SLOTS:
    void everyDamagedFileGivesOneClearError()
    {
        SeededRandom random(2'000);
        for (int i = 0; i < 2'000; ++i) {
            const auto path = m_files.write("damaged.csv", damaged(random));
            const auto reading = readAll(path);
            int errors = reading.error ? 1 : 0;
            if (reading.error) checkError(*reading.error, path);
            for (const InputRecord& record : reading.records) {
                if (!record.error) continue;
                ++errors;
                checkError(*record.error, path);
            }
            QCOMPARE(errors, 1);
        }
    }

    void randomBytesNeverCrash()
    {
        SeededRandom random(2'001);
        static constexpr std::string_view kAlphabet("\",;\n\r\t\0abc\xE5\x8C\x97\xFF\xFE ", 16);
        for (int i = 0; i < 2'000; ++i) {
            std::string text = random.next() % 2 == 0 ? "a,b\n" : "";
            for (std::uint64_t left = random.next() % 200; left > 0; --left)
                text += kAlphabet[random.next() % kAlphabet.size()];
            const auto path = m_files.write("random.csv", text);
            const auto reading = readAll(path);
            for (const InputRecord& record : reading.records)
                QVERIFY(same(record, *readRecordAt(path, reading.description, placeOf(record))));
        }
    }
};

QTEST_GUILESS_MAIN(BadCsvTest)
#include "bad_csv_test.moc"
