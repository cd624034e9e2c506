// Answers on their way to text and files: whatever the pieces they come in, bounded in memory, nothing lost.
#include "core/api/transport/answer_spool.h"
#include "core/api/transport/spool/answer_reader.h"
#include "core/base/failpoint.h"
#include "core/base/json.h"

#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <QtTest>
#include <random>
#include <sys/stat.h>

using namespace aiflow;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
const Headers kJson = {{"content-type", "application/json"}};

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string picture(std::size_t size, unsigned seed = 1)
{
    std::mt19937 random(seed);
    std::string bytes = "\x89PNG\r\n\x1A\n";
    while (bytes.size() < size) bytes += static_cast<char>(random());
    return bytes;
}

std::string base64(std::string_view bytes, bool urlSafe = false, bool padded = true)
{
    const std::string digits =
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + (urlSafe ? "-_" : "+/");
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        const std::size_t count = std::min<std::size_t>(bytes.size() - i, 3) + 1;
        for (std::size_t k = 0; k < 4; ++k) {
            if (k < count)
                text += digits[(group >> (18U - 6U * k)) & 63U];
            else if (padded)
                text += '=';
        }
    }
    return text;
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
    return text;
}

std::string contentOf(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// JSON as one reads it, with ' for ".
std::string js(std::string text)
{
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

// An answer that ends in text that fills the memory's share, so that everything is streamed.
std::string large(const std::string& fields)
{
    return js("{'filler':'") + std::string(70'000, ' ') + "\"," + fields + "}";
}

struct Read {
    std::string text;
    std::vector<SpooledFile> files;
};

} // namespace

class AnswerSpoolTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::filesystem::path folder() const { return m_folder->path().toStdString(); }

    int filesInFolder() const
    {
        return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder()), {}));
    }

    SpooledAnswer spooled(const std::string& body, const Headers& headers = kJson, std::size_t piece = 16'384)
    {
        auto spool = AnswerSpool::create(folder(), "a1");
        if (!spool->begin(200, headers)) qFatal("begin");
        for (std::size_t at = 0; at < body.size(); at += piece) {
            auto written = spool->write(bytesOf(std::string_view(body).substr(at, piece)));
            if (!written) qFatal("%s", written.error().message.c_str());
        }
        auto answer = spool->take();
        if (!answer) qFatal("%s", answer.error().message.c_str());
        return *answer;
    }

    // The reader alone, with the body in memory: fast enough for every split.
    Read readInPieces(const std::string& body, const std::vector<std::size_t>& cuts)
    {
        AnswerReader reader(folder() / "r", "application/json", body, [&](std::string& text, auto from, auto to) {
            text.append(body, static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
            return Result<void>();
        });
        std::size_t at = 0;
        for (std::size_t cut : cuts) {
            if (!reader.feed(std::string_view(body).substr(at, cut - at))) qFatal("feed");
            at = cut;
        }
        if (!reader.feed(std::string_view(body).substr(at)) || !reader.finish()) qFatal("finish");
        return {reader.takeText(), reader.takeFiles()};
    }

private Q_SLOTS:
    void init()
    {
        // In memory where there is such a place: one test makes thousands of files.
        const bool shared = QFileInfo("/dev/shm").isWritable();
        m_folder = std::make_unique<QTemporaryDir>((shared ? "/dev/shm" : QDir::tempPath()) + "/answer_spool_XXXXXX");
    }

    void smallAnswerTouchesNoDisk()
    {
        const SpooledAnswer answer = spooled(js("{'text':'hello \\'you\\'','n':[1,2]}"));
        QCOMPARE(answer.text, (js("{'text':'hello \\'you\\'','n':[1,2]}")));
        QCOMPARE(answer.status, 200);
        QVERIFY(answer.rawFile.empty() && answer.files.empty());
        QCOMPARE(filesInFolder(), 0);
    }

    void pictureInJsonBecomesAFile()
    {
        const std::string bytes = picture(10'000);
        const SpooledAnswer answer = spooled(js("{'b64':'") + base64(bytes) + js("','n':1}"));
        QCOMPARE(answer.text, (js("{'b64':'aiflow-file:0','n':1}")));
        QCOMPARE(answer.files.size(), std::size_t{1});
        const SpooledFile& file = answer.files[0];
        QCOMPARE(file.mediaType, std::string("image/png"));
        QCOMPARE(file.path.filename().string(), std::string("a1.0.bin"));
        QCOMPARE(contentOf(file.path), bytes);
        QCOMPARE(file.size, std::int64_t{10'000});
        QVERIFY(file.hash == sha256(bytes));
        QVERIFY(answer.rawFile.empty());
    }

    void everyPaddingAndAlphabetIsUnderstood_data()
    {
        QTest::addColumn<int>("extra");
        QTest::addColumn<bool>("urlSafe");
        QTest::addColumn<bool>("padded");
        for (int extra = 0; extra < 3; ++extra)
            for (const bool urlSafe : {false, true})
                for (const bool padded : {false, true})
                    QTest::addRow("%d %d %d", extra, urlSafe, padded) << extra << urlSafe << padded;
    }
    void everyPaddingAndAlphabetIsUnderstood()
    {
        QFETCH(int, extra);
        QFETCH(bool, urlSafe);
        QFETCH(bool, padded);
        const std::string bytes = picture(9'000 + static_cast<std::size_t>(extra), 7);
        const SpooledAnswer answer = spooled(js("['short','") + base64(bytes, urlSafe, padded) + js("']"));
        QCOMPARE(answer.text, (js("['short','aiflow-file:0']")));
        QCOMPARE(contentOf(answer.files.at(0).path), bytes);
    }

    void escapesInsideBase64AreUndone_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::newRow("slash") << QByteArray("/") << QByteArray("\\/");
        QTest::newRow("plus") << QByteArray("+") << QByteArray("\\u002b");
        QTest::newRow("upper case") << QByteArray("+") << QByteArray("\\u002B");
        QTest::newRow("equals") << QByteArray("=") << QByteArray("\\u003d");
        QTest::newRow("line breaks") << QByteArray("A") << QByteArray("A\\r\\n");
    }
    void escapesInsideBase64AreUndone()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        const std::string bytes = picture(90'001);
        const std::string text = replaced(base64(bytes), from.toStdString(), to.toStdString());
        QVERIFY(text.find(to.toStdString()) != std::string::npos);
        const SpooledAnswer answer = spooled(js("{'a':'") + text + js("'}"));
        QCOMPARE(answer.text, (js("{'a':'aiflow-file:0'}")));
        QCOMPARE(contentOf(answer.files.at(0).path), bytes);
    }

    void dataPrefixNamesTheType()
    {
        const std::string bytes(9'000, 'x');
        const SpooledAnswer answer =
            spooled(js("{'a':'data:image\\/webp;name=x;base64,") + base64(bytes) + js("','b':'data:,no'}"));
        QCOMPARE(answer.text, (js("{'a':'aiflow-file:0','b':'data:,no'}")));
        QCOMPARE(answer.files.at(0).mediaType, std::string("image/webp"));
        QCOMPARE(contentOf(answer.files.at(0).path), bytes);
    }

    void longTextThatIsNoBase64ComesOutUnchanged_data()
    {
        QTest::addColumn<QByteArray>("text");
        const QByteArray digits = QByteArray::fromStdString(base64(picture(150'000)));
        QTest::newRow("a blank at the end") << digits + " end";
        QTest::newRow("an escaped quote") << digits + "\\\"quoted\\\" \\\\";
        QTest::newRow("padding in the middle") << digits + "=" + digits;
        QTest::newRow("three paddings") << digits + "AA===";
        QTest::newRow("wrong padding") << digits.left(100'000) + "AA=";
        QTest::newRow("a lonely digit") << digits.left(100'000) + "A";
        QTest::newRow("both alphabets") << digits + "-_-_";
        QTest::newRow("a broken escape") << digits + "\\u00zz";
        QTest::newRow("another escape") << digits + "\\t";
        QTest::newRow("other letters") << digits + QByteArray("\xE4\xBD\xA0");
        QTest::newRow("a short string") << QByteArray("AAAA");
        QTest::newRow("4096 digits") << digits.left(4096);
        QTest::newRow("a prefix alone") << "data:image/png," + digits.left(5000);
    }
    void longTextThatIsNoBase64ComesOutUnchanged()
    {
        QFETCH(QByteArray, text);
        const std::string body = large(js("'a':'") + text.toStdString() + js("','b':'x'"));
        const SpooledAnswer answer = spooled(body);
        QVERIFY(answer.text == body);
        QVERIFY(answer.files.empty());
        QCOMPARE(filesInFolder(), 1); // the record
        QVERIFY(spooled(js("{'a':'") + text.toStdString() + js("'}")).text ==
                js("{'a':'") + text.toStdString() + js("'}"));
    }

    void everySplitGivesTheSame()
    {
        const std::string bytes = picture(3'200, 3);
        const std::string body = js("{'k\\\\':'a\\'b\\\\','p':'data:image\\/png;base64,") +
                                 replaced(base64(bytes), "/", "\\/") + js("','t':'") + base64(bytes) +
                                 js(" no','e':'','d':'\\u0041'}");
        const Read whole = readInPieces(body, {});
        QVERIFY(whole.text.find(js("'p':'aiflow-file:0','t':'")) != std::string::npos);
        QVERIFY(whole.text.ends_with(js(" no','e':'','d':'\\u0041'}")));
        for (std::size_t cut = 0; cut <= body.size(); ++cut) {
            const Read split = readInPieces(body, {cut});
            QVERIFY2(split.text == whole.text, std::to_string(cut).c_str());
            QVERIFY(split.files.size() == 1 && split.files[0].hash == sha256(bytes));
        }
    }

    void randomPiecesGiveTheSame()
    {
        std::mt19937 random(5);
        std::string fields = js("'first':1");
        std::vector<std::string> pictures;
        for (unsigned i = 0; i < 6; ++i) {
            pictures.push_back(picture(5'000 + random() % 90'000, i));
            fields += js(",'p':'") + base64(pictures.back(), i % 2 == 1, i % 3 != 0) + js("','t':'two words'");
        }
        const std::string body = large(fields);
        for (int round = 0; round < 40; ++round) {
            auto spool = AnswerSpool::create(folder(), "b");
            QVERIFY(spool->begin(200, kJson).has_value());
            for (std::size_t at = 0; at < body.size();) {
                const std::size_t count =
                    std::min<std::size_t>(random() % (round < 20 ? 20'000 : 300) + 1, body.size() - at);
                QVERIFY(spool->write(bytesOf(std::string_view(body).substr(at, count))).has_value());
                at += count;
            }
            auto answer = spool->take();
            QVERIFY(answer.has_value() && answer->files.size() == pictures.size());
            for (std::size_t i = 0; i < pictures.size(); ++i)
                QVERIFY(answer->files[i].hash == sha256(pictures[i]) &&
                        sha256(contentOf(answer->files[i].path)) == sha256(pictures[i]));
            const std::string record = contentOf(answer->rawFile);
            QVERIFY(record.substr(record.find('\n') + 1) == body);
            QVERIFY(answer->text.size() < 72'000);
        }
    }

    void largePictureCostsLittleMemory()
    {
        std::string body = js("{'data':[{'b64_json':'") + base64(picture(20'000'000)) + js("'}]}");
        auto spool = AnswerSpool::create(folder(), "c");
        QVERIFY(spool->begin(200, kJson).has_value());
        const auto inUse = [] {
            const struct mallinfo2 info = mallinfo2();
            return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
        };
        const std::int64_t before = inUse();
        std::int64_t most = 0;
        for (std::size_t at = 0; at < body.size(); at += 16'384) {
            QVERIFY(spool->write(bytesOf(std::string_view(body).substr(at, 16'384))).has_value());
            most = std::max(most, inUse() - before);
        }
        auto answer = spool->take();
        most = std::max(most, inUse() - before);
        qInfo("a 20 MB picture cost %lld bytes of memory", static_cast<long long>(most));
        QVERIFY(most <= 1024 * 1024);
        QCOMPARE(answer->text, (js("{'data':[{'b64_json':'aiflow-file:0'}]}")));
        QCOMPARE(answer->files.at(0).size, std::int64_t{20'000'000});
    }

    void moreThanEightMebibytesOfTextIsAnError()
    {
        auto spool = AnswerSpool::create(folder(), "d");
        QVERIFY(spool->begin(200, kJson).has_value());
        QVERIFY(spool->write(bytesOf(js("{'text':'"))).has_value());
        const std::string words(64 * 1024, ' ');
        Result<void> written;
        for (int i = 0; i < 200 && written; ++i) written = spool->write(bytesOf(words));
        QVERIFY(!written.has_value());
        QVERIFY(written.error().reason == Reason::InputFileBad);
        spool->discard();
        QCOMPARE(filesInFolder(), 0);
    }

    void almostBase64OfMoreThanTheTextsCapIsAnError()
    {
        auto spool = AnswerSpool::create(folder(), "d");
        QVERIFY(spool->begin(200, kJson).has_value());
        QVERIFY(spool->write(bytesOf(js("{'text':'"))).has_value());
        const std::string digits(64 * 1024, 'A');
        for (int i = 0; i < 160; ++i) QVERIFY(spool->write(bytesOf(digits)).has_value());
        QVERIFY(!spool->write(bytesOf(" no")).has_value());
        spool->discard();
        QCOMPARE(filesInFolder(), 0);
    }

    void pictureAsTheWholeBodyBecomesOneFile()
    {
        const std::string bytes = picture(200'000);
        const SpooledAnswer answer = spooled(bytes, {{"content-type", "image/png; x=y"}});
        QVERIFY(answer.text.empty());
        QCOMPARE(answer.files.at(0).mediaType, std::string("image/png"));
        QCOMPARE(contentOf(answer.files.at(0).path), bytes);
        // Storage services call everything a stream of octets, or nothing at all.
        QCOMPARE(spooled(bytes, {{"content-type", "binary/octet-stream"}}).files.at(0).mediaType,
                 std::string("image/png"));
        QCOMPARE(spooled(bytes, {}).files.size(), std::size_t{1});
    }

    void pageInsteadOfJsonIsText()
    {
        const std::string page = "<html>\"" + std::string(70'000, 'A') + "\"</html>";
        QCOMPARE(spooled(page, {{"content-type", "text/html"}}).text, page);
        QCOMPARE(spooled("upstream error", {}).text, std::string("upstream error"));
        QCOMPARE(spooled("", kJson).text, std::string());
    }

    void recordOfALargeAnswerIsAdopted()
    {
        const std::string bytes = picture(100'000);
        const std::string body = js("{'p':'") + base64(bytes) + js("'}");
        const SpooledAnswer first = spooled(body, {{"content-type", "application/json"}, {"set-cookie", "s=1"}});
        std::filesystem::remove(first.files.at(0).path);
        QVERIFY(contentOf(first.rawFile).find("s=1") == std::string::npos);

        auto again = adoptSpooled(folder(), "a1");
        QVERIFY(again.has_value() && again->has_value());
        QCOMPARE((*again)->text, first.text);
        QCOMPARE((*again)->status, 200);
        QCOMPARE((*again)->bodyBytes, static_cast<std::int64_t>(body.size()));
        QVERIFY((*again)->rawFile == first.rawFile);
        QCOMPARE(contentOf((*again)->files.at(0).path), bytes);
    }

    void recordOfAProcessThatDiedBeforeTheEndIsNotAdopted()
    {
        const std::string body = large(js("'p':'") + base64(picture(100'000)) + js("'"));
        for (const bool announced : {false, true}) {
            Headers headers = kJson;
            if (announced) headers.emplace_back("content-length", std::to_string(body.size()));
            for (const std::size_t left : {std::size_t{1}, std::size_t{2}, std::size_t{90'000}}) {
                auto spool = AnswerSpool::create(folder(), "e");
                QVERIFY(spool->begin(200, headers).has_value());
                QVERIFY(spool->write(bytesOf(body.substr(0, body.size() - left))).has_value());
                spool.reset(); // what was not flushed is lost, too
                auto adopted = adoptSpooled(folder(), "e");
                QVERIFY(adopted.has_value() && !adopted->has_value());
            }
        }
        QVERIFY(!adoptSpooled(folder(), "never")->has_value());
    }

    void recordThatIsWholeButWasNotMarkedIsAdopted()
    {
        const std::string body = large(js("'p':1"));
        const auto write = [&](const std::string& head, const std::string& bytes) {
            std::ofstream file(folder() / "f.answer", std::ios::binary | std::ios::trunc);
            file << head << '\n' << bytes;
            file.close();
            return adoptSpooled(folder(), "f")->has_value();
        };
        const std::string json = js("{'bytes':-1,'status':200,'headers':[['content-type','application/json']]}");
        QVERIFY(write(json, body));
        QVERIFY(!write(json, body.substr(0, body.size() - 1)));
        QVERIFY(!write(json, body + ",{"));
        const std::string sized = js("{'bytes':-1,'status':200,'headers':[['content-length','5']]}");
        QVERIFY(write(sized, "hello"));
        QVERIFY(!write(sized, "hell"));
        QVERIFY(!write(js("{'bytes':6,'status':200,'headers':[]}"), "hello"));
        QVERIFY(write(js("{'bytes':5,'status':200,'headers':[]}"), "hello"));
        QVERIFY(!write(js("{'bytes':5,'status':200,'headers':[7]}"), "hello"));
        QVERIFY(!write("not JSON", "hello"));
        // Events have no end of their own.
        QVERIFY(!write(js("{'bytes':-1,'status':200,'headers':[['content-type','text/event-stream']]}"), "data: {}\n"));
    }

    void filesAreTheUsersAlone()
    {
        const SpooledAnswer answer = spooled(js("{'p':'") + base64(picture(100'000)) + js("'}"));
        for (const auto& path : {answer.rawFile, answer.files.at(0).path}) {
            struct stat status {};
            QCOMPARE(::stat(path.c_str(), &status), 0);
            QCOMPARE(status.st_mode & 0777U, 0600U);
        }
    }

    void discardRemovesWhatNobodyTook()
    {
        auto spool = AnswerSpool::create(folder(), "g");
        QVERIFY(spool->begin(200, kJson).has_value());
        const std::string text = base64(picture(200'000));
        QVERIFY(spool->write(bytesOf(js("{'p':'") + text + js("','q':'") + text)).has_value());
        QVERIFY(filesInFolder() >= 2);
        spool->discard();
        QCOMPARE(filesInFolder(), 0);

        auto taken = AnswerSpool::create(folder(), "h");
        QVERIFY(taken->begin(200, kJson).has_value());
        QVERIFY(taken->write(bytesOf(js("{'p':'") + text + js("'}"))).has_value());
        QVERIFY(taken->take().has_value());
        taken->discard();
        QCOMPARE(filesInFolder(), 2);
    }

    void fullDiskIsSaid()
    {
#ifndef AIFLOW_FAILPOINTS
        QSKIP("this build has no fault points");
#else
        failpoint::arm("spool_write=error:1");
        auto spool = AnswerSpool::create(folder(), "i");
        QVERIFY(spool->begin(200, kJson).has_value());
        const auto written = spool->write(bytesOf(large(js("'p':'") + base64(picture(200'000)) + js("'"))));
        QVERIFY(!written.has_value());
        QVERIFY(written.error().reason == Reason::OutputDiskFull);
        spool->discard();
        QCOMPARE(filesInFolder(), 0);
        failpoint::arm("");
#endif
    }

    void folderThatIsGoneIsSaid()
    {
        auto spool = AnswerSpool::create(folder() / "gone", "j");
        QVERIFY(spool->begin(200, kJson).has_value());
        QVERIFY(spool->write(bytesOf(js("{'p':'") + base64(picture(9'000)) + js("'}"))).has_value());
        const auto answer = spool->take();
        QVERIFY(!answer.has_value());
        QVERIFY(answer.error().reason == Reason::OutputDenied);
        QVERIFY(answer.error().message.find("gone/j.0.bin") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(AnswerSpoolTest)
#include "answer_spool_test.moc"
