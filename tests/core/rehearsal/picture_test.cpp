#include "core/rehearsal/picture.h"

#include <algorithm>

#include <QByteArray>
#include <QTest>
#include <set>

using namespace aiflow;

namespace {

std::uint32_t bigEndian(std::string_view bytes)
{
    std::uint32_t value = 0;
    for (const char c : bytes.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
}

std::uint32_t crcOf(std::string_view bytes)
{
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xEDB88320U : crc >> 1U;
    }
    return ~crc;
}

struct Picture {
    std::uint32_t width = 0, height = 0;
    std::string palette, stream;
    bool whole = false;
};

// Every chunk in its place, with its right sum.
Picture read(std::string_view png)
{
    Picture picture;
    if (!png.starts_with("\x89PNG\r\n\x1a\n")) return picture;
    png.remove_prefix(8);
    while (png.size() >= 12) {
        const std::size_t size = bigEndian(png);
        const std::string_view name = png.substr(4, 4);
        const std::string_view content = png.substr(8, size);
        if (crcOf(png.substr(4, 4 + size)) != bigEndian(png.substr(8 + size))) return {};
        if (name == "IHDR") {
            picture.width = bigEndian(content);
            picture.height = bigEndian(content.substr(4));
        }
        if (name == "PLTE") picture.palette = content;
        if (name == "IDAT") picture.stream += content;
        picture.whole = name == "IEND";
        png.remove_prefix(12 + size);
    }
    picture.whole = picture.whole && png.empty();
    return picture;
}

// zlib checks the stream and its sum.
QByteArray unpacked(const std::string& stream, std::size_t size)
{
    QByteArray framed;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) framed.append(static_cast<char>(size >> shift & 0xFFU));
    framed.append(stream.data(), static_cast<qsizetype>(stream.size()));
    return qUncompress(framed);
}

} // namespace

class PictureTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aPictureIsAValidPngOfItsSize()
    {
        for (const auto& [width, height] :
             {std::pair(1, 1), std::pair(1, 700), std::pair(512, 512), std::pair(1031, 77)}) {
            const Picture picture = read(pngPicture(width, height, 42));
            QVERIFY(picture.whole);
            QCOMPARE(picture.width, static_cast<std::uint32_t>(width));
            QCOMPARE(picture.height, static_cast<std::uint32_t>(height));
            const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width + 1);
            const QByteArray rows = unpacked(picture.stream, size);
            QCOMPARE(static_cast<std::size_t>(rows.size()), size);
            for (const char index : rows) QVERIFY(static_cast<std::size_t>(index) < picture.palette.size() / 3);
        }
    }

    void theSeedDecidesTheBytes()
    {
        QVERIFY(pngPicture(64, 64, 1) == pngPicture(64, 64, 1));
        std::set<std::string> different;
        for (std::uint64_t seed = 0; seed < 100; ++seed) different.insert(pngPicture(64, 64, seed));
        QCOMPARE(different.size(), std::size_t{100});
    }

    void aPictureIsPaddedToItsSizeExactly()
    {
        const std::string padded = pngPicture(64, 64, 3, 1'000'000);
        QCOMPARE(padded.size(), std::size_t{1'000'000});
        QVERIFY(read(padded).whole);
    }

    void theBombUnpacksToWhatItPromises()
    {
        constexpr std::int64_t kSize = 1'000'003;
        const std::string bomb = gzipOfOneByte(' ', kSize);
        QVERIFY(bomb.size() < 8000);
        // The same stream in zlib's frame.
        std::uint32_t a = 1;
        std::uint32_t b = 0;
        for (std::int64_t i = 0; i < kSize; ++i) {
            a = (a + ' ') % 65521U;
            b = (b + a) % 65521U;
        }
        std::string framed = "\x78\x01" + bomb.substr(10, bomb.size() - 18);
        for (const unsigned shift : {24U, 16U, 8U, 0U}) framed += static_cast<char>((b << 16U | a) >> shift & 0xFFU);
        const QByteArray bytes = unpacked(framed, kSize);
        QCOMPARE(static_cast<std::int64_t>(bytes.size()), kSize);
        QCOMPARE(static_cast<std::int64_t>(bytes.count(' ')), kSize);
        std::string tail = bomb.substr(bomb.size() - 8, 4);
        std::reverse(tail.begin(), tail.end());
        QCOMPARE(bigEndian(tail), crcOf(std::string(kSize, ' ')));
    }

    void base64IsWhatOthersRead()
    {
        for (std::size_t size = 0; size < 70; ++size) {
            const std::string bytes = pngPicture(8, 8, size).substr(0, size);
            QCOMPARE(QByteArray::fromStdString(base64(bytes)), QByteArray::fromStdString(bytes).toBase64());
        }
    }
};

QTEST_GUILESS_MAIN(PictureTest)
#include "picture_test.moc"
