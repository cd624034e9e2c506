#include "core/inference/model_manifest.h"
#include "tests/core/inference/models_folder.h"

#include <QtTest/QtTest>

using namespace aiflow;

class ModelManifestTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void listedModelsAreFoundWithTheirSettings()
    {
        ModelsFolder folder;
        Json& entry = folder.add("finder", "detect");
        entry["method"] = "detect";
        entry["labels"] = {"cup", "car"};
        entry["input"] = {{"width", 416}, {"height", 320}, {"letterbox", true}, {"pad", "edge"}, {"range", 1}};
        entry["thresholds"] = {{"score", 0.2}, {"iou", 0.5}};
        entry["batch"] = {{"max", 4}, {"delay_ms", 7}};
        folder.writeManifest();
        const auto manifest = ModelManifest::open({folder.path()});
        QVERIFY(manifest);
        const ModelEntry* model = (*manifest)->find("finder");
        QVERIFY(model != nullptr);
        QCOMPARE(model->input.width, 416);
        QCOMPARE(model->input.pad, -1);
        QCOMPARE(model->labels.size(), std::size_t{2});
        QCOMPARE(model->scoreThreshold, 0.2);
        QCOMPARE(model->batchMax, 4);
        QCOMPARE(model->batchDelay, std::chrono::milliseconds(7));
        QVERIFY((*manifest)->verify(*model));
        QVERIFY((*manifest)->find("other") == nullptr);
    }
    void anAlteredFileIsRefusedAlsoAfterItWasGood()
    {
        ModelsFolder folder;
        folder.add("net", "embed", "the true weights");
        folder.writeManifest();
        const auto manifest = ModelManifest::open({folder.path()});
        const ModelEntry& model = *(*manifest)->find("net");
        QVERIFY((*manifest)->verify(model));
        folder.writeFile("net.pt", "other weights, longer");
        const auto altered = (*manifest)->verify(model);
        QVERIFY(!altered);
        QVERIFY(altered.error().reason == Reason::ComputeModelMissing);
        QVERIFY(altered.error().message.find("net.pt") != std::string::npos);
        QVERIFY(altered.error().message.find(sha256(std::string_view("other weights, longer")).hex()) !=
                std::string::npos);
    }
    void aMissingFileIsNamed()
    {
        ModelsFolder folder;
        folder.add("net", "embed");
        folder.writeManifest();
        std::filesystem::remove(folder.path() / "net.pt");
        const auto manifest = ModelManifest::open({folder.path()});
        const auto missing = (*manifest)->verify(*(*manifest)->find("net"));
        QVERIFY(!missing);
        QVERIFY(missing.error().reason == Reason::ComputeModelMissing);
        QVERIFY(missing.error().message.find((folder.path() / "net.pt").string()) != std::string::npos);
        QVERIFY(!missing.error().hint.empty());
    }
    void pathsNeverLeadOutsideTheFolder()
    {
        for (const char* outside : {"../net.pt", "/etc/passwd", "a/../../net.pt", ""}) {
            ModelsFolder folder;
            folder.add("net", "embed")["file"] = outside;
            folder.writeManifest();
            const auto manifest = ModelManifest::open({folder.path()});
            QVERIFY2(!manifest, outside);
            QVERIFY(manifest.error().reason == Reason::ConfigInvalid);
        }
    }
    void aSymbolicLinkIsNoModel()
    {
        ModelsFolder elsewhere;
        elsewhere.writeFile("net.pt", "weights");
        ModelsFolder folder;
        folder.add("net", "embed", "weights");
        folder.writeManifest();
        std::filesystem::remove(folder.path() / "net.pt");
        std::filesystem::create_symlink(elsewhere.path() / "net.pt", folder.path() / "net.pt");
        const auto manifest = ModelManifest::open({folder.path()});
        QVERIFY(!(*manifest)->verify(*(*manifest)->find("net")));
    }
    void mistakesNameTheFileTheModelAndTheField()
    {
        const std::pair<const char*, Json> mistakes[] = {
            {"sha256", "123"},           {"family", "oracle"},           {"licence", 5},     {"batch", {{"max", 0}}},
            {"input", {{"width", "8"}}}, {"thresholds", {{"score", 7}}}, {"labels", {1, 2}}, {"precision", "double"}};
        for (const auto& [field, wrong] : mistakes) {
            ModelsFolder folder;
            folder.add("net", "embed")[field] = wrong;
            folder.writeManifest();
            const auto manifest = ModelManifest::open({folder.path()});
            QVERIFY2(!manifest, field);
            QVERIFY2(manifest.error().message.find("models.json") != std::string::npos,
                     manifest.error().message.c_str());
            QVERIFY2(manifest.error().message.find("(net)") != std::string::npos, manifest.error().message.c_str());
        }
    }
    void aBrokenFileIsReportedWithItsLine()
    {
        ModelsFolder folder;
        folder.writeFile("models.json", "{\n \"aiflow_models\": 1,\n oops\n}");
        const auto manifest = ModelManifest::open({folder.path()});
        QVERIFY(!manifest);
        QVERIFY(manifest.error().reason == Reason::ConfigInvalid);
        QVERIFY(manifest.error().where);
        QCOMPARE(manifest.error().where->line, std::int64_t{3});
    }
    void theFirstFolderWinsAndAFolderWithoutAManifestIsPassedOver()
    {
        ModelsFolder first;
        first.add("net", "embed")["version"] = "2";
        first.writeManifest();
        ModelsFolder second;
        second.add("net", "embed");
        second.add("more", "embed");
        second.writeManifest();
        ModelsFolder none;
        const auto manifest = ModelManifest::open({none.path(), first.path(), second.path()});
        QCOMPARE((*manifest)->all().size(), std::size_t{2});
        QCOMPARE((*manifest)->find("net")->version, std::string("2"));
    }
    void entriesOfOneFileShareItsMethods()
    {
        ModelsFolder folder;
        folder.add("a", "embed")["method"] = "embed";
        Json& other = folder.add("b", "segment");
        other["file"] = "a.pt";
        other["method"] = "mask";
        folder.writeManifest();
        const auto manifest = ModelManifest::open({folder.path()});
        QCOMPARE((*manifest)->methodsOf(*(*manifest)->find("a")), (std::vector<std::string>{"embed", "mask"}));
    }
    void theManifestThatShipsIsGood()
    {
        const auto manifest = ModelManifest::open({std::filesystem::path(AIFLOW_SOURCE_DIR) / "resources" / "models"});
        QVERIFY2(manifest, manifest ? "" : manifest.error().message.c_str());
        for (const char* name : {"detector", "segmenter", "embedder"}) {
            const ModelEntry* model = (*manifest)->find(name);
            QVERIFY(model != nullptr);
            QVERIFY((*manifest)->verify(*model));
            QVERIFY(std::filesystem::exists(model->folder / model->card));
        }
        QCOMPARE((*manifest)->find("detector")->labels.size(), std::size_t{80});
    }
};

QTEST_GUILESS_MAIN(ModelManifestTest)
#include "model_manifest_test.moc"
