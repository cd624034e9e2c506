// aiflow.yaml: layers, where values come from, and keys that never show.
#include "core/base/json.h"
#include "core/base/schema/json_schema.h"
#include "core/pipeline/config_file.h"
#include "core/pipeline/yaml_tree.h"

#include <fstream>
#include <QtTest>
#include <sstream>

using namespace aiflow;

namespace {

const std::string kBuiltIn = "offline: false\n"
                             "providers: { offline: { protocol: offline } }\n"
                             "models: { template: { provider: offline } }\n"
                             "routes: { text: [template] }\n";
const std::string kWorkspace =
    "aiflow: 1\n"
    "pipeline: hero-image\n"
    "cpu: 6\n"
    "memory: 2GiB\n"
    "providers:\n"
    "  qwen:\n"
    "    protocol: openai\n"
    "    base_url: https://qwen.example/v1\n"
    "    accounts: { main: { key: env:QWEN_KEY, limits: { rpm: 60, money: 20CNY } } }\n"
    "models: { plus: { provider: qwen, model: qwen-plus, price: { input: 0.8, currency: CNY } } }\n"
    "routes: { text: { models: [plus, template], sticky: item } }\n"
    "budgets: { per_job: 60CNY }\n";

QString messages(const std::string& text)
{
    std::vector<Error> errors;
    const std::vector<ConfigLayer> layers{{"aiflow.yaml", text}};
    (void)mergeConfiguration(layers, &errors);
    QStringList found;
    for (const Error& error : errors) found += QString::fromStdString(error.text() + " | " + error.hint);
    return found.join('\n');
}

} // namespace

class ConfigFileTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void layersAreMergedAndEveryValueKnowsItsOrigin()
    {
        const std::vector<ConfigLayer> layers{
            {"built-in", kBuiltIn}, {"/home/u/aiflow.yaml", "offline: on\ncpu: 2\n"}, {"aiflow.yaml", kWorkspace}};
        const auto merged = mergeConfiguration(layers);
        QVERIFY2(merged, merged ? "" : merged.error().text().c_str());
        QCOMPARE(merged->pipeline, std::string("hero-image"));
        QCOMPARE(merged->cores, 6);
        QVERIFY(merged->offline);
        QCOMPARE(merged->memory->count(), gibibytes(2).count());
        QCOMPARE(merged->origins.at("cpu"), std::string("aiflow.yaml:3"));
        QCOMPARE(merged->origins.at("offline"), std::string("/home/u/aiflow.yaml:1"));
        QCOMPARE(merged->origins.at("providers.offline.protocol"), std::string("built-in:2"));
        QVERIFY(!merged->origins.contains("routes.text")); // a list that a map has replaced
        QCOMPARE(merged->section("routes")["text"]["models"].size(), std::size_t{2});
        QVERIFY(merged->section("storage").empty());
        const std::string shown = describeConfiguration(*merged, true);
        QVERIFY(shown.find("providers.qwen.accounts.main.key: env:QWEN_KEY") != std::string::npos);
    }

    void literalKeysAreRefusedAndNotShown()
    {
        const QString literal = messages("providers: { q: { accounts: { main: { key: sk-abcdef123456 } } } }\n");
        QVERIFY2(literal.startsWith("aiflow.yaml:1:44: \"key\" must name where the key is"), qPrintable(literal));
        QVERIFY(literal.contains("env:NAME"));
        for (const char* leak :
             {"providers: { q: { accounts: { main: { key: sk-abcdef123456 } } } }\n",
              "providers: { q: { accounts: sk-abcdef123456 } }\n", "providers: { q: sk-abcdef123456 }\n",
              "providers: { q: { accounts: { main: { kee: sk-abcdef123456 } } } }\n",
              "storage: { s: { type: s3, secret: sk-abcdef123456 } }\n", "cpu: sk-abcdef123456\n",
              "providers: { q: { accounts: { main: { limits: { rpm: sk-abcdef123456 } } } } }\n"})
            QVERIFY2(!messages(leak).isEmpty() && !messages(leak).contains("abcdef"), qPrintable(messages(leak)));
    }

    void mistakesNameTheirPlaceAndTheNearestWord()
    {
        QVERIFY(messages("providrs: {}\n")
                    .startsWith(
                        "aiflow.yaml:1:1: unknown key \"providrs\" in the configuration; did you mean \"providers\"?"));
        QVERIFY(messages("providers: { q: { protocol: opnai } }\n")
                    .startsWith("aiflow.yaml:1:29: unknown protocol \"opnai\"; did you mean \"openai\"?"));
        QVERIFY(messages("memory: lots\n").contains("must be a size such as 512MiB"));
        QVERIFY(messages("budgets: { per_job: 60 }\n").contains("must be money such as 60CNY"));
        QVERIFY(messages("models: { plus: {} }\nroutes: { text: [pluss] }\n")
                    .startsWith("aiflow.yaml:2:17: unknown model \"pluss\"; did you mean \"plus\"?"));
        QVERIFY(messages("models: { plus: { provider: qwn } }\nproviders: { qwen: {} }\n")
                    .contains("did you mean \"qwen\""));
    }

    void missingFilesAreLeftOut()
    {
        const auto loaded = loadConfiguration({kBuiltIn, "/nonexistent/a.yaml", "/nonexistent/b.yaml"});
        QVERIFY(loaded);
        QVERIFY(!loaded->offline);
    }

    void schemaForEditorsAgreesWithTheLoader()
    {
        std::ifstream stream(AIFLOW_SOURCE_DIR "/resources/schemas/aiflow.schema.json");
        std::ostringstream text;
        text << stream.rdbuf();
        const auto json = parseJson(text.str());
        QVERIFY(json);
        const auto schema = JsonSchema::compile(*json);
        QVERIFY2(schema, schema ? "" : schema.error().message.c_str());
        const auto misfits = [&](const std::string& file) {
            return (*schema)->misfits(yamlToJson(**parseYaml(file, "x", Reason::ConfigInvalid)));
        };
        const auto good = misfits(kWorkspace);
        QVERIFY2(good.empty(), good.empty() ? "" : good.front().c_str());
        QVERIFY(!misfits("providers: { q: { accounts: { main: { key: sk-abc } } } }\n").empty());
        QVERIFY(!misfits("cpus: 3\n").empty());
        for (const auto& key : (*json)["properties"].items())
            QVERIFY2(!messages(key.key() + ": {}\n").contains("unknown key"), key.key().c_str());
        for (const auto& key : (*json)["definitions"]["provider"]["properties"].items())
            QVERIFY2(!messages("providers: { q: { " + key.key() + ": {} } }\n").contains("unknown key"),
                     key.key().c_str());
    }
};

QTEST_GUILESS_MAIN(ConfigFileTest)
#include "config_file_test.moc"
