#include "core/base/file_system.h"

#include <fstream>
#include <QtTest/QtTest>
#include <sys/stat.h>

using namespace aiflow;
namespace fs = std::filesystem;

class FileSystemTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    fs::path root() const { return fs::path(m_folder.path().toStdString()); }
    static std::span<const std::byte> bytes(std::string_view text)
    {
        return std::as_bytes(std::span(text.data(), text.size()));
    }
    static std::string text(const std::vector<std::byte>& data)
    {
        return {reinterpret_cast<const char*>(data.data()), data.size()};
    }

private Q_SLOTS:
    void aWrittenFileIsThereWholeAndLeavesNoTemporary()
    {
        const fs::path path = root() / "a" / "b.txt";
        QVERIFY(systemFiles().makeDirectories(path.parent_path()));
        QVERIFY(systemFiles().writeDurably(path, bytes("one")));
        QVERIFY(systemFiles().writeDurably(path, bytes("two")));
        QCOMPARE(text(systemFiles().readFile(path, Bytes(10)).value()), std::string("two"));
        QCOMPARE(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator{}), 1);
    }
    void onlyTemporariesOfDeadProcessesAreRemoved()
    {
        QTemporaryDir place;
        const std::filesystem::path folder = place.path().toStdString();
        std::filesystem::create_directories(folder / "a/b");
        // No process has the first number: it is beyond what the kernel gives out.
        const std::string living = ".tmp-" + std::to_string(::getpid()) + "-1";
        for (const std::string name : {".tmp-999999999-1", "a/b/.tmp-999999999-22", ".tmp-999999999-x", "a/.tmp-1"})
            QVERIFY(systemFiles().writeAtomically(folder / name, {}));
        QVERIFY(systemFiles().writeAtomically(folder / living, {}));
        removeLeftTemporaries(folder);
        QVERIFY(!systemFiles().exists(folder / ".tmp-999999999-1"));
        QVERIFY(!systemFiles().exists(folder / "a/b/.tmp-999999999-22"));
        for (const std::string& name : {std::string(".tmp-999999999-x"), std::string("a/.tmp-1"), living})
            QVERIFY2(systemFiles().exists(folder / name), name.c_str());
    }
    void copiesAreEqual()
    {
        const fs::path from = root() / "from";
        const std::string content(3'000'000, 'z');
        std::ofstream(from) << content;
        QVERIFY(systemFiles().copyAtomically(from, root() / "to"));
        QCOMPARE(text(systemFiles().readFile(root() / "to", mebibytes(4)).value()), content);
    }
    void tooLargeAFileIsRefusedBeforeReading()
    {
        std::ofstream(root() / "large") << std::string(1000, 'x');
        const auto read = systemFiles().readFile(root() / "large", Bytes(999));
        QVERIFY(!read);
        QVERIFY(read.error().message.find("too large") != std::string::npos);
    }
    void nothingOutsideTheRootIsRead_data()
    {
        QTest::addColumn<QString>("path");
        for (const char* path :
             {"../outside", "sub/../../outside", "link", "linked/outside", "sub/../../../etc/passwd"})
            QTest::newRow(path) << path;
        QTest::newRow("absolute") << "/etc/passwd";
    }
    void nothingOutsideTheRootIsRead()
    {
        QFETCH(QString, path);
        const fs::path inner = root() / "jail";
        fs::create_directories(inner / "sub");
        std::ofstream(root() / "outside") << "secret";
        if (!fs::exists(fs::symlink_status(inner / "link"))) {
            fs::create_symlink("../outside", inner / "link");
            fs::create_directory_symlink("..", inner / "linked");
        }
        const auto read = systemFiles().readBeneath(inner, path.toStdString(), mebibytes(1));
        QVERIFY(!read);
        QCOMPARE(read.error().reason, Reason::InputFieldBad);
    }
    void aFifoOrDeviceIsRefusedWithoutHanging()
    {
        const fs::path inner = root() / "jail2";
        fs::create_directories(inner);
        QCOMPARE(::mkfifo((inner / "fifo").c_str(), 0600), 0);
        QVERIFY(!systemFiles().readBeneath(inner, "fifo", mebibytes(1)));
        QVERIFY(!systemFiles().statusBeneath(inner, "fifo"));
    }
    void aMissingPictureHasItsOwnReason()
    {
        const auto read = systemFiles().readBeneath(root(), "no.jpg", mebibytes(1));
        QCOMPARE(read.error().reason, Reason::InputImageMissing);
    }
    void aFolderThatCannotBeMadeSaysWhy()
    {
        std::ofstream(root() / "plain") << "x";
        const auto made = systemFiles().makeDirectories(root() / "plain" / "below");
        QVERIFY(!made);
        QCOMPARE(made.error().reason, Reason::OutputDenied);
    }
};

QTEST_GUILESS_MAIN(FileSystemTest)
#include "file_system_test.moc"
