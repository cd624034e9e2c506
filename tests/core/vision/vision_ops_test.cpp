#include "core/base/json.h"
#include "core/compute/op_manifest.h"
#include "core/compute/op_registry.h"

#include <algorithm>
#include <dlfcn.h>
#include <QtTest>

using namespace aiflow;

namespace {

Value patternImage(int width, int height)
{
    NewImage made = makeImage(width, height, PixelFormat::Rgb8);
    for (std::size_t i = 0; i < made.image.byteSize(); ++i) made.pixels[i] = static_cast<std::uint8_t>(i / 3);
    return Value(made.image);
}

} // namespace

class VisionOpsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<OpRegistry> m_registry;

    Result<Values> run(const char* op, const char* port, const Value& value, const Json& params = Json::object())
    {
        Values inputs;
        inputs.set(port, value);
        return m_registry->run(op, inputs, params, {});
    }

private Q_SLOTS:
    void initTestCase() { m_registry = OpRegistry::open({OP_FOLDER}).value(); }

    void manifestsTellWhatTheModulesHold_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("vision") << "aiflow_vision";
        QTest::newRow("hero") << "aiflow_hero";
    }
    void manifestsTellWhatTheModulesHold()
    {
        QFETCH(QString, name);
        const auto folder = std::filesystem::path(OP_FOLDER);
        const auto manifest = readOpManifest(folder / (name.toStdString() + ".ops.json")).value();
        void* library = ::dlopen((folder / manifest.module).c_str(), RTLD_NOW | RTLD_LOCAL);
        QVERIFY2(library != nullptr, ::dlerror());
        const OpModule* module = reinterpret_cast<OpModuleEntry>(::dlsym(library, kOpModuleSymbol))();
        QCOMPARE(module->ops.size(), manifest.ops.size());
        for (const OpEntry& entry : module->ops) {
            const auto it = std::ranges::find(manifest.ops, std::string(entry.name), &Signature::name);
            QVERIFY2(it != manifest.ops.end(), entry.name);
            QCOMPARE(it->version, std::string(entry.version));
        }
    }

    void encodedPictureLoadsAgain()
    {
        for (const char* format : {"jpeg", "png", "webp"}) {
            const auto file = run("image.encode", "image", patternImage(40, 30), {{"format", format}});
            QVERIFY(file);
            const auto loaded = run("image.load", "file", file->get("file"));
            QVERIFY(loaded);
            QCOMPARE(*loaded->get("width").json(), Json(40));
            QCOMPARE(*loaded->get("height").json(), Json(30));
        }
    }

    void resizeKeepsTheShapeUnlessTold()
    {
        const auto size = [](const Result<Values>& values) {
            return QSize(values->get("image").image()->width, values->get("image").image()->height);
        };
        const Value image = patternImage(40, 20);
        QCOMPARE(size(run("image.resize", "image", image, {{"width", 20}})), QSize(20, 10));
        QCOMPARE(size(run("image.resize", "image", image, {{"width", 80}, {"height", 80}})), QSize(80, 40));
        QCOMPARE(size(run("image.resize", "image", image, {{"width", 80}, {"enlarge", false}})), QSize(40, 20));
        QCOMPARE(size(run("image.resize", "image", image, {{"width", 10}, {"height", 10}, {"fit", "cover"}})),
                 QSize(10, 10));
        QCOMPARE(size(run("image.resize", "image", image, {{"width", 7}, {"height", 9}, {"fit", "exact"}})),
                 QSize(7, 9));
        QVERIFY(!run("image.resize", "image", image));
        QVERIFY(!run("image.resize", "image", image, {{"width", 10}, {"fit", "stretch"}}));
    }

    void badWordsAreRefused()
    {
        QVERIFY(run("image.encode", "image", patternImage(4, 4), {{"format", "gif"}}).error().reason ==
                Reason::PipelineInvalid);
    }
};

QTEST_GUILESS_MAIN(VisionOpsTest)
#include "vision_ops_test.moc"
