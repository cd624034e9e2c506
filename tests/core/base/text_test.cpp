#include "core/base/text.h"

#include <QtTest/QtTest>

using namespace aiflow;

class TextTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void chineseIsTwoCellsWide()
    {
        QCOMPARE(displayWidth("abc"), 3);
        QCOMPARE(displayWidth("连衣裙"), 6);
        QCOMPARE(displayWidth("e\xCC\x81"), 1); // e and a combining accent
        QCOMPARE(displayWidth("Ａ"), 2);        // full-width A
    }
    void cuttingNeverSplitsACharacter()
    {
        QCOMPARE(cutToWidth("连衣裙", 5), std::string("连.."));
        QCOMPARE(cutToWidth("连衣裙", 6), std::string("连衣裙"));
        QCOMPARE(cutToWidth("abcdef", 4), std::string("ab.."));
        for (int cells = 0; cells < 12; ++cells) {
            const std::string cut = cutToWidth("a连b衣c裙d", cells);
            QVERIFY(displayWidth(cut) <= cells);
            QVERIFY(isValidUtf8(cut));
            QCOMPARE(displayWidth(padToWidth("a连b衣c裙d", cells)), cells);
        }
    }
    void brokenUtf8IsFound()
    {
        QVERIFY(isValidUtf8("中文 ok"));
        QVERIFY(!isValidUtf8("\xff"));
        QVERIFY(!isValidUtf8("\xe4\xb8"));
        QVERIFY(!isValidUtf8("\xc0\xaf"));     // overlong
        QVERIFY(!isValidUtf8("\xed\xa0\x80")); // a surrogate
    }
    void matchingIgnoresWidthCaseAndSpaces()
    {
        QCOMPARE(foldForMatching("　ＳＫＵ　 编号 "), std::string("sku 编号"));
        QCOMPARE(foldForMatching("１２９．００"), std::string("129.00"));
    }
    void theNearestWordIsOfferedOnlyWhenItIsNear()
    {
        const std::vector<std::string> words{"batch", "resume", "retry", "status"};
        QCOMPARE(nearestWord("bacth", words).value_or(""), std::string("batch"));
        QCOMPARE(nearestWord("retyr", words).value_or(""), std::string("retry"));
        QVERIFY(!nearestWord("elephant", words));
    }
    void controlCharactersBecomeVisible()
    {
        QCOMPARE(escapeControl("a\x1b[31m\nb"), std::string("a\\x1b[31m\\nb"));
        QCOMPARE(escapeControl("连"), std::string("连"));
    }
    void compositionIsCanonical() { QCOMPARE(normalise("e\xCC\x81"), std::string("\xC3\xA9")); }
};

QTEST_GUILESS_MAIN(TextTest)
#include "text_test.moc"
