#include "core/vision/decode.h"
#include "core/vision/encode.h"
#include "core/vision/mat.h"

#include <opencv2/imgcodecs.hpp>
#include <QtTest>

using namespace aiflow;

namespace {

using FileBytes = std::vector<std::byte>;

FileBytes bytesOf(const std::vector<unsigned char>& from)
{
    const auto* first = reinterpret_cast<const std::byte*>(from.data());
    return {first, first + from.size()};
}

FileBytes bytesOf(std::string_view text)
{
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

FileBytes encoded(const char* ending, const cv::Mat& bgr)
{
    std::vector<unsigned char> buffer;
    cv::imencode(ending, bgr, buffer);
    return bytesOf(buffer);
}

// 48 x 32; the quarters are red, green / blue, white: every turn and mirroring can be told from it.
cv::Mat quarters()
{
    cv::Mat bgr(32, 48, CV_8UC3, cv::Scalar(255, 255, 255));
    bgr(cv::Rect(0, 0, 24, 16)).setTo(cv::Scalar(0, 0, 255));
    bgr(cv::Rect(24, 0, 24, 16)).setTo(cv::Scalar(0, 255, 0));
    bgr(cv::Rect(0, 16, 24, 16)).setTo(cv::Scalar(255, 0, 0));
    return bgr;
}

char colourAt(const Image& image, int x, int y)
{
    const std::uint8_t* pixel = image.row(y) + x * channels(image.format);
    const bool r = pixel[0] > 128;
    const bool g = pixel[1] > 128;
    const bool b = pixel[2] > 128;
    return r && g && b ? 'w' : r ? 'r' : g ? 'g' : b ? 'b' : '-';
}

std::string corners(const Image& image)
{
    const int right = image.width - 5;
    const int bottom = image.height - 5;
    return {colourAt(image, 4, 4), colourAt(image, right, 4), colourAt(image, 4, bottom),
            colourAt(image, right, bottom)};
}

FileBytes withOrientation(FileBytes jpeg, int orientation)
{
    std::string app1("\xFF\xE1\x00\x22"
                     "Exif\0\0"
                     "II*\0\x08\0\0\0"
                     "\x01\0"
                     "\x12\x01\x03\0\x01\0\0\0?\0\0\0"
                     "\0\0\0\0",
                     36);
    app1[28] = static_cast<char>(orientation);
    const FileBytes segment = bytesOf(app1);
    jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
    return jpeg;
}

// A PNG that says it is this large; its pixels would not be there.
FileBytes pngThatClaims(std::uint32_t width, std::uint32_t height)
{
    std::string png("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", 16);
    for (const std::uint32_t side : {width, height})
        for (int shift = 24; shift >= 0; shift -= 8) png += static_cast<char>((side >> shift) & 0xFFU);
    png += std::string("\x08\x02\0\0\0\0\0\0\0", 9);
    png += std::string("\0\0\0\0IEND\xAE\x42\x60\x82", 12);
    return bytesOf(png);
}

Result<Image> decode(const FileBytes& bytes, const DecodeOptions& options = {})
{
    return makePictureDecoder()->decode(bytes, "photo.jpg", options);
}

QString sentence(const Result<Image>& result)
{
    return result ? QString("decoded") : QString::fromStdString(result.error().message);
}

} // namespace

class DecodeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void orientationIsApplied_data()
    {
        QTest::addColumn<int>("orientation");
        QTest::addColumn<QString>("expected");
        const char* const expected[] = {"rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"};
        for (int i = 0; i < 8; ++i) QTest::addRow("%d", i + 1) << i + 1 << expected[i];
    }
    void orientationIsApplied()
    {
        QFETCH(int, orientation);
        QFETCH(QString, expected);
        const auto image = decode(withOrientation(encoded(".jpg", quarters()), orientation));
        QVERIFY2(image, qPrintable(sentence(image)));
        QCOMPARE(QString::fromStdString(corners(*image)), expected);
        QCOMPARE(image->width, orientation < 5 ? 48 : 32);
    }

    void transparentPixelsBecomeWhiteOrStay()
    {
        cv::Mat bgra(20, 20, CV_8UC4, cv::Scalar(0, 0, 200, 0));
        bgra(cv::Rect(0, 0, 10, 20)).setTo(cv::Scalar(0, 0, 200, 255));
        const auto white = decode(encoded(".png", bgra));
        QVERIFY(white->format == PixelFormat::Rgb8);
        QCOMPARE(int(white->row(0)[1]), 0);
        QCOMPARE(int(white->row(0)[19 * 3 + 1]), 255);
        DecodeOptions keep;
        keep.keepAlpha = true;
        const auto kept = decode(encoded(".png", bgra), keep);
        QVERIFY(kept->format == PixelFormat::Rgba8);
        QCOMPARE(int(kept->row(0)[19 * 4 + 3]), 0);
    }

    void sixteenBitsAndGrayBecomeEightBitColour()
    {
        const auto deep = decode(encoded(".png", cv::Mat(8, 8, CV_16UC3, cv::Scalar(0, 257 * 100, 65535))));
        QVERIFY(deep->format == PixelFormat::Rgb8);
        QCOMPARE(int(deep->row(3)[0]), 255);
        QCOMPARE(int(deep->row(3)[1]), 100);
        const auto gray = decode(encoded(".png", cv::Mat(8, 8, CV_8UC1, cv::Scalar(77))));
        QVERIFY(gray->format == PixelFormat::Rgb8);
        QCOMPARE(int(gray->row(3)[2]), 77);
        QVERIFY(decode(encoded(".jpg", cv::Mat(8, 8, CV_8UC1, cv::Scalar(77))))->format == PixelFormat::Rgb8);
    }

    void webpIsRead()
    {
        const auto image = decode(encoded(".webp", quarters()));
        QVERIFY2(image, qPrintable(sentence(image)));
        QCOMPARE(corners(*image), std::string("rgbw"));
    }

    void bombIsRefusedBeforeItIsDecoded()
    {
        QCOMPARE(sentence(decode(pngThatClaims(30'000, 30'000))),
                 QString("photo.jpg is too large: 30000 x 30000 pixels; a side may have 16384"));
        QCOMPARE(sentence(decode(pngThatClaims(10'000, 10'000))),
                 QString("photo.jpg is too large: 10000 x 10000 are 100 megapixels; the limit is 50"));
        DecodeOptions small;
        small.limits.fileSize = Bytes(100);
        QVERIFY(sentence(decode(encoded(".jpg", quarters()), small)).contains("is too large"));
    }

    void pngWithoutPixelsIsDamaged() { QVERIFY(sentence(decode(pngThatClaims(10, 10))).contains("is damaged")); }

    void everyCutIsNoticed_data()
    {
        QTest::addColumn<QString>("ending");
        for (const char* ending : {".jpg", ".png", ".webp"}) QTest::newRow(ending) << ending;
    }
    void everyCutIsNoticed()
    {
        QFETCH(QString, ending);
        const FileBytes whole = encoded(qPrintable(ending), quarters());
        for (std::size_t size = 16; size < whole.size(); size += 7) {
            const auto image = decode(FileBytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
            QVERIFY2(!image, qPrintable(QString("cut at %1 of %2").arg(size).arg(whole.size())));
            QVERIFY(image.error().reason == Reason::InputImageBad);
            QVERIFY2(sentence(image).startsWith("photo.jpg is cut off"), qPrintable(sentence(image)));
        }
    }

    void strangersAreNamed_data()
    {
        using namespace std::string_literals;
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char* name, const std::string& bytes, const char* expected) {
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())) << expected;
        };
        row("nothing", "", "photo.jpg is empty (0 bytes)");
        row("web page", "<!DOCTYPE html><html>", "is a web page and starts with \"<!DO\"");
        row("gif", "GIF89a......", "is a GIF picture");
        row("heic",
            "\0\0\0\x18"
            "ftypheic...."s,
            "is a HEIC picture");
        row("bmp", "BM......\0\0........................"s, "is not a picture");
        row("text", "sku,title\n", "starts with \"sku,\"");
        row("binary", "\x01\x02\xFF\xFE rest", "is not a picture");
        row("tiff", "II*\0\x08\0\0\0\0\0"s, "is a TIFF picture, which are not read unless asked for");
    }
    void strangersAreNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, expected);
        const auto image = decode(bytesOf(std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
        QVERIFY(!image);
        QVERIFY(image.error().reason == Reason::InputImageBad);
        QVERIFY2(sentence(image).contains(expected), qPrintable(sentence(image)));
    }

    void tiffAndBmpAreReadWhenAsked()
    {
        DecodeOptions allow;
        allow.allowTiffAndBmp = true;
        for (const char* ending : {".tiff", ".bmp"}) {
            const auto image = decode(encoded(ending, quarters()), allow);
            QVERIFY2(image, qPrintable(sentence(image)));
            QCOMPARE(corners(*image), std::string("rgbw"));
        }
    }

    void changedBytesGiveAnImageOrASentenceButNoCrash()
    {
        for (const char* ending : {".jpg", ".png", ".webp"}) {
            const FileBytes whole = encoded(ending, quarters());
            for (std::size_t i = 0; i < whole.size(); i += 3) {
                FileBytes changed = whole;
                changed[i] ^= std::byte{0x55};
                const auto image = decode(changed);
                QVERIFY(image || !image.error().message.empty());
            }
        }
    }

    void jpegIsWrittenWithoutChromaSubsampling()
    {
        // Thin red lines on white lose their colour when chroma is halved.
        cv::Mat rgb(64, 64, CV_8UC3, cv::Scalar::all(255));
        for (int x = 0; x < 64; x += 2) rgb.col(x).setTo(cv::Scalar(255, 0, 0));
        const auto file = encodePicture(imageOf(rgb), {FileFormat::Jpeg, 95, 1});
        const auto back = decode(*file->bytes);
        QVERIFY(back->row(30)[2 * 3 + 1] < 40);
        QVERIFY(back->row(30)[3 * 3 + 1] > 215);
    }
};

QTEST_GUILESS_MAIN(DecodeTest)
#include "decode_test.moc"
