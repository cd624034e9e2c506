#include "cli/terminal/cells.h"

#include <QTest>
#include <random>

using namespace aiflow::terminal;

class CellsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void widthsAreThoseOfATerminal()
    {
        QCOMPARE(cellsOf(""), 0);
        QCOMPARE(cellsOf("abc"), 3);
        QCOMPARE(cellsOf("商品abc"), 7);
        QCOMPARE(cellsOf("✓✗▸⧗↻⊘▪▰▱"), 9);
        QCOMPARE(cellsOf("e\u0301"), 1);                                    // e with a combining accent
        QCOMPARE(cellsOf("\U0001F469\u200D\U0001F469\u200D\U0001F467"), 2); // a family is one picture
        QCOMPARE(cellsOf("\U0001F1E8\U0001F1F3"), 2);                       // a flag
        QCOMPARE(cellsOf("ＡＢ"), 4);
    }

    void cuttingNeverSplitsWhatPeopleSeeAsOne()
    {
        QCOMPARE(cut("商品名称", 8), std::string("商品名称"));
        QCOMPARE(cut("商品名称", 7), std::string("商品.."));
        QCOMPARE(cut("商品名称", 5), std::string("商.."));
        QCOMPARE(cut("abcdef", 2), std::string(".."));
        QCOMPARE(cut("abcdef", 0), std::string());
        QCOMPARE(cut("cafe\u0301s and more", 6), std::string("cafe\u0301.."));
        QCOMPARE(cut("x\U0001F469\u200D\U0001F467yz..", 4), std::string("x.."));
    }

    void paddingGivesExactlyTheWidth()
    {
        QCOMPARE(pad("商", 4), std::string("商  "));
        QCOMPARE(padLeft("商", 4), std::string("  商"));
        QCOMPARE(pad("商品", 3), std::string(".. ").substr(0, 2) + " ");
        QCOMPARE(padLeft("12345", 3), std::string("12345")); // numbers are never cut
    }

    void everyCutFits()
    {
        const std::string pieces[]{"a",  "商",  "e\u0301", "\U0001F469\u200D\U0001F467", "\U0001F1E8\U0001F1F3",
                                   "한", "\xFF"};
        std::mt19937 random(3);
        for (int i = 0; i < 2'000; ++i) {
            std::string text;
            for (std::size_t n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
            for (int cells = 0; cells < 14; ++cells) {
                QVERIFY(cellsOf(cut(text, cells)) <= cells);
                QCOMPARE(cellsOf(pad(text, cells)), cells);
            }
        }
    }

    void nothingMovesTheCursorOrTheDirection()
    {
        QCOMPARE(harmless("a\x1b[2Jb\r\n\tc\x7F"), std::string("a\\x1b[2Jb\\r\\n\\tc\\x7f"));
        QCOMPARE(harmless("x\u202Ey\u0085\xFFz"), std::string("x\\u202ey\\x85\\xffz"));
        QCOMPARE(harmless("商品 ok"), std::string("商品 ok"));
        QCOMPARE(asciiOnly("a商品b"), std::string("a??b"));
    }
};

QTEST_GUILESS_MAIN(CellsTest)
#include "cells_test.moc"
