#include "core/input/folder_listing.h"
#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

class JsonlAndFolderTest : public QObject {
    Q_OBJECT

private:
    InputFiles m_files;

    std::filesystem::path pictures()
    {
        const auto root = m_files.folder() / "pictures";
        for (const char* name :
             {"b.jpg", "a/2.PNG", "a/10.jpeg", "c.webp", "c.tif", "notes.txt", ".hidden.jpg", ".git/x.jpg"})
            m_files.write(std::string("pictures/") + name, "x");
        std::error_code ignored;
        std::filesystem::create_symlink(root / "b.jpg", root / "link.jpg", ignored);
        std::filesystem::create_directory_symlink(root / "a", root / "loop", ignored);
        return root;
    }

private Q_SLOTS:
    void objectsKeepTheirTypes()
    {
        const auto reading = readAll(m_files.write(
            "p.jsonl", "{\"sku\":\"A1\",\"price\":12.5,\"tags\":[\"x\"]}\r\n\n{\"sku\":\"A2\",\"_r\":1}"));
        QCOMPARE(reading.records.size(), std::size_t{2});
        QCOMPARE((*reading.records[0].object)["price"].get<double>(), 12.5);
        QCOMPARE(reading.records[1].line, 3);
        QCOMPARE(reading.description.header,
                 (std::vector<HeaderColumn>{{"_r", true}, {"price", false}, {"sku", false}, {"tags", false}}));
    }

    void badLinesAreTheirOwnErrors()
    {
        const std::string text =
            "{\"sku\":\"桌\",\"x\":}\n[1]\n" + std::string((4U << 20U) + 10U, 'x') + "\n{\"sku\":\"A\"}\n";
        const auto path = m_files.write("p.jsonl", text);
        const auto reading = readAll(path);
        QCOMPARE(reading.records.size(), std::size_t{4});
        QCOMPARE(reading.records[0].error->where->line, 1);
        QCOMPARE(reading.records[0].error->where->column, 16);
        QCOMPARE(reading.records[0].error->where->byteOffset, 17);
        QVERIFY(reading.records[1].error->message.find("found a JSON array") != std::string::npos ||
                reading.error.has_value());
        QVERIFY(reading.records[2].error->message.find("4 MiB") != std::string::npos);
        QVERIFY(!reading.records[3].error);
        for (const InputRecord& record : reading.records)
            QVERIFY(same(record, *readRecordAt(path, reading.description, placeOf(record))));
    }

    void jsonlIsReadInOtherEncodings()
    {
        const std::string text = "{\"sku\":\"A1\",\"title\":\"北欧餐桌\"}\n{\"sku\":\"A2\",\"title\":\"𠮷\"}\n";
        for (const Encoding encoding : {Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Gb18030}) {
            const auto path = m_files.writeAs("p.jsonl", text, encoding, false);
            const auto reading = readAll(path);
            QVERIFY(!reading.error);
            QCOMPARE((*reading.records.at(1).object)["title"].get<std::string>(), std::string("𠮷"));
            for (const InputRecord& record : reading.records)
                QVERIFY(same(record, *readRecordAt(path, reading.description, placeOf(record))));
        }
    }

    void arrayIsToldHowToBecomeLines()
    {
        const auto reading = readAll(m_files.write("p.jsonl", "[{\"sku\":1}]"));
        QVERIFY(reading.error && reading.error->hint.find("jq") != std::string::npos);
    }

    void folderGivesItsPicturesSorted()
    {
        const auto reading = readAll(pictures());
        QVERIFY(!reading.error);
        QCOMPARE(static_cast<int>(reading.description.format), static_cast<int>(InputFormat::Folder));
        std::vector<std::string> files;
        std::vector<std::string> ids;
        for (const InputRecord& record : reading.records) {
            files.push_back((*record.object)["file"].get<std::string>());
            ids.push_back((*record.object)["id"].get<std::string>());
            QVERIFY((*record.object)["image"] == (*record.object)["file"]);
        }
        QCOMPARE(files, (std::vector<std::string>{"a/10.jpeg", "a/2.PNG", "b.jpg", "c.tif", "c.webp"}));
        QCOMPARE(ids, (std::vector<std::string>{"a/10", "a/2", "b", "c.tif", "c.webp"}));
        QCOMPARE((*reading.records[1].object)["name"].get<std::string>(), std::string("2"));
    }

    void listingOfTheJobGivesTheSameRecords()
    {
        const auto root = pictures();
        const auto reading = readAll(root);
        const auto copy = m_files.folder() / "input.jsonl";
        QVERIFY(snapshotInput(root, copy).has_value());
        for (const InputRecord& record : reading.records)
            QVERIFY(same(record, *readRecordAt(copy, reading.description, placeOf(record))));
        InputSettings settings;
        settings.format = InputFormat::Folder;
        QCOMPARE(readAll(copy, settings).records.size(), reading.records.size());
    }

    void emptyFolderAndBadNamesAreErrors()
    {
        std::filesystem::create_directories(m_files.folder() / "empty");
        const auto empty = readAll(m_files.folder() / "empty");
        QVERIFY(empty.error && empty.error->hint.find("webp") != std::string::npos);
        m_files.write("odd/caf\xE9.jpg", "x");
        const auto odd = readAll(m_files.folder() / "odd");
        QVERIFY(odd.records.at(0).error->message.find("not valid UTF-8") != std::string::npos);
    }

    void snapshotIsTheSameBytesWithTheirHash()
    {
        const std::string text(3'000'000, 'x');
        const auto copy = m_files.folder() / "copy.csv";
        const auto snapshot = snapshotInput(m_files.write("big.csv", text), copy);
        QVERIFY(snapshot.has_value());
        QCOMPARE(snapshot->hash, sha256(text));
        QCOMPARE(snapshot->size, 3'000'000);
        QCOMPARE(*sha256File(copy), snapshot->hash);
        QVERIFY(!std::filesystem::exists(copy.string() + ".part"));
        const auto denied = snapshotInput(copy, m_files.folder() / "nowhere" / "copy.csv");
        QVERIFY(!denied && denied.error().reason == Reason::OutputDenied);
    }
};

QTEST_GUILESS_MAIN(JsonlAndFolderTest)
#include "jsonl_and_folder_test.moc"
