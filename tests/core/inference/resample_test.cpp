#include "core/inference/mask_canvas.h"
#include "core/inference/resample.h"
#include "tests/core/inference/models_folder.h"

#include <cmath>
#include <QtTest/QtTest>

using namespace aiflow;

namespace {

int at(const InputTensor& tensor, int plane, int y, int x)
{
    const auto index = (plane * tensor.shape[1] + y) * tensor.shape[2] + x;
    return std::to_integer<int>(tensor.data[static_cast<std::size_t>(index)]);
}

// Brightness grows from left to right.
Image ramp(int width, int height)
{
    NewImage made = makeImage(width, height, PixelFormat::Gray8);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            made.pixels[y * made.image.stride + x] = static_cast<std::uint8_t>(255 * x / (width - 1));
    return made.image;
}

PixelArea whole(const Image& image) { return {0, 0, image.width, image.height}; }

} // namespace

class ResampleTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void planesKeepColoursExactlyAtEverySize()
    {
        for (const int size : {1, 7, 50, 333, 1999}) {
            const Image image = plainImage(size, size, 10, 128, 255);
            const InputTensor tensor = drawPlanes(image, stretched(whole(image), 32, 48), 0);
            QCOMPARE(tensor.shape, (TensorShape{3, 48, 32}));
            for (const auto& [y, x] : {std::pair{0, 0}, {47, 31}, {20, 13}}) {
                QCOMPARE(at(tensor, 0, y, x), 10);
                QCOMPARE(at(tensor, 1, y, x), 128);
                QCOMPARE(at(tensor, 2, y, x), 255);
            }
        }
    }
    void shrinkingAveragesInsteadOfPickingPixels()
    {
        NewImage made = makeImage(640, 640, PixelFormat::Gray8); // columns of black and white
        for (int i = 0; i < 640 * 640; ++i) made.pixels[i] = i % 2 == 0 ? 0 : 255;
        const InputTensor tensor = drawPlanes(made.image, stretched(whole(made.image), 64, 64), 0);
        for (int x = 1; x < 63; ++x) QVERIFY(std::abs(at(tensor, 0, 30, x) - 128) <= 2);
    }
    void aRampStaysARampAtTheSamePlace()
    {
        const Image image = ramp(1000, 10);
        const InputTensor tensor = drawPlanes(image, stretched(whole(image), 100, 10), 0);
        for (int x = 1; x < 99; ++x) {
            const double expected = 255.0 * ((x + 0.5) * 10 - 0.5) / 999;
            QVERIFY(std::abs(at(tensor, 2, 5, x) - expected) <= 1.5);
        }
    }
    void aLetterboxKeepsTheAspectAndFillsTheRest()
    {
        const Image image = plainImage(200, 100, 255, 0, 0);
        const Placement place = letterboxed(whole(image), 64, 64);
        QCOMPARE(place.to, (PixelArea{0, 16, 64, 32}));
        const InputTensor grey = drawPlanes(image, place, 114);
        QCOMPARE(at(grey, 1, 0, 0), 114);
        QCOMPARE(at(grey, 0, 32, 32), 255);
        const InputTensor edges = drawPlanes(image, place, kRepeatEdges);
        QCOMPARE(at(edges, 0, 0, 0), 255);
        QCOMPARE(at(edges, 1, 63, 63), 0);
    }
    void aCropShowsItsPartOnly()
    {
        NewImage made = makeImage(100, 100, PixelFormat::Gray8);
        for (int y = 40; y < 60; ++y)
            for (int x = 30; x < 50; ++x) made.pixels[y * made.image.stride + x] = 200;
        const InputTensor tensor = drawPlanes(made.image, stretched({30, 40, 20, 20}, 32, 32), 0);
        for (const int i : {0, 15, 31}) QCOMPARE(at(tensor, 0, i, i), 200);
    }
    void transparentPixelsBecomeWhite()
    {
        NewImage made = makeImage(16, 16, PixelFormat::Rgba8);
        const InputTensor tensor = drawPlanes(made.image, stretched(whole(made.image), 16, 16), 0);
        QCOMPARE(at(tensor, 0, 8, 8), 255);
    }
    void aMaskOfACropComesToItsPlaceInThePicture()
    {
        const std::vector<float> ones(32 * 32, 1.0F);
        const OutputTensor grid{{1, 32, 32}, ones.data(), nullptr};
        MaskCanvas canvas(1280, 960);
        canvas.draw(grid, letterboxed({320, 240, 640, 480}, 32, 32));
        const Image mask = canvas.toImage();
        QCOMPARE(mask.width, 640);
        QCOMPARE(mask.height, 480);
        QCOMPARE(int(mask.row(240)[320]), 255);
        QCOMPARE(int(mask.row(121)[161]), 255);
        QCOMPARE(int(mask.row(118)[158]), 0);
        QCOMPARE(int(mask.row(362)[482]), 0);
    }
    void aCropSharpensTheFrameAndDoesNotCutWhatLiesOutside()
    {
        const std::vector<float> half(32 * 32, 0.5F);
        const std::vector<float> ones(32 * 32, 1.0F);
        MaskCanvas frame(64, 64);
        frame.draw({{1, 32, 32}, half.data(), nullptr}, letterboxed({0, 0, 64, 64}, 32, 32));
        MaskCanvas crop(64, 64);
        crop.draw({{1, 32, 32}, ones.data(), nullptr}, letterboxed({0, 0, 32, 64}, 32, 32));
        QVERIFY(std::abs(frame.shareWithin(crop) - 0.5) < 0.01);
        frame.sharpen(crop);
        QCOMPARE(int(frame.toImage().row(30)[10]), 255);
        QCOMPARE(int(frame.toImage().row(30)[60]), 128);
    }
};

QTEST_GUILESS_MAIN(ResampleTest)
#include "resample_test.moc"
