// Bodies made of pieces: exact sizes, any buffer, files opened when they are sent.
#include "core/api/protocols/parts/body_pieces.h"
#include "core/api/protocols/parts/wire_answer.h"
#include "tests/core/api/protocols/talk.h"

#include <QtTest>

using namespace aiflow;

namespace {

OpenFile opening(std::string bytes)
{
    return [bytes](const RequestFile&) -> Result<std::unique_ptr<BodySource>> {
        return std::make_unique<BytesSource>(bytes);
    };
}

RequestFile fileOf(const std::string& bytes)
{
    return {std::string(64, 'a'), "image/png", static_cast<std::int64_t>(bytes.size())};
}

} // namespace

class RequestBodiesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void base64OfEveryLengthIsRightInEveryBuffer()
    {
        for (std::size_t length = 0; length <= 20; ++length) {
            std::string bytes;
            for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<char>(i * 37 + 200));
            for (const std::size_t room : {1, 2, 3, 5, 64}) {
                const auto body = piecesBody({{"<", fileOf(bytes), true}, {">", std::nullopt, true}}, opening(bytes));
                const std::string sent = bytesOf(body.get(), room);
                QCOMPARE(static_cast<std::int64_t>(sent.size()), body->size());
                const auto decoded = fromBase64(sent.substr(1, sent.size() - 2));
                QVERIFY(decoded);
                QCOMPARE(std::string(reinterpret_cast<const char*>(decoded->data()), decoded->size()), bytes);
            }
        }
    }

    void aLargeFileStreamsThroughASmallBuffer()
    {
        std::string bytes(3'000'001, '\0');
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
        const auto body = piecesBody({{"", fileOf(bytes), true}}, opening(bytes));
        const std::string sent = bytesOf(body.get(), 16'384);
        QCOMPARE(static_cast<std::int64_t>(sent.size()), body->size());
        const auto decoded = fromBase64(sent);
        QVERIFY(decoded);
        QCOMPARE(decoded->size(), bytes.size());
        QVERIFY(std::memcmp(decoded->data(), bytes.data(), bytes.size()) == 0);
    }

    void aFileThatIsNotAsLongAsItWasEndsTheCall()
    {
        for (const std::string& now : {std::string("abc"), std::string("abcdefgh")}) {
            const auto body = piecesBody({{"x", fileOf("abcdef"), true}}, opening(now));
            QVERIFY2(QString::fromStdString(bytesOf(body.get())).startsWith("error: "), now.c_str());
        }
    }

    void aFileThatIsGoneEndsTheCall()
    {
        const auto body =
            piecesBody({{"x", fileOf("abc"), false}}, [](const RequestFile&) -> Result<std::unique_ptr<BodySource>> {
                return fail(Reason::InputFileBad, "gone");
            });
        QCOMPARE(bytesOf(body.get()), std::string("error: gone"));
    }

    void filesAreOpenedOnlyWhenTheyAreSent()
    {
        int opened = 0;
        const auto body = piecesBody({{"0123456789", fileOf("abc"), true}},
                                     [&](const RequestFile&) -> Result<std::unique_ptr<BodySource>> {
                                         ++opened;
                                         return std::make_unique<BytesSource>("abc");
                                     });
        std::vector<std::byte> buffer(10);
        QVERIFY(body->read(buffer));
        QCOMPARE(opened, 0);
        QVERIFY(body->read(buffer));
        QCOMPARE(opened, 1);
    }

    void jsonHasItsFilesInPlaceAndTextsCannotPretendToBeFiles()
    {
        const std::string bytes = "abc";
        const Json body{{"a", fileMark(0, true)}, {"b", {1, fileMark(0, false)}}, {"c", "\x01 aiflow-file:0 \" \n"}};
        const auto made = piecesBody(jsonPieces(body, {fileOf(bytes)}), opening(bytes));
        const std::string sent = bytesOf(made.get());
        QCOMPARE(sent, "{\"a\":\"data:image/png;base64,YWJj\",\"b\":[1,\"YWJj\"],\"c\":"
                       "\"\\u0001 aiflow-file:0 \\\" \\n\"}");
    }

    void theSameFormGivesTheSameBytes()
    {
        const auto make = [](const std::string& prompt) {
            MultipartForm form;
            form.add("prompt", prompt);
            form.add("image", "image0.png", fileOf("abc"));
            return form.contentType() + "\n" + bytesOf(piecesBody(form.pieces(), opening("abc")).get());
        };
        QCOMPARE(make("a"), make("a"));
        QVERIFY(make("a") != make("b"));
        const std::string form = make("a");
        const std::string boundary = form.substr(form.find('=') + 1, form.find('\n') - form.find('=') - 1);
        QCOMPARE(form.substr(form.find('\n') + 1),
                 "--" + boundary + "\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na\r\n--" + boundary +
                     "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image0.png\"\r\n"
                     "Content-Type: image/png\r\n\r\nabc\r\n--" +
                     boundary + "--\r\n");
    }

    void estimatesAreFromAbove()
    {
        QCOMPARE(estimateTokens(""), 0);
        QCOMPARE(estimateTokens("abc"), 2);
        QVERIFY(estimateTokens(std::string(3000, 'a')) >= 1100);
        QCOMPARE(estimateTokens("\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xBD\xA0"
                                "\xE5\xA5\xBD\xE4\xBD\xA0\xE5\xA5\xBD"),
                 11);
        const Json request{{"prompt", "abc"},
                           {"image", {{"artifact", std::string(64, 'a')}, {"media_type", "image/png"}, {"size", 9}}}};
        QVERIFY(estimateInputTokens(request, {}) >= 2000);
        QVERIFY(estimateInputTokens(request, {{std::string(300, 'a'), "wrong"}}) >=
                estimateInputTokens(request, {}) + 110);
    }
};

QTEST_GUILESS_MAIN(RequestBodiesTest)
#include "request_bodies_test.moc"
