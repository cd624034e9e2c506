#include "core/base/json.h"
#include "core/compute/op_registry.h"

#include <atomic>
#include <fstream>
#include <QtTest>
#include <thread>

using namespace aiflow;

namespace {

Json opJson(const std::string& name, const std::string& version)
{
    Json op = Json::parse(R"({"inputs": [{"name": "a", "type": "number"},
                                         {"name": "b", "type": "text", "required": false}],
                              "outputs": [{"name": "sum", "type": "number"}],
                              "params": [{"name": "plus", "type": "number", "default": 10}]})");
    op["name"] = name;
    op["version"] = version;
    return op;
}

Json manifest(const std::string& module, const std::vector<Json>& ops)
{
    return {{"module", module}, {"package", "aiflow-probe"}, {"ops", ops}};
}

std::string modulePath(const char* name) { return std::string(OP_MODULES) + "/" + name; }

Values numberA(double number)
{
    Values values;
    values.set("a", Value(Json(number)));
    return values;
}

} // namespace

class OpRegistryTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;

    std::filesystem::path folder(const char* name)
    {
        const auto path = std::filesystem::path(m_dir.path().toStdString()) / name;
        std::filesystem::create_directories(path);
        return path;
    }
    std::filesystem::path write(const char* folderName, const char* file, const std::string& text)
    {
        const auto path = folder(folderName);
        std::ofstream(path / file) << text;
        return path;
    }
    std::unique_ptr<OpRegistry> probes(const char* folderName, const std::vector<Json>& ops,
                                       const char* module = "probe_ops.so")
    {
        return OpRegistry::open({write(folderName, "probe.ops.json", manifest(modulePath(module), ops).dump())})
            .value();
    }

private Q_SLOTS:
    void opsAreKnownWithoutLoadingAnything()
    {
        const auto registry =
            OpRegistry::open({folder("none"), folder("empty") / "absent",
                              write("known", "x.ops.json",
                                    manifest("nowhere.so", {opJson("b.two", "1"), opJson("a.one", "2")}).dump())});
        QVERIFY(registry);
        QCOMPARE((*registry)->all().size(), std::size_t{2});
        QCOMPARE((*registry)->all().front()->name, std::string("a.one"));
        QCOMPARE((*registry)->find("a.one")->version, std::string("2"));
        QVERIFY((*registry)->find("a.one")->param("plus")->defaultValue != nullptr);
        QVERIFY((*registry)->find("a.three") == nullptr);
    }

    void defaultsAreFilledInAndGivenValuesWin()
    {
        const auto registry = probes("add", {opJson("probe.add", "3")});
        QCOMPARE(*registry->run("probe.add", numberA(1), Json::object(), {})->get("sum").json(), Json(11.0));
        QCOMPARE(*registry->run("probe.add", numberA(1), Json{{"plus", 2}}, {})->get("sum").json(), Json(3.0));
    }

    void unknownOpNamesTheNearestOne()
    {
        const auto failed = probes("near", {opJson("probe.add", "3")})->run("probe.ad", {}, {}, {});
        QVERIFY(failed.error().reason == Reason::PipelineInvalid);
        QCOMPARE(failed.error().hint, std::string("did you mean probe.add?"));
    }

    void wrongParametersAreRefused()
    {
        const auto registry = probes("params", {opJson("probe.add", "3")});
        const auto unknown = registry->run("probe.add", numberA(1), Json{{"pluss", 2}}, {});
        QCOMPARE(unknown.error().hint, std::string("did you mean plus?"));
        const auto misfit = registry->run("probe.add", numberA(1), Json{{"plus", "2"}}, {});
        QVERIFY(misfit.error().reason == Reason::PipelineInvalid);
        QVERIFY(QString::fromStdString(misfit.error().message).contains("plus must be of type number"));
    }

    void missingAndMisfittingInputsAreRefused()
    {
        const auto registry = probes("inputs", {opJson("probe.add", "3")});
        QVERIFY(registry->run("probe.add", {}, {}, {}).error().reason == Reason::InputFieldMissing);
        Values text;
        text.set("a", Value(Json("1")));
        QVERIFY(registry->run("probe.add", text, {}, {}).error().reason == Reason::InputFieldBad);
        Values extra = numberA(1);
        extra.set("c", Value(Json(1)));
        QVERIFY(registry->run("probe.add", extra, {}, {}).error().reason == Reason::PipelineInvalid);
        Values optional = numberA(1);
        optional.set("b", Value{});
        QVERIFY(registry->run("probe.add", optional, {}, {}));
    }

    void exceptionsBecomeErrorsWithTheOpsName()
    {
        const auto registry = probes("throw", {opJson("probe.throw", "1"), opJson("probe.memory", "1"),
                                               opJson("probe.number", "1"), opJson("probe.misfit", "1")});
        const auto thrown = registry->run("probe.throw", numberA(1), {}, {});
        QCOMPARE(thrown.error().message, std::string("probe.throw: the probe broke"));
        QVERIFY(registry->run("probe.memory", numberA(1), {}, {}).error().reason == Reason::ComputeOom);
        QVERIFY(registry->run("probe.number", numberA(1), {}, {}).error().reason == Reason::Internal);
        QVERIFY(registry->run("probe.misfit", numberA(1), {}, {}).error().reason == Reason::Internal);
    }

    void stoppedCallDoesNotRun()
    {
        std::stop_source stop;
        stop.request_stop();
        const auto failed =
            probes("stop", {opJson("probe.add", "3")})->run("probe.add", numberA(1), {}, stop.get_token());
        QVERIFY(failed.error().reason == Reason::Cancelled);
    }

    void missingModuleNamesFileAndPackage()
    {
        const auto registry =
            OpRegistry::open({write("missing", "x.ops.json", manifest("nowhere.so", {opJson("x.y", "1")}).dump())})
                .value();
        const auto failed = registry->run("x.y", numberA(1), {}, {});
        QVERIFY(failed.error().reason == Reason::ComputeModelMissing);
        QVERIFY(failed.error().message.find("nowhere.so") != std::string::npos);
        QCOMPARE(failed.error().hint, std::string("install the package aiflow-probe"));
    }

    void moduleThatIsNoLibraryIsRefused()
    {
        write("broken", "text.so", "this is text");
        const auto registry =
            OpRegistry::open({write("broken", "x.ops.json", manifest("text.so", {opJson("x.y", "1")}).dump())}).value();
        QVERIFY(registry->run("x.y", numberA(1), {}, {}).error().reason == Reason::ComputeModelMissing);
    }

    void moduleOfAnotherInterfaceIsRefused()
    {
        const auto failed =
            probes("old", {opJson("probe.add", "3")}, "old_ops.so")->run("probe.add", numberA(1), {}, {});
        QVERIFY(failed.error().reason == Reason::ComputeModelMissing);
        QVERIFY(failed.error().message.find("interface 0") != std::string::npos);
    }

    void moduleThatDoesNotMatchItsManifestIsRefused()
    {
        const auto version = probes("version", {opJson("probe.add", "4")})->run("probe.add", numberA(1), {}, {});
        QVERIFY(version.error().message.find("in version 3, its manifest says 4") != std::string::npos);
        const auto lacks = probes("lacks", {opJson("probe.absent", "1")})->run("probe.absent", numberA(1), {}, {});
        QVERIFY(lacks.error().message.find("lacks the op probe.absent") != std::string::npos);
    }

    void firstFolderWins()
    {
        const auto one = write("first", "x.ops.json", manifest("a.so", {opJson("x.y", "1")}).dump());
        const auto two = write("second", "x.ops.json", manifest("b.so", {opJson("x.y", "2")}).dump());
        QCOMPARE(OpRegistry::open({one, two}).value()->find("x.y")->version, std::string("1"));
        QCOMPARE(OpRegistry::open({two, one}).value()->find("x.y")->version, std::string("2"));
    }

    void badManifestsAreNamed_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("no json") << "{";
        QTest::newRow("no module") << R"({"ops":[]})";
        QTest::newRow("wrong type")
            << R"({"module":"a.so","ops":[{"name":"a","version":"1","inputs":[{"name":"x","type":"pixels"}],"outputs":[]}]})";
        QTest::newRow("default misfits")
            << R"({"module":"a.so","ops":[{"name":"a","version":"1","inputs":[],"outputs":[],"params":[{"name":"p","type":"number","default":"x"}]}]})";
        QTest::newRow("twice")
            << R"({"module":"a.so","ops":[{"name":"a","version":"1","inputs":[],"outputs":[]},{"name":"a","version":"1","inputs":[],"outputs":[]}]})";
    }
    void badManifestsAreNamed()
    {
        QFETCH(QString, text);
        const auto path = write("bad", "bad.ops.json", text.toStdString());
        const auto failed = OpRegistry::open({path});
        QVERIFY(!failed);
        QVERIFY(failed.error().reason == Reason::PipelineInvalid);
        QVERIFY(failed.error().message.find("bad.ops.json") != std::string::npos);
    }

    void manifestSetsTheEnvironmentButNeverOverTheUsers()
    {
        qputenv("AIFLOW_TEST_OF_USER", "mine");
        Json json = manifest("a.so", {});
        json["environment"] = {{"AIFLOW_TEST_OF_USER", "theirs"}, {"AIFLOW_TEST_NEW", "1"}};
        QVERIFY(OpRegistry::open({write("env", "x.ops.json", json.dump())}));
        QCOMPARE(qgetenv("AIFLOW_TEST_OF_USER"), QByteArray("mine"));
        QCOMPARE(qgetenv("AIFLOW_TEST_NEW"), QByteArray("1"));
    }

    void compiledInOpsRunBesideModules()
    {
        const auto registry = OpRegistry::open({}).value();
        Signature signature;
        signature.name = "noop";
        signature.version = "1";
        registry->add(signature, [](const OpCall&) -> Result<Values> { return Values{}; });
        QVERIFY(registry->run("noop", {}, {}, {}));
    }

    void manyThreadsLoadTheModuleOnce()
    {
        const auto registry = probes("threads", {opJson("probe.add", "3")});
        std::atomic<int> right = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&registry, &right, i] {
                for (int round = 0; round < 100; ++round)
                    if (*registry->run("probe.add", numberA(i), {}, {})->get("sum").json() == Json(i + 10.0)) ++right;
            });
        threads.clear();
        QCOMPARE(right.load(), 800);
    }
};

QTEST_GUILESS_MAIN(OpRegistryTest)
#include "op_registry_test.moc"
