#include "core/base/random.h"
#include "core/base/text.h"
#include "core/store/output_folder.h"

#include <fstream>
#include <QtTest>
#include <set>
#include <sstream>
#include <sys/stat.h>

using namespace aiflow;

class OutputFolderTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_base;
    std::unique_ptr<ArtifactStore> m_artifacts;
    int m_folders = 0;

    std::filesystem::path base() const { return m_base.path().toStdString(); }
    std::filesystem::path newPath() { return base() / ("out" + std::to_string(++m_folders)); }

    std::unique_ptr<OutputFolder> open(const std::filesystem::path& path)
    {
        auto folder = OutputFolder::open(path, *m_artifacts);
        if (!folder) qFatal("%s", folder.error().text().c_str());
        return std::move(*folder);
    }

    ArtifactRef artifact(std::string_view text)
    {
        return m_artifacts->put("text/plain", std::as_bytes(std::span(text))).value();
    }

    static std::string contents(const std::filesystem::path& file)
    {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }

    static std::string nastyName(Random& random)
    {
        static const std::vector<std::string> pieces{"..",
                                                     "/",
                                                     "//",
                                                     ".",
                                                     "-rf",
                                                     "~",
                                                     "a",
                                                     "图",
                                                     "é",
                                                     "e\xCC\x81",
                                                     "\xFF",
                                                     "\x01",
                                                     "\\",
                                                     "CON",
                                                     "nul.txt",
                                                     "\xE2\x80\xAE",
                                                     " ",
                                                     ".hidden",
                                                     "|",
                                                     "\n",
                                                     "..\\..",
                                                     "%2e%2e",
                                                     "\xC0\xAE",
                                                     "\xEF\xBC\x8F",
                                                     "proc/self",
                                                     "\xF0\x9F\x98\x80",
                                                     "*",
                                                     "?",
                                                     ":",
                                                     ".png",
                                                     "\xE2\x80\x8B",
                                                     "COM1",
                                                     "$(id)"};
        std::string name;
        for (auto count = 1 + random.next() % 8; count > 0; --count) name += pieces[random.next() % pieces.size()];
        if (random.next() % 50 == 0) name += std::string(random.next() % 600, 'x');
        return name;
    }

private Q_SLOTS:
    void initTestCase() { m_artifacts = std::move(*ArtifactStore::open(base() / "artifacts", systemFiles())); }

    void namesAreMadeSafe_data()
    {
        QTest::addColumn<QString>("wished");
        QTest::addColumn<QString>("expected");
        QTest::newRow("plain") << "SKU-1.png"
                               << "SKU-1.png";
        QTest::newRow("chinese") << QString::fromUtf8("红色 水壶.png") << QString::fromUtf8("红色 水壶.png");
        QTest::newRow("folder") << "heroes/1.png"
                                << "heroes/1.png";
        QTest::newRow("upwards") << "../../etc/passwd"
                                 << "etc/passwd";
        QTest::newRow("absolute") << "/etc/passwd"
                                  << "etc/passwd";
        QTest::newRow("hidden") << ".bashrc"
                                << "_bashrc";
        QTest::newRow("option") << "-rf"
                                << "_rf";
        QTest::newRow("device") << "nul.txt"
                                << "_nul.txt";
        QTest::newRow("signs") << "a:b*c?.png"
                               << "a_b_c_.png";
        QTest::newRow("composed") << QString::fromUtf8("e\xCC\x81.png") << QString::fromUtf8("é.png");
        QTest::newRow("direction") << QString::fromUtf8("a\xE2\x80\xAEgnp.exe") << "a_gnp.exe";
        QTest::newRow("dots at the end") << "name..."
                                         << "name";
        QTest::newRow("nothing") << ""
                                 << "_";
        QTest::newRow("only dots") << "../.."
                                   << "_";
    }

    void namesAreMadeSafe()
    {
        QFETCH(QString, wished);
        QFETCH(QString, expected);
        QCOMPARE(QString::fromStdString(safeOutputName(wished.toStdString()).string()), expected);
    }

    void longNameKeepsItsEnding()
    {
        std::string wished;
        for (int i = 0; i < 200; ++i) wished += "图";
        const std::string name = safeOutputName(wished + ".png").string();
        QVERIFY(name.size() <= 200 && name.ends_with(".png") && isValidUtf8(name));
    }

    void fiveThousandNastyNamesStayBeneathTheFolder()
    {
        const auto path = newPath();
        auto folder = open(path);
        SeededRandom random(7);
        const ArtifactRef bytes = artifact("x");
        std::set<std::string> places;
        for (int i = 0; i < 5000; ++i) {
            const std::string wished = nastyName(random);
            const auto placed = folder->place(wished, bytes, "item" + std::to_string(i));
            QVERIFY2(placed, placed ? "" : placed.error().text().c_str());
            QVERIFY2(places.insert(placed->string()).second, placed->c_str());
            const std::string relative = placed->string();
            QVERIFY(placed->is_relative() && isValidUtf8(relative) && normalise(relative) == relative);
            for (const auto& part : *placed) {
                const std::string text = part.string();
                QVERIFY(text != ".." && text[0] != '.' && text[0] != '-' && text.size() <= 200);
            }
            const auto real = std::filesystem::canonical(path / *placed).string();
            QVERIFY(real.starts_with(std::filesystem::canonical(path).string() + "/"));
        }
        QVERIFY(folder->sync());
    }

    void secondItemWithTheNameGetsItsId()
    {
        const auto path = newPath();
        auto folder = open(path);
        QCOMPARE(folder->place("hero.png", artifact("1"), "A")->string(), std::string("hero.png"));
        QCOMPARE(folder->place("hero.png", artifact("2"), "B")->string(), std::string("hero-B.png"));
        QCOMPARE(folder->place("HERO.png", artifact("3"), "C:7")->string(), std::string("HERO-C_7.png"));
        QCOMPARE(folder->place("hero.png", artifact("1 again"), "A")->string(), std::string("hero.png"));
        QCOMPARE(contents(path / "hero.png"), std::string("1 again"));
        QCOMPARE(contents(path / "hero-B.png"), std::string("2"));
        QCOMPARE(folder->place("results.csv", artifact("4"), "D")->string(), std::string("results-D.csv"));
    }

    void fileAndFolderOfOneNameDoNotMeet()
    {
        auto folder = open(newPath());
        QCOMPARE(folder->place("a", artifact("1"), "A")->string(), std::string("a"));
        QCOMPARE(folder->place("a/b.png", artifact("2"), "B")->string(), std::string("a_b.png"));
        QCOMPARE(folder->place("c/d.png", artifact("3"), "C")->string(), std::string("c/d.png"));
        QCOMPARE(folder->place("c", artifact("4"), "D")->string(), std::string("c-D"));
    }

    void claimedNameIsNotGivenToAnother()
    {
        const auto path = newPath();
        QVERIFY(open(path)->place("a.png", artifact("first"), "A"));
        auto resumed = open(path);
        QCOMPARE(resumed->claim("a.png", "A").string(), std::string("a.png"));
        QCOMPARE(resumed->place("a.png", artifact("second"), "B")->string(), std::string("a-B.png"));
        QCOMPARE(contents(path / "a.png"), std::string("first"));
    }

    void sameBytesAreNotWrittenAgain()
    {
        const auto path = newPath();
        QVERIFY(open(path)->place("a.txt", artifact("same"), "A"));
        const auto before = systemFiles().status(path / "a.txt")->inode;
        QVERIFY(open(path)->place("a.txt", artifact("same"), "A"));
        QCOMPARE(systemFiles().status(path / "a.txt")->inode, before);
        QVERIFY(open(path)->place("a.txt", artifact("more"), "A"));
        QCOMPARE(contents(path / "a.txt"), std::string("more"));
    }

    void othersMayReadTheResults()
    {
        const mode_t old = ::umask(077);
        const auto path = newPath();
        QVERIFY(open(path)->place("sub/a.txt", artifact("x"), "A"));
        ::umask(old);
        const std::pair<const char*, unsigned> expected[] = {{"", 0755}, {"sub", 0755}, {"sub/a.txt", 0644}};
        for (const auto& [name, mode] : expected) {
            struct stat s {};
            QCOMPARE(::stat((path / name).c_str(), &s), 0);
            QCOMPARE(s.st_mode & 0777U, mode);
        }
    }

    void linkThatLeadsOutIsNotFollowed()
    {
        const auto path = newPath();
        const auto outside = newPath();
        std::filesystem::create_directories(path);
        std::filesystem::create_directories(outside);
        std::ofstream(outside / "target") << "untouched";
        std::filesystem::create_directory_symlink(outside, path / "sub");
        std::filesystem::create_symlink(outside / "target", path / "file.txt");
        auto folder = open(path);
        const auto inside = folder->place("sub/a.txt", artifact("x"), "A");
        QVERIFY(!inside);
        QCOMPARE(inside.error().reason, Reason::OutputDenied);
        QVERIFY(folder->place("file.txt", artifact("x"), "A"));
        QCOMPARE(contents(outside / "target"), std::string("untouched"));
        QCOMPARE(contents(path / "file.txt"), std::string("x"));
        QVERIFY(!std::filesystem::exists(outside / "a.txt"));
    }

    void csvIsForSpreadsheets()
    {
        CsvWriter csv;
        csv.row({"id", "标题", "note"});
        csv.row({"1", "a,b", "say \"hi\""});
        csv.row({"2", "line\nbreak", ""});
        csv.row({""});
        QCOMPARE(
            QByteArray::fromStdString(csv.text()),
            QByteArray("\xEF\xBB\xBFid,标题,note\r\n1,\"a,b\",\"say \"\"hi\"\"\"\r\n2,\"line\nbreak\",\r\n\"\"\r\n"));
        csv.take();
        csv.row({"3"});
        QCOMPARE(csv.take(), std::string("3\r\n"));
    }

    void formulasAreNeutralisedAndNumbersAreNot_data()
    {
        QTest::addColumn<QByteArray>("cell");
        QTest::addColumn<QByteArray>("written");
        for (const char* same : {"5", "-5", "+5.25", "-1e9", ".5", "text", "a=b", "", "  x"})
            QTest::newRow(same) << QByteArray(same)
                                << (same[0] == ' ' ? "\"" + QByteArray(same) + "\"" : QByteArray(same));
        QTest::newRow("equals") << QByteArray("=1+1") << QByteArray("'=1+1");
        QTest::newRow("plus") << QByteArray("+A1") << QByteArray("'+A1");
        QTest::newRow("minus") << QByteArray("-A1") << QByteArray("'-A1");
        QTest::newRow("minus inf") << QByteArray("-inf") << QByteArray("'-inf");
        QTest::newRow("at") << QByteArray("@SUM(A1)") << QByteArray("'@SUM(A1)");
        QTest::newRow("spaces") << QByteArray("  =1") << QByteArray("\"'  =1\"");
        QTest::newRow("tab") << QByteArray("\t1") << QByteArray("\"'\t1\"");
        QTest::newRow("full width") << QByteArray("＝1") << QByteArray("'＝1");
        QTest::newRow("full width at") << QByteArray("＠x") << QByteArray("'＠x");
    }

    void formulasAreNeutralisedAndNumbersAreNot()
    {
        QFETCH(QByteArray, cell);
        QFETCH(QByteArray, written);
        CsvWriter csv;
        csv.row({"x", cell.toStdString()});
        QCOMPARE(QByteArray::fromStdString(csv.text()), QByteArray("\xEF\xBB\xBFx,") + written + "\r\n");
        CsvWriter raw(false);
        raw.row({"x", cell.toStdString()});
        QVERIFY(raw.text().find('\'') == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(OutputFolderTest)
#include "output_folder_test.moc"
