#include "core/facade/rehearsal/first_items.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow;

namespace {

struct Folders {
    QTemporaryDir input, copy;

    std::filesystem::path write(const QString& name, const QByteArray& bytes) const
    {
        QFile file(input.filePath(name));
        if (file.open(QIODevice::WriteOnly)) file.write(bytes);
        return file.fileName().toStdString();
    }
    std::filesystem::path copies() const { return copy.path().toStdString(); }
};

QByteArray bytesOf(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

BatchRequest requestFor(const std::filesystem::path& input)
{
    BatchRequest request;
    request.input = input;
    return request;
}

} // namespace

class FirstItemsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rowsAreTakenByteForByte()
    {
        const Folders folders;
        const QByteArray head = "sku,title\r\nA,\"two\nlines, quoted\"\r\nB,plain\r\n";
        const auto request =
            firstItems(requestFor(folders.write("p.csv", head + "C,left out\r\n")), 2, folders.copies());
        QVERIFY(request.has_value());
        QCOMPARE(bytesOf(request->input), head);
        // Relative paths of rows begin where they began.
        QCOMPARE(request->inputRoot, std::optional(std::filesystem::path(folders.input.path().toStdString())));
    }

    void encodingsSurvive()
    {
        const Folders folders;
        const QByteArray head = "\xb1\xea\xcc\xe2,b\n\xcc\xa8\xb5\xc6,1\n"; // GB18030: 标题, 台灯
        const auto request = firstItems(requestFor(folders.write("p.csv", head + "x,2\n")), 1, folders.copies());
        QVERIFY(request.has_value());
        QCOMPARE(bytesOf(request->input), head);
    }

    void objectsAndShortFilesAreTakenToo()
    {
        const Folders folders;
        const QByteArray all = "{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n";
        const auto path = folders.write("p.jsonl", all);
        const auto one = firstItems(requestFor(path), 1, folders.copies());
        QVERIFY(one.has_value());
        QCOMPARE(bytesOf(one->input), QByteArray("{\"sku\":\"A\"}\n"));
        const auto more = firstItems(requestFor(path), 50, folders.copies());
        QVERIFY(more.has_value());
        QCOMPARE(bytesOf(more->input), all);
    }

    void picturesOfAFolderAreListed()
    {
        const Folders folders;
        for (const char* name : {"b.jpg", "a.jpg", "c.jpg"}) folders.write(name, "x");
        const auto request = firstItems(requestFor(folders.input.path().toStdString()), 2, folders.copies());
        QVERIFY(request.has_value());
        const QByteArray list = bytesOf(request->input);
        QCOMPARE(list.count('\n'), 2);
        QVERIFY(list.contains("a.jpg") && list.contains("b.jpg") && !list.contains("c.jpg"));
        QCOMPARE(request->inputRoot->string(), folders.input.path().toStdString());
    }

    void standardInputAndMissingFilesAreErrors()
    {
        const Folders folders;
        const auto standard = firstItems(requestFor("-"), 2, folders.copies());
        QVERIFY(!standard);
        QCOMPARE(standard.error().reason, Reason::UsageInvalid);
        QVERIFY(!firstItems(requestFor("/no/such.csv"), 2, folders.copies()));
    }
};

QTEST_GUILESS_MAIN(FirstItemsTest)
#include "first_items_test.moc"
