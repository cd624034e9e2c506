#include "core/inference/batching_lane.h"
#include "tests/core/inference/models_folder.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <QImage>
#include <QtTest/QtTest>

using namespace aiflow;

namespace {

const std::filesystem::path kModels = std::filesystem::path(AIFLOW_SOURCE_DIR) / "resources" / "models";
const std::filesystem::path kModules = std::filesystem::path(AIFLOW_BINARY_DIR) / "lib" / "aiflow";

// Submits all calls at once, so that they share batches; the answers in the same order.
std::vector<Result<Values>> callAll(ModelLane& lane, const char* model, const std::vector<Values>& inputs)
{
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Result<Values>> answers(inputs.size(), fail(Reason::Internal, "no answer"));
    std::size_t open = inputs.size();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        auto prepared = lane.prepare(model, inputs[i], Json::object());
        const auto done = [&, i](Result<Values> values, ModelTiming) {
            const std::lock_guard lock(mutex);
            answers[i] = std::move(values);
            --open;
            changed.notify_all();
        };
        if (prepared)
            lane.submit(model, std::move(*prepared), {0, ItemIndex(std::int64_t(i)), 0, 0}, done);
        else
            done(tl::unexpected(prepared.error()), {});
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open == 0; });
    return answers;
}

Values withImage(Image image)
{
    Values values;
    values.set("image", Value(std::move(image)));
    return values;
}

// A shaded red ball on a light ground.
Image ball(int width, int height, int centreX, int centreY, int radius)
{
    NewImage made = makeImage(width, height, PixelFormat::Rgb8);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            std::uint8_t* pixel = made.pixels + y * made.image.stride + 3 * x;
            const double distance = std::hypot(x - centreX, y - centreY) / radius;
            const double light = 1 - 0.5 * std::hypot(x - centreX + radius / 3.0, y - centreY + radius / 3.0) / radius;
            const bool inside = distance <= 1;
            pixel[0] = inside ? static_cast<std::uint8_t>(90 + 160 * std::max(0.0, light)) : 236;
            pixel[1] = inside ? static_cast<std::uint8_t>(60 * std::max(0.0, light)) : 236;
            pixel[2] = inside ? static_cast<std::uint8_t>(50 * std::max(0.0, light)) : 238;
        }
    return made.image;
}

double ballOverlap(const Image& mask, const Image& image, int centreX, int centreY, int radius)
{
    double both = 0;
    double either = 0;
    for (int y = 0; y < mask.height; ++y)
        for (int x = 0; x < mask.width; ++x) {
            const double px = (x + 0.5) * image.width / mask.width;
            const double py = (y + 0.5) * image.height / mask.height;
            const bool truth = std::hypot(px - centreX, py - centreY) <= radius;
            const bool found = mask.row(y)[x] > 127;
            both += truth && found ? 1 : 0;
            either += truth || found ? 1 : 0;
        }
    return both / either;
}

int largestDifference(const Image& a, const Image& b)
{
    int largest = 0;
    for (int y = 0; y < a.height; ++y)
        for (int x = 0; x < a.width; ++x) largest = std::max(largest, std::abs(a.row(y)[x] - b.row(y)[x]));
    return largest;
}

} // namespace

class TorchTest : public QObject {
    Q_OBJECT
private:
    SystemClock m_clock;
    std::shared_ptr<Log> m_log = Log::nowhere();
    std::unique_ptr<ModelLane> m_lane;

    std::unique_ptr<ModelLane> open(const std::filesystem::path& models)
    {
        return std::move(*makeModelLane({models}, {kModules}, {.device = "cpu"}, m_clock, *m_log));
    }

private Q_SLOTS:
    void initTestCase() { m_lane = open(kModels); }
    void cleanupTestCase() { m_lane.reset(); }

    void aBallIsFoundAndCutOut()
    {
        const Image image = ball(800, 600, 380, 310, 190);
        const auto masks = callAll(*m_lane, "segmenter", {withImage(image)});
        QVERIFY2(masks[0], masks[0] ? "" : masks[0].error().message.c_str());
        const Image mask = *masks[0]->get("mask").image();
        QVERIFY(masks[0]->get("mask").fits(PortType::Mask));
        QCOMPARE(std::max(mask.width, mask.height), 640);
        const double overlap = ballOverlap(mask, image, 380, 310, 190);
        QVERIFY2(overlap > 0.93, std::to_string(overlap).c_str());
    }
    void aBoxSharpensASmallProduct()
    {
        const Image image = ball(2000, 1500, 700, 500, 90);
        Values inputs = withImage(image);
        const auto frame = callAll(*m_lane, "segmenter", {inputs});
        inputs.set(
            "boxes",
            Value(Json{
                {"boxes", {{{"x1", 610}, {"y1", 410}, {"x2", 790}, {"y2", 590}, {"score", 0.9}, {"label", ""}}}}}));
        const auto boxed = callAll(*m_lane, "segmenter", {inputs});
        const double overlap = ballOverlap(*boxed[0]->get("mask").image(), image, 700, 500, 90);
        const double before = ballOverlap(*frame[0]->get("mask").image(), image, 700, 500, 90);
        QVERIFY2(overlap > 0.9 && overlap > before - 0.02,
                 (std::to_string(before) + " -> " + std::to_string(overlap)).c_str());
    }
    void answersOfABatchEqualThoseOfSingleCalls()
    {
        std::vector<Values> inputs;
        for (int i = 0; i < 5; ++i)
            inputs.push_back(withImage(ball(300 + 40 * i, 320, 150 + 20 * i, 160, 60 + 15 * i)));
        const auto together = callAll(*m_lane, "segmenter", inputs);
        const auto boxes = callAll(*m_lane, "detector", inputs);
        const auto vectors = callAll(*m_lane, "embedder", inputs);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto alone = callAll(*m_lane, "segmenter", {inputs[i]});
            QVERIFY(largestDifference(*together[i]->get("mask").image(), *alone[0]->get("mask").image()) <= 1);
            const auto box = callAll(*m_lane, "detector", {inputs[i]});
            QCOMPARE(boxes[i]->get("boxes").json()->at("boxes").size(),
                     box[0]->get("boxes").json()->at("boxes").size());
            const auto vector = callAll(*m_lane, "embedder", {inputs[i]});
            double product = 0;
            for (std::size_t k = 0; k < 768; ++k)
                product += vectors[i]->get("vector").json()->at(k).get<double>() *
                           vector[0]->get("vector").json()->at(k).get<double>();
            QVERIFY2(std::abs(product - 1) < 1e-3, std::to_string(product).c_str());
        }
    }
    void theSampleCupIsFound()
    {
        const auto folder = std::filesystem::path(AIFLOW_SOURCE_DIR) / "resources" / "samples";
        QImage picture((folder / "images" / "p001.jpg").c_str());
        if (picture.isNull()) picture.load((folder / "p001.jpg").c_str());
        if (picture.isNull()) QSKIP("resources/samples has no p001.jpg");
        picture = picture.convertToFormat(QImage::Format_RGB888);
        NewImage made = makeImage(picture.width(), picture.height(), PixelFormat::Rgb8);
        for (int y = 0; y < picture.height(); ++y)
            std::memcpy(made.pixels + y * made.image.stride, picture.constScanLine(y),
                        static_cast<std::size_t>(picture.width()) * 3);
        const auto boxes = callAll(*m_lane, "detector", {withImage(made.image)});
        QVERIFY(!boxes[0]->get("boxes").json()->at("boxes").empty());
        Values inputs = withImage(made.image);
        inputs.set("boxes", boxes[0]->get("boxes"));
        const auto mask = callAll(*m_lane, "segmenter", {inputs});
        const Image* found = mask[0]->get("mask").image();
        QVERIFY(int(found->row(found->height / 2)[found->width / 2]) > 127);
        QVERIFY(int(found->row(2)[found->width - 3]) < 127);
    }
    void aModelThatThrowsGivesOneLine()
    {
        ModelsFolder folder;
        std::filesystem::copy_file(kModels / "aiflow-nano.fp16.pt", folder.path() / "nano.pt");
        Json& entry = folder.add("odd", "segment");
        entry["file"] = "nano.pt";
        entry["sha256"] = sha256File(folder.path() / "nano.pt")->hex();
        entry["method"] = "mask";
        entry["input"] = {{"width", 333}, {"height", 321}};
        folder.writeManifest();
        const auto lane = open(folder.path());
        const auto answers = callAll(*lane, "odd", {withImage(ball(100, 100, 50, 50, 30))});
        QVERIFY(!answers[0]);
        QVERIFY(answers[0].error().message.find('\n') == std::string::npos);
        QVERIFY(answers[0].error().message.find("\"odd\"") != std::string::npos);
    }
    void aFileThatIsNoTorchScriptIsAMissingModel()
    {
        ModelsFolder folder;
        folder.add("text", "embed", "this is no archive");
        folder.writeManifest();
        const auto lane = open(folder.path());
        const auto answers = callAll(*lane, "text", {withImage(ball(100, 100, 50, 50, 30))});
        QVERIFY(!answers[0]);
        QVERIFY(answers[0].error().reason == Reason::ComputeModelMissing);
        QVERIFY(answers[0].error().message.find('\n') == std::string::npos);
    }
    void aDeviceThatIsNotThereIsSaid()
    {
        ModelsFolder folder;
        std::filesystem::copy_file(kModels / "aiflow-nano.fp16.pt", folder.path() / "nano.pt");
        Json& entry = folder.add("far", "embed");
        entry["file"] = "nano.pt";
        entry["sha256"] = sha256File(folder.path() / "nano.pt")->hex();
        entry["method"] = "embed";
        entry["device"] = "cuda:63";
        folder.writeManifest();
        const auto lane = open(folder.path());
        const auto answers = callAll(*lane, "far", {withImage(ball(100, 100, 50, 50, 30))});
        QVERIFY(!answers[0]);
        QVERIFY(answers[0].error().reason == Reason::ComputeModelMissing);
        QVERIFY2(answers[0].error().message.find("cuda:63") != std::string::npos, answers[0].error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(TorchTest)
#include "torch_test.moc"
