#include "core/base/hash.h"

#include <fstream>
#include <QtTest/QtTest>

using namespace aiflow;

class HashTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void knownTextHasItsKnownSum()
    {
        // FIPS 180-2, appendix B.1.
        QCOMPARE(sha256(std::string_view("abc")).hex(),
                 std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }
    void hexRoundTripsAndRefusesAnythingElse()
    {
        const ContentHash hash = sha256(std::string_view("x"));
        QVERIFY(ContentHash::fromHex(hash.hex()) == hash);
        QVERIFY(!ContentHash::fromHex("zz"));
        QVERIFY(!ContentHash::fromHex(hash.hex().substr(1) + "G"));
        QVERIFY(ContentHash{}.isZero());
        QVERIFY(!hash.isZero());
    }
    void fieldsDoNotRunTogether()
    {
        const auto one = Hasher().addField("ab").addField("c").finish();
        const auto two = Hasher().addField("a").addField("bc").finish();
        QVERIFY(one != two);
    }
    void aFileHasTheSumOfItsBytes()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath("big").toStdString();
        const std::string text(1'000'000, 'q');
        std::ofstream(path) << text;
        QVERIFY(sha256File(path).value() == sha256(text));
        const auto missing = sha256File(path + ".no");
        QVERIFY(!missing);
        QVERIFY(missing.error().message.find(".no") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(HashTest)
#include "hash_test.moc"
