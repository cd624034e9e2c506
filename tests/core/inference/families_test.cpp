#include "core/compute/op_call.h"
#include "core/inference/families.h"
#include "tests/core/inference/models_folder.h"

#include <QtTest/QtTest>

using namespace aiflow;

namespace {

ModelEntry detector()
{
    ModelEntry model;
    model.name = "detector";
    model.input = {100, 100, true, 114, 255};
    model.labels = {"cup", "car"};
    return model;
}

// Corners in the network's input, then the scores of cup and car.
Result<Json> boxesFrom(const ModelEntry& model, const Image& image, const std::vector<float>& rows, Json params = {})
{
    const auto family = makeFamily(model);
    const Signature signature = describe(model, *family);
    Values inputs;
    inputs.set("image", Value(image));
    const auto complete = completeParams(signature, params);
    if (!complete) return tl::unexpected(complete.error());
    const auto call = family->prepare(inputs, *complete);
    const OutputTensor output{{static_cast<std::int64_t>(rows.size() / 6), 6}, rows.data(), nullptr};
    const auto values = (*call)->finish(std::span(&output, 1));
    if (!values) return tl::unexpected(values.error());
    return values->get("boxes").json()->at("boxes");
}

} // namespace

class FamiliesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void boxesComeBackInPixelsOfThePicture()
    {
        // 400 x 200 in 100 x 100: a quarter of the size, 25 rows of filling above and below.
        const auto boxes = boxesFrom(detector(), plainImage(400, 200, 0, 0, 0), {10, 30, 60, 70, 0.9F, 0.1F});
        QCOMPARE(boxes->size(), std::size_t{1});
        const Json& box = boxes->at(0);
        QCOMPARE(box.at("x1").get<double>(), 40.0);
        QCOMPARE(box.at("y1").get<double>(), 20.0);
        QCOMPARE(box.at("x2").get<double>(), 240.0);
        QCOMPARE(box.at("y2").get<double>(), 180.0);
        QCOMPARE(box.at("label").get<std::string>(), std::string("cup"));
    }
    void ofBoxesThatOverlapTheBestOfEachLabelStays()
    {
        const auto boxes = boxesFrom(detector(), plainImage(100, 100, 0, 0, 0),
                                     {10, 10, 60, 60, 0.6F, 0.0F, 11, 11, 61, 61, 0.8F, 0.0F, //
                                      10, 10, 60, 60, 0.0F, 0.7F, 70, 70, 90, 90, 0.5F, 0.0F});
        QCOMPARE(boxes->size(), std::size_t{3});
        QCOMPARE(boxes->at(0).at("score").get<double>(), 0.8);
        QCOMPARE(boxes->at(1).at("label").get<std::string>(), std::string("car"));
        QCOMPARE(boxes->at(2).at("x1").get<double>(), 70.0);
    }
    void aBoxHasItsLabelOnlyAboveOneHalf()
    {
        const auto boxes = boxesFrom(detector(), plainImage(100, 100, 0, 0, 0),
                                     {0, 0, 30, 30, 0.5F, 0, 50, 50, 80, 80, 0.36F, 0, 0, 60, 20, 90, 0.34F, 0});
        QCOMPARE(boxes->size(), std::size_t{2});
        for (const Json& box : *boxes) QCOMPARE(box.at("label").get<std::string>(), std::string());
    }
    void boxesAreCutAtThePicturesBorder()
    {
        const auto boxes = boxesFrom(detector(), plainImage(100, 100, 0, 0, 0),
                                     {-20, -20, 130, 130, 0.9F, 0, 101, 101, 140, 140, 0.9F, 0});
        QCOMPARE(boxes->size(), std::size_t{1});
        QCOMPARE(boxes->at(0).at("x1").get<double>(), 0.0);
        QCOMPARE(boxes->at(0).at("x2").get<double>(), 100.0);
    }
    void parametersOverrideTheManifestAndUnknownOnesAreRefused()
    {
        const Image image = plainImage(100, 100, 0, 0, 0);
        const std::vector<float> rows{0, 0, 30, 30, 0.2F, 0};
        QCOMPARE(boxesFrom(detector(), image, rows, Json{{"score", 0.1}})->size(), std::size_t{1});
        const auto unknown = boxesFrom(detector(), image, rows, Json{{"scroe", 0.1}});
        QVERIFY(unknown.error().message.find("scroe") != std::string::npos);
        QVERIFY(!boxesFrom(detector(), image, rows, Json{{"score", "much"}}));
    }
    void anOutputOfAnotherShapeIsAnErrorThatSaysWhichItIs()
    {
        const ModelEntry model = detector();
        const auto ours = makeFamily(model);
        Values inputs;
        inputs.set("image", Value(plainImage(10, 10, 0, 0, 0)));
        const auto call = ours->prepare(inputs, *completeParams(describe(model, *ours), {}));
        const std::vector<float> numbers(21);
        const OutputTensor output{{3, 7}, numbers.data(), nullptr};
        const auto values = (*call)->finish(std::span(&output, 1));
        QVERIFY(!values);
        QVERIFY(values.error().message.find("3x7") != std::string::npos);
    }
    void theVersionChangesWithEverythingThatChangesResults()
    {
        const ModelEntry model = detector();
        const auto version = [](const ModelEntry& entry) { return describe(entry, *makeFamily(entry)).version; };
        ModelEntry other = detector();
        QCOMPARE(version(other), version(model));
        other.scoreThreshold = 0.4;
        QVERIFY(version(other) != version(model));
        other = detector();
        other.sha256 = sha256(std::string_view("other"));
        QVERIFY(version(other) != version(model));
        other = detector();
        other.batchMax = 99; // how it is run, not what comes out
        QCOMPARE(version(other), version(model));
    }
    void segmentTakesTheFrameAndEachConfidentBoxThatShowsMore()
    {
        ModelEntry model;
        model.name = "segmenter";
        model.family = ModelFamilyKind::Segment;
        model.input = {32, 32, true, -1, 255};
        const auto family = makeFamily(model);
        Values inputs;
        inputs.set("image", Value(plainImage(1000, 1000, 9, 9, 9)));
        const auto box = [](int from, int to, double score) {
            return Json{{"x1", from}, {"y1", from}, {"x2", to}, {"y2", to}, {"score", score}, {"label", ""}};
        };
        inputs.set("boxes", Value(Json{{"boxes", {box(100, 400, 0.9), box(5, 995, 0.8), box(600, 800, 0.1)}}}));
        const Json params = *completeParams(describe(model, *family), {});
        const auto call = family->prepare(inputs, params);
        QCOMPARE((*call)->tensors().size(), std::size_t{2});
        QVERIFY((*call)->size() == Bytes(2 * 3 * 32 * 32));
        inputs.set("boxes", Value(Json{{"boxes", {{{"x1", 3}}}}}));
        const auto wrong = family->prepare(inputs, params);
        QVERIFY(!wrong);
        QVERIFY(wrong.error().reason == Reason::InputFieldBad);
    }
    void aClassifierGivesTheBestLabelAndItsShare()
    {
        ModelEntry model = detector();
        model.family = ModelFamilyKind::Classify;
        const auto family = makeFamily(model);
        Values inputs;
        inputs.set("image", Value(plainImage(10, 10, 0, 0, 0)));
        const auto call = family->prepare(inputs, Json::object());
        const std::vector<float> scores{0.0F, 0.0F};
        const OutputTensor output{{2}, scores.data(), nullptr};
        const auto values = (*call)->finish(std::span(&output, 1));
        QCOMPARE(values->get("score").json()->get<double>(), 0.5);
        QCOMPARE(values->get("label").json()->get<std::string>(), std::string("cup"));
    }
    void aMissingPictureIsTheItemsError()
    {
        const ModelEntry model = detector();
        const auto family = makeFamily(model);
        const auto call = family->prepare(Values{}, Json{{"score", 0.3}, {"iou", 0.5}});
        QVERIFY(!call);
        QVERIFY(call.error().reason == Reason::InputImageBad);
    }
};

QTEST_GUILESS_MAIN(FamiliesTest)
#include "families_test.moc"
