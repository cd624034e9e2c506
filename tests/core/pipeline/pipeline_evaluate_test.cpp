// References, templates and conditions against the values of one task.
#include "core/pipeline/evaluate.h"
#include "core/pipeline/template.h"
#include "tests/core/pipeline/test_catalog.h"

#include <map>
#include <QtTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

class TaskValues final : public ValueLookup {
public:
    Seen field(std::string_view column) const override { return seen(fields, std::string(column)); }
    Seen output(StepIndex step, std::string_view port) const override
    {
        if (pictures.contains(step.value())) return {true, nullptr};
        return seen(outputs, std::to_string(step.value()) + "." + std::string(port));
    }
    Seen each() const override { return {!element.is_null(), element.is_null() ? nullptr : &element}; }
    std::int64_t eachIndex() const override { return 2; }

    std::map<std::string, Json> fields{{"title", "Red <mug> {{item.sku}}"}, {"sku", "A1"}, {"width", 12}};
    std::map<std::string, Json> outputs;
    std::map<int, bool> pictures;
    Json element;

private:
    static Seen seen(const std::map<std::string, Json>& all, const std::string& key)
    {
        const auto found = all.find(key);
        return found == all.end() ? Seen{} : Seen{true, &found->second};
    }
};

Pipeline pipelineOf(const std::string& steps)
{
    static const TestCatalog catalog;
    auto loaded = load(catalog, kHead + ("steps:\n" + steps));
    if (!loaded) qFatal("%s", loaded.error().text().c_str());
    return std::move(*loaded);
}

Json valueOf(const std::string& written, const TaskValues& values)
{
    const Pipeline pipeline =
        pipelineOf("  s: { op: pass }\n  a: { op: pass, needs: s, inputs: { value: " + written + " } }\n");
    const auto value = evaluate(pipeline.find("a")->inputs[0].second, pipeline, values);
    return value ? *value : Json("error: " + value.error().message);
}

bool holds(const std::string& condition, const TaskValues& values)
{
    const Pipeline pipeline = pipelineOf("  s: { op: pass }\n  a: { op: pass, needs: s, when: " + condition + " }\n");
    return evaluate(*pipeline.find("a")->when, pipeline, values).value();
}

} // namespace

class PipelineEvaluateTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void referencesGiveTheirValues()
    {
        TaskValues values;
        values.outputs["0.value"] = Json{{"list", {1, {{"x", "deep"}}}}};
        QCOMPARE(valueOf("$item.width", values), Json(12));
        QCOMPARE(valueOf("$s.value.list.1.x", values), Json("deep"));
        QCOMPARE(valueOf("$s.value.list.9.x", values), Json());
        QCOMPARE(valueOf("$params.style.tone", values), Json("warm"));
        QCOMPARE(valueOf("{ w: $item.width, l: [1, $item.sku] }", values), (Json{{"w", 12}, {"l", {1, "A1"}}}));
        values.pictures[0] = true;
        QVERIFY(valueOf("[$s.value]", values).get<std::string>().starts_with("error: $s.value is an image or a file"));
    }

    void templatesAreExpandedOnceAndNothingIsEscaped()
    {
        TaskValues values;
        values.outputs["0.value"] = Json{{"tags", {"a", "b"}}, {"boxes", {{{"x", 1}}, {{"x", 2}}}}, {"no", false}};
        QCOMPARE(valueOf("\"T: {{item.title}}\"", values), Json("T: Red <mug> {{item.sku}}"));
        QCOMPARE(valueOf("\"{{#s.value.tags}}{{.}},{{/s.value.tags}}\"", values), Json("a,b,"));
        QCOMPARE(valueOf("\"{{#s.value.boxes}}{{x}}/{{item.sku}} {{/s.value.boxes}}\"", values), Json("1/A1 2/A1 "));
        QCOMPARE(
            valueOf("\"{{s.value.no}} {{#item.image}}pic{{/item.image}}{{^item.image}}none{{/item.image}}\"", values),
            Json("false none"));
        QCOMPARE(valueOf("\"{{item.width}} {{params.canvas}} {{item.image}}.\"", values), Json("12 2000 ."));
    }

    void conditionsHold_data()
    {
        QTest::addColumn<QString>("condition");
        QTest::addColumn<bool>("expected");
        const auto row = [](const char* text, bool expected) { QTest::newRow(text) << QString(text) << expected; };
        row("$item.title", true);
        row("$item.image", false);
        row("{ equals: [$item.width, 12.0] }", true);
        row("{ equals: [$item.width, \"12\"] }", false);
        row("{ less: [$item.width, 13] }", true);
        row("{ greater: [$item.width, 13] }", false);
        row("{ less: [$item.image, 13] }", false);
        row("{ in: [$item.sku, [B2, A1]] }", true);
        row("{ matches: [$item.title, \"^Red .*>\"] }", true);
        row("{ matches: [$item.title, \"(?i)MUG\"] }", true);
        row("{ matches: [$item.image, \".*\"] }", false);
        row("{ not: $item.title }", false);
        row("{ all: [$item.title, { not: $item.image }] }", true);
        row("{ any: [$item.image, { equals: [$item.sku, B2] }] }", false);
        row("{ not: { any: [$item.image] } }", true);
        row("$s.value", true);
    }
    void conditionsHold()
    {
        QFETCH(QString, condition);
        QFETCH(bool, expected);
        TaskValues values;
        values.pictures[0] = true;
        QCOMPARE(holds(condition.toStdString(), values), expected);
    }

    void elementsAndTheirPlaceAreKnownWithinAFanOut()
    {
        const Pipeline pipeline = pipelineOf(
            "  a: { op: pass, for_each: [{ n: 1 }, { n: 2 }], inputs: { value: \"{{each.n}} at {{each_index}}\" } }\n");
        TaskValues values;
        values.element = Json{{"n", 7}};
        QCOMPARE(evaluate(pipeline.steps[0].inputs[0].second, pipeline, values).value(), Json("7 at 2"));
    }

    void plainReferencesAreToldFromTheRest()
    {
        const Pipeline pipeline = pipelineOf("  a: { op: pass, inputs: { value: $item.image } }\n"
                                             "  b: { op: pass, inputs: { value: $a.value } }\n"
                                             "  c: { op: pass, inputs: { value: $a.value.x } }\n");
        QVERIFY(isPlainReference(pipeline.find("a")->inputs[0].second));
        QVERIFY(isPlainReference(pipeline.find("b")->inputs[0].second));
        QVERIFY(!isPlainReference(pipeline.find("c")->inputs[0].second));
    }

    void patternThatNeverEndsIsStopped()
    {
        const auto pattern = RegularExpression::compile("(a+)+$");
        QVERIFY(pattern);
        const auto found = (*pattern)->search(std::string(64, 'a') + "b");
        QVERIFY(!found);
        QCOMPARE(found.error().reason, Reason::PipelineInvalid);
    }

    void templateTellsItsNamesAndWhereTheyStand()
    {
        const auto compiled = CompiledTemplate::compile("a {{x.y}}\n{{#list}}{{z}}{{^w}}{{v}}{{/w}}{{/list}}");
        QVERIFY(compiled);
        QStringList names;
        for (const auto& variable : (*compiled)->variables())
            names += QString::fromStdString(variable.path.front()) + (variable.insideSection ? "+" : "") +
                     QString::number(variable.line);
        QCOMPARE(names.join(' '), QString("x1 list2 z+2 w+2 v+2"));
    }
};

QTEST_GUILESS_MAIN(PipelineEvaluateTest)
#include "pipeline_evaluate_test.moc"
