#include "core/base/json.h"
#include "core/compute/value.h"

#include <cstring>
#include <QtTest>

using namespace aiflow;

namespace {

Image pattern(int width, int height, PixelFormat format)
{
    NewImage made = makeImage(width, height, format);
    for (std::size_t i = 0; i < made.image.byteSize(); ++i) made.pixels[i] = static_cast<std::uint8_t>(i * 7);
    return made.image;
}

bool samePixels(const Image& one, const Image& other)
{
    if (one.width != other.width || one.height != other.height || one.format != other.format) return false;
    const auto rowBytes = static_cast<std::size_t>(one.width * channels(one.format));
    for (int y = 0; y < one.height; ++y)
        if (std::memcmp(one.row(y), other.row(y), rowBytes) != 0) return false;
    return true;
}

Blob blobOf(std::string mediaType, std::string_view text)
{
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {std::move(mediaType), std::make_shared<const std::vector<std::byte>>(first, first + text.size()), {}};
}

std::string_view textOf(const Blob& blob)
{
    return {reinterpret_cast<const char*>(blob.bytes->data()), blob.bytes->size()};
}

Value roundTrip(const Value& value)
{
    const EncodedValue encoded = encodeValue(value);
    return decodeValue(encoded.mediaType, encoded.bytes).value();
}

} // namespace

class ValueTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void freshPixelsArePackedAndZero()
    {
        const NewImage made = makeImage(5, 3, PixelFormat::Rgb8);
        QCOMPARE(made.image.stride, 15);
        QVERIFY(std::all_of(made.pixels, made.pixels + 45, [](std::uint8_t pixel) { return pixel == 0; }));
    }

    void jsonComesBackEqual()
    {
        const Json json = {{"a", 1}, {"b", {1.5, "文", nullptr}}};
        QCOMPARE(*roundTrip(Value(json)).json(), json);
        QCOMPARE(encodeValue(Value(json)).mediaType, std::string("application/json"));
    }

    void pixelsComeBackEqualInEveryFormat()
    {
        for (const auto format : {PixelFormat::Gray8, PixelFormat::Rgb8, PixelFormat::Rgba8}) {
            const Image image = pattern(7, 5, format);
            QVERIFY(samePixels(*roundTrip(Value(image)).image(), image));
        }
    }

    void rowsWithPaddingArePackedWhenStored()
    {
        Image view = pattern(8, 4, PixelFormat::Gray8);
        view.width = 5; // the stride stays 8
        const EncodedValue encoded = encodeValue(Value(view));
        QCOMPARE(encoded.bytes.size(), std::size_t{24 + 5 * 4});
        QVERIFY(samePixels(*decodeValue(encoded.mediaType, encoded.bytes)->image(), view));
    }

    void blobIsItself()
    {
        const EncodedValue encoded = encodeValue(Value(blobOf("image/png", "abc")));
        QCOMPARE(encoded.mediaType, std::string("image/png"));
        QCOMPARE(encoded.bytes.size(), std::size_t{3});
        QCOMPARE(textOf(*roundTrip(Value(blobOf("image/png", "abc"))).blob()), std::string_view("abc"));
    }

    void blobOfAReservedTypeStaysABlob()
    {
        const Value back = roundTrip(Value(blobOf("application/json", "{}")));
        QVERIFY(back.json() == nullptr);
        QCOMPARE(back.blob()->mediaType, std::string("application/json"));
        QCOMPARE(textOf(*back.blob()), std::string_view("{}"));
    }

    void listsNestAndHoldEmptyValues()
    {
        const Value inner(Value::List{Value(pattern(2, 2, PixelFormat::Gray8)), Value{}});
        const Value back = roundTrip(Value(Value::List{inner, Value(Json("x")), Value(blobOf("text/plain", ""))}));
        QCOMPARE(back.list()->size(), std::size_t{3});
        QCOMPARE(back.list()->front().list()->size(), std::size_t{2});
        QVERIFY(back.list()->front().list()->back().empty());
        QCOMPARE(*back.list()->at(1).json(), Json("x"));
        QVERIFY(roundTrip(Value{}).empty());
    }

    void everyCutOfAStoredListIsRefused()
    {
        const EncodedValue encoded =
            encodeValue(Value(Value::List{Value(pattern(3, 2, PixelFormat::Rgb8)), Value(Json(1)), Value(Json("a"))}));
        for (std::size_t size = 0; size < encoded.bytes.size(); ++size) {
            const auto back = decodeValue(encoded.mediaType, std::span(encoded.bytes).first(size));
            QVERIFY(!back);
            QVERIFY(back.error().reason == Reason::Internal);
        }
    }

    void anyChangedByteGivesAValueOrAnErrorButNoCrash()
    {
        const EncodedValue encoded = encodeValue(
            Value(Value::List{Value(pattern(3, 2, PixelFormat::Rgb8)), Value(Value::List{Value(Json(1))})}));
        for (std::size_t i = 0; i < encoded.bytes.size(); ++i)
            for (const int flip : {1, 128, 255}) {
                auto bytes = encoded.bytes;
                bytes[i] ^= static_cast<std::byte>(flip);
                const auto back = decodeValue(encoded.mediaType, bytes);
                QVERIFY(back || !back.error().message.empty());
            }
    }

    void impossibleSizesAreRefusedBeforeMemoryIsTaken()
    {
        EncodedValue encoded = encodeValue(Value(pattern(1, 1, PixelFormat::Gray8)));
        for (std::size_t i = 8; i < 16; ++i) encoded.bytes[i] = std::byte{0x7F};
        QVERIFY(!decodeValue(encoded.mediaType, encoded.bytes));
    }

    void valuesFitTheirPorts()
    {
        QVERIFY(Value(Json("a")).fits(PortType::Text));
        QVERIFY(!Value(Json(1)).fits(PortType::Text));
        QVERIFY(Value(pattern(1, 1, PixelFormat::Gray8)).fits(PortType::Mask));
        QVERIFY(!Value(pattern(1, 1, PixelFormat::Rgb8)).fits(PortType::Mask));
        QVERIFY(Value(pattern(1, 1, PixelFormat::Rgb8)).fits(PortType::Image));
        QVERIFY(Value(blobOf("image/png", "x")).fits(PortType::File));
        QVERIFY(Value(Json{{"boxes", {{{"x1", 0}, {"y1", 0}, {"x2", 1}, {"y2", 1}}}}}).fits(PortType::Boxes));
        QVERIFY(!Value(Json{{"boxes", {{{"x1", 0}}}}}).fits(PortType::Boxes));
        QVERIFY(Value(Json{1, 2.5}).fits(PortType::Vector));
        QVERIFY(!Value(Json{1, "a"}).fits(PortType::Vector));
        QVERIFY(!Value{}.fits(PortType::Json));
        QVERIFY(Value{}.fits(PortType::Any));
    }

    void sizeCountsThePixels()
    {
        QVERIFY(Value(pattern(100, 100, PixelFormat::Rgb8)).byteSize() >= 30'000);
        Values values;
        values.set("a", Value(pattern(10, 10, PixelFormat::Gray8)));
        values.set("a", Value(Json(1)));
        QCOMPARE(values.size(), std::size_t{1});
        QVERIFY(values.byteSize() < 200);
        QVERIFY(values.get("b").empty());
    }
};

QTEST_GUILESS_MAIN(ValueTest)
#include "value_test.moc"
