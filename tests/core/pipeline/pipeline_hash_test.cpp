// Content hashes change with everything that can change a result, and with nothing else.
#include "tests/core/pipeline/test_catalog.h"

#include <QtTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

const std::string kSteps = "steps:\n"
                           "  d: { model: detector, inputs: { image: $item.image } }\n"
                           "  a: { api: text, prompt: \"{{item.title}} in {{params.canvas}}\" }\n"
                           "  s: { op: number.scale, inputs: { value: $item.width }, params: { by: 2 } }\n";

std::string hashOf(const TestCatalog& catalog, const std::string& steps, const char* step, LoadOptions options = {})
{
    const auto loaded = load(catalog, kHead + steps, std::move(options));
    return loaded ? loaded->find(step)->contentHash.hex() : loaded.error().text();
}

std::string with(std::string text, const std::string& from, const std::string& to)
{
    return text.replace(text.find(from), from.size(), to);
}

} // namespace

class PipelineHashTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatChangesAResultChangesTheHash()
    {
        const TestCatalog catalog;
        const std::string a = hashOf(catalog, kSteps, "a");
        const std::string d = hashOf(catalog, kSteps, "d");
        const std::string s = hashOf(catalog, kSteps, "s");
        QVERIFY(hashOf(catalog, with(kSteps, " in ", " on "), "a") != a);
        QVERIFY(hashOf(catalog, with(kSteps, "api: text,", "api: text, schema: { type: object },"), "a") != a);
        QVERIFY(hashOf(catalog, with(kSteps, "api: text,", "api: text, system: kind,"), "a") != a);
        QVERIFY(hashOf(catalog, kSteps, "a", {{{"canvas", "1600"}}}) != a);
        QVERIFY(hashOf(catalog, with(kSteps, "by: 2", "by: 3"), "s") != s);
        QVERIFY(hashOf(catalog, with(kSteps, "$item.width", "4"), "s") != s);
        TestCatalog newer;
        newer.models[0].version = "8";
        newer.identity = "/2";
        QVERIFY(hashOf(newer, kSteps, "d") != d);
        QVERIFY(hashOf(newer, kSteps, "a") != a);
    }

    void whatDoesNotChangeAResultKeepsTheHash()
    {
        const TestCatalog catalog;
        const std::string a = hashOf(catalog, kSteps, "a");
        const std::string s = hashOf(catalog, kSteps, "s");
        const std::string d = hashOf(catalog, kSteps, "d");
        QCOMPARE(
            hashOf(catalog,
                   with(kSteps, "api: text,", "api: text, title: x, retry: { attempts: 9 }, timeout: 1m, priority: 3,"),
                   "a"),
            a);
        QCOMPARE(hashOf(catalog, with(kSteps, "steps:\n", "steps: # a comment\n  first: { op: pass }\n"), "a"), a);
        QCOMPARE(hashOf(catalog, kSteps, "s", {{{"canvas", "1600"}}}), s);
        QCOMPARE(hashOf(catalog, with(kSteps, "  s: {", "  x: { op: pass, when: $item.title }\n  s: {"), "s"), s);
        // Another decoded picture renames the automatic step, not what it does.
        QCOMPARE(
            hashOf(catalog,
                   kSteps + "  i: { api: image, prompt: x }\n  e: { model: detector, inputs: { image: $i.image } }\n",
                   "d"),
            d);
        QCOMPARE(hashOf(catalog, kSteps, "a"), a);
    }

    void pipelineHashCoversOrderConditionsAndOutputs()
    {
        const TestCatalog catalog;
        const auto hash = [&](const std::string& text) { return load(catalog, kHead + text)->contentHash.hex(); };
        const std::string whole = hash(kSteps);
        QCOMPARE(hash(with(kSteps, "steps:\n", "steps: # said\n")), whole);
        QVERIFY(hash(with(kSteps, "api: text,", "api: text, when: $item.title,")) != whole);
        QVERIFY(hash(kSteps + "outputs: { \"{{item.sku}}.txt\": $a.text }\n") != whole);
        QVERIFY(hash("steps:\n  a: { op: pass }\n  b: { op: pass }\n") !=
                hash("steps:\n  b: { op: pass }\n  a: { op: pass }\n"));
    }
};

QTEST_GUILESS_MAIN(PipelineHashTest)
#include "pipeline_hash_test.moc"
