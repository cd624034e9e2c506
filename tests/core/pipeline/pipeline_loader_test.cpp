// What a right pipeline becomes: order, edges, decoding put in, drawings; and the schemas for editors.
#include "core/base/schema/json_schema.h"
#include "core/pipeline/describe.h"
#include "core/pipeline/yaml_tree.h"
#include "tests/core/pipeline/test_catalog.h"

#include <fstream>
#include <QtTest>
#include <sstream>

using namespace aiflow;
using namespace aiflow::test;

namespace {

std::string namesOf(const Pipeline& pipeline, const std::vector<StepIndex>& steps)
{
    std::string text;
    for (const StepIndex step : steps) text += (text.empty() ? "" : " ") + pipeline.at(step).name;
    return text;
}

std::string order(const Pipeline& pipeline)
{
    std::string text;
    for (const Step& step : pipeline.steps) text += (text.empty() ? "" : " ") + step.name;
    return text;
}

std::string fileText(const std::string& path)
{
    std::ifstream stream(std::string(AIFLOW_SOURCE_DIR) + "/" + path);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

constexpr const char* kHero =
    "steps:\n"
    "  compose: { op: hero.compose, inputs: { image: $item.image, mask: $segment.mask, scene: $scene.image },\n"
    "             params: { canvas: $params.canvas } }\n"
    "  art: { api: text, prompt: prompts/describe.mustache, schema: schemas/answer.json, title: { en: Art, zh: 美术 } "
    "}\n"
    "  scene: { api: image, request: { prompt: $art.prompt, size: 512x512 }, optional: true }\n"
    "  detect: { model: detector, inputs: { image: $item.image } }\n"
    "  segment: { model: segmenter, inputs: { image: $item.image, boxes: $detect.boxes } }\n"
    "outputs: { \"{{item.sku}}.png\": $compose.image }\n";

} // namespace

class PipelineLoaderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void heroPipelineIsOrderedWithItsPicturesDecodedOnce()
    {
        const TestCatalog catalog;
        const auto loaded = load(catalog, std::string(kHead) + kHero);
        QVERIFY2(loaded, loaded ? "" : loaded.error().text().c_str());
        QCOMPARE(order(*loaded), std::string("load_image art scene load_scene detect segment compose"));
        const Step& compose = *loaded->find("compose");
        QCOMPARE(namesOf(*loaded, compose.dependsOn), std::string("load_image load_scene segment"));
        QCOMPARE(namesOf(*loaded, loaded->find("load_image")->usedBy), std::string("detect segment compose"));
        QVERIFY(loaded->find("load_image")->automatic);
        QVERIFY(!loaded->find("load_image")->when); // the column is required
        QVERIFY(loaded->find("load_scene")->when);  // the scene is optional
        QCOMPARE((*compose.params)["canvas"].get<int>(), 2000);
        QCOMPARE((*compose.params)["background"].get<std::string>(), std::string("white")); // the op's default
        QCOMPARE(loaded->find("art")->mainOutput, std::string("answer"));
        QCOMPARE(namesOf(*loaded, loaded->find("scene")->dependsOn), std::string("art"));
    }

    void oneDecodedColumnIsCalledLoadUnlessTheNameIsTaken()
    {
        const TestCatalog catalog;
        const auto one =
            load(catalog, std::string(kHead) + "steps: { d: { model: detector, inputs: { image: $item.image } } }\n");
        QCOMPARE(order(*one), std::string("load d"));
        const auto taken = load(catalog, std::string(kHead) +
                                             "steps: { load: { model: detector, inputs: { image: $item.image } } }\n");
        QCOMPARE(order(*taken), std::string("load_image load"));
        TestCatalog bare;
        bare.ops.erase(bare.ops.begin());
        const auto missing =
            load(bare, std::string(kHead) + "steps: { d: { model: detector, inputs: { image: $item.image } } }\n");
        QVERIFY(!missing);
        QVERIFY(missing.error().message.find("no op \"image.load\"") != std::string::npos);
    }

    void fanOutWorksOnElementsAndALaterReferenceJoins()
    {
        const TestCatalog catalog;
        const auto loaded = load(catalog, std::string(kHead) + "steps:\n"
                                                               "  styles: { api: image, prompt: \"{{item.title}}\" }\n"
                                                               "  each: { op: pass }\n");
        QVERIFY(!loaded); // a reserved word
        const auto fan =
            load(catalog, std::string(kHead) +
                              "steps:\n"
                              "  styles: { api: image, prompt: \"{{item.title}}\" }\n"
                              "  find: { model: detector, for_each: $styles.images, inputs: { image: $each } }\n"
                              "  all: { op: list.join, inputs: { values: $find.boxes } }\n"
                              "outputs: { \"{{item.sku}}-{{each_index}}.json\": $find.boxes }\n");
        QVERIFY2(fan, fan ? "" : fan.error().text().c_str());
        QCOMPARE(order(*fan), std::string("styles load find all"));
        QVERIFY(fan->find("load")->forEach);
        QCOMPARE(sourceText(*fan->find("find")->forEach, *fan), std::string("$load.image"));
        QCOMPARE(sourceText(*fan->find("load")->forEach, *fan), std::string("$styles.images"));
    }

    void needsWhenAndTemplatesMakeEdges()
    {
        const TestCatalog catalog;
        const auto loaded = load(
            catalog, std::string(kHead) +
                         "steps:\n"
                         "  z: { op: pass, needs: [d], when: { all: [$a.value, { not: { equals: [$b.value, 1] } }] },\n"
                         "       inputs: { value: \"x {{c.value}}\" } }\n"
                         "  a: { op: pass }\n  b: { op: pass }\n  c: { op: pass }\n  d: { op: pass }\n");
        QVERIFY2(loaded, loaded ? "" : loaded.error().text().c_str());
        QCOMPARE(order(*loaded), std::string("a b c d z"));
        QCOMPARE(namesOf(*loaded, loaded->find("z")->dependsOn), std::string("a b c d"));
    }

    void dollarsCanBeWritten()
    {
        const TestCatalog catalog;
        const auto loaded = load(catalog, std::string(kHead) + "steps: { a: { op: pass, inputs: { value: $$5 } } }\n");
        QVERIFY(loaded);
        QCOMPARE(sourceText(loaded->steps[0].inputs[0].second, *loaded), std::string("$5"));
    }

    void setChangesAParameterAndKeepsItsType()
    {
        const TestCatalog catalog;
        const std::string text = std::string(kHead) + "steps: { a: { op: pass } }\n";
        const auto changed = load(catalog, text, {{{"canvas", "1600"}}});
        QCOMPARE((*changed->params)["canvas"].get<int>(), 1600);
        const auto unknown = load(catalog, text, {{{"canvs", "1600"}}});
        QCOMPARE(unknown.error().text(),
                 std::string("--set canvs=1600: unknown parameter \"canvs\"; did you mean \"canvas\"?"));
        const auto wrong = load(catalog, text, {{{"canvas", "big"}}});
        QCOMPARE(wrong.error().text(),
                 std::string("--set canvas=big: parameter \"canvas\" is a number (2000), not a text"));
    }

    void hugeDeepAndSwellingFilesAreRefused()
    {
        const TestCatalog catalog;
        QVERIFY(load(catalog, std::string(1 << 21, ' ')).error().message.find("1 MiB") != std::string::npos);
        QVERIFY(load(catalog, std::string(70, '[')).error().message.find("64 levels") != std::string::npos);
        std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
        for (char c = 'b'; c < 'l'; ++c) {
            const std::string before(1, static_cast<char>(c - 1));
            bomb += std::string(1, c) + ": &" + c + " [";
            for (int i = 0; i < 9; ++i) bomb += (i == 0 ? "*" : ", *") + before;
            bomb += "]\n";
        }
        QVERIFY(load(catalog, bomb).error().message.find("100,000 values") != std::string::npos);
        QVERIFY(load(catalog, "\xff\xfe").error().message.find("UTF-8") != std::string::npos);
    }

    void twoHundredStepsLoad()
    {
        const TestCatalog catalog;
        std::string text = std::string(kHead) + "steps:\n";
        for (int i = 0; i < 200; ++i)
            text += "  s" + std::to_string(i) +
                    ": { op: pass, inputs: { value: " + (i == 199 ? "1" : "$s" + std::to_string(i + 1) + ".value") +
                    " } }\n";
        const auto loaded = load(catalog, text);
        QVERIFY(loaded);
        QCOMPARE(loaded->steps.front().name, std::string("s199"));
        QCOMPARE(loaded->steps.back().name, std::string("s0"));
    }

    void graphsAndTextNameEveryStepInBothLanguages()
    {
        const TestCatalog catalog;
        const auto loaded = load(catalog, std::string(kHead) + kHero);
        QVERIFY(loaded);
        const std::string mermaid = toMermaid(*loaded, Language::Chinese);
        QVERIFY(mermaid.starts_with("flowchart LR\n"));
        QVERIFY(mermaid.find("s1([\"美术<br/>api text\"])") != std::string::npos);
        QVERIFY(mermaid.find("s2 -.-> s3") != std::string::npos);
        QVERIFY(toDot(*loaded, Language::English).find("s1 [label=\"Art\\napi text\"];") != std::string::npos);
        const std::string drawn = drawGraph(*loaded, Language::English);
        QVERIFY(drawn.find("detect (model detector)  ← load_image") != std::string::npos);
        const std::string shown = describePipeline(*loaded, Language::English);
        QVERIFY(shown.find("{{item.sku}}.png <- $compose.image") != std::string::npos);
        QVERIFY(shown.find("put in by itself") != std::string::npos);
    }

    void schemaForEditorsAgreesWithTheLoader()
    {
        const auto json = parseJson(fileText("resources/schemas/pipeline.schema.json"));
        QVERIFY(json);
        const auto schema = JsonSchema::compile(*json);
        QVERIFY2(schema, schema ? "" : schema.error().message.c_str());
        const auto check = [&](const std::string& text) {
            return (*schema)->misfits(yamlToJson(**parseYaml(text, "x", Reason::PipelineInvalid)));
        };
        const auto good = check(std::string(kHead) + kHero);
        QVERIFY2(good.empty(), good.empty() ? "" : good.front().c_str());
        for (const char* bad :
             {"steps: { a: { op: pass, model: detector } }\n", "steps: { a: { op: pass, wen: $item.title } }\n",
              "steps: { a: { op: pass, timeout: 30 } }\n", "steps: {}\n", "stepz: {}\n",
              "steps: { a: { op: pass, when: { equal: [1, 2] } } }\n"})
            QVERIFY2(!check(std::string(kHead) + bad).empty(), bad);
        // Each key of the schema is one that the loader knows, and the other way round.
        const TestCatalog catalog;
        const Json& keys = (*json)["definitions"]["step"]["properties"];
        QCOMPARE(keys.size(), std::size_t{19});
        for (const auto& key : keys.items()) {
            std::vector<Error> errors;
            (void)load(catalog, std::string(kHead) + "steps: { a: { " + key.key() + ": } }\n", {}, &errors);
            for (const Error& error : errors)
                QVERIFY2(error.message.find("unknown key") == std::string::npos, error.text().c_str());
        }
    }
};

QTEST_GUILESS_MAIN(PipelineLoaderTest)
#include "pipeline_loader_test.moc"
