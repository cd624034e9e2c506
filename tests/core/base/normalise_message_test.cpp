#include "core/base/normalise_message.h"

#include <QtTest>

using aiflow::normaliseMessage;

class NormaliseMessageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesOutWhatDiffersFromItemToItem_data()
    {
        QTest::addColumn<QString>("message");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char* name, const char* message, const char* expected) {
            QTest::newRow(name) << QString::fromUtf8(message) << QString::fromUtf8(expected);
        };
        row("path", "images/8412.jpg not found", "<path> not found");
        row("chinese path", "图片/红色.JPG not found", "<path> not found");
        row("absolute path", "cannot read /srv/in/a b: denied", "cannot read <path> b: denied");
        row("file name alone", "(a.png): bad header", "(<path>): bad header");
        row("quoted", "column \"title\" of 'SKU-1' is empty", "column <name> of <name> is empty");
        row("chinese quotes", "找不到“红色.jpg”，第 12 行", "找不到<name>，第 <n> 行");
        row("corner quotes", "列「标题」为空", "列<name>为空");
        row("apostrophe", "can't read it, it's gone", "can't read it, it's gone");
        row("open quote", "a \"stray quote", "a \"stray quote");
        row("numbers", "needs 1,024.5 MB, has 12", "needs <n> MB, has <n>");
        row("full-width digits", "第１２３行", "第<n>行");
        row("units", "no answer for 120s (2x)", "no answer for <n>s (<n>x)");
        row("item id", "SKU-100482 has no picture", "SKU-<n> has no picture");
        row("request id", "HTTP 500, request req_011CRa9bX2", "HTTP <n>, request <id>");
        row("uuid", "task 123e4567-e89b-12d3-a456-426614174000 lost", "task <id> lost");
        row("hash", "artifact 7f3a9c1e is gone", "artifact <id> is gone");
        row("url", "GET https://a.example/x?y=1, then nothing", "GET <url>, then nothing");
        row("mail", "sent to a.b@shop.example.", "sent to <address>.");
        row("slash word", "width and/or height", "width and/or height");
        row("address", "connect to 10.0.0.7:8080 failed", "connect to <n> failed");
        row("spaces", "  too \t many\n blanks ", "too many blanks");
        row("plain", "no product in the picture", "no product in the picture");
        row("empty", "", "");
    }

    void takesOutWhatDiffersFromItemToItem()
    {
        QFETCH(QString, message);
        QFETCH(QString, expected);
        const std::string once = normaliseMessage(message.toStdString());
        QCOMPARE(QString::fromStdString(once), expected);
        QCOMPARE(normaliseMessage(once), once);
    }

    void longMessageIsCutBetweenCharacters()
    {
        std::string message;
        for (int i = 0; i < 500; ++i) message += "图";
        const std::string clean = normaliseMessage(message);
        QVERIFY(clean.size() <= 400);
        QCOMPARE(clean.size() % 3, std::size_t{0});
    }
};

QTEST_GUILESS_MAIN(NormaliseMessageTest)
#include "normalise_message_test.moc"
