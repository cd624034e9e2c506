#include "aiflow/rehearsal.h"
#include "core/base/json.h"
#include "core/facade/forecasting/chosen_order.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

constexpr const char* kServices = R"(aiflow: 1
providers:
  svc:
    protocol: openai
    base_url: https://svc.example.com/v1
    accounts:
      one: { key: env:ONE_KEY%1 }
      two: { key: env:TWO_KEY%1 }
models:
  writer: { provider: svc, options: { latency: 10s }, price: { input: 1, output: 2, currency: USD } }
  painter: { provider: svc, options: { latency: 40s }, price: { image: 0.01, currency: USD } }
routes:
  text: [writer]
  image: { kind: image, models: [painter] }
)";
constexpr const char* kPipeline = R"(aiflow: 1
name: scenes
title: { en: Scenes, zh: 场景 }
input:
  id: sku
  columns:
    title: { type: text, required: true }
steps:
  words:
    api: text
    request: { prompt: "A scene for {{item.sku}}" }
  scene:
    api: image
    request: { prompt: $words.text, size: 256x256 }
outputs:
  "{{item.sku}}.png": $scene.image
)";

class Rehearsed {
public:
    explicit Rehearsed(const QString& limits)
    {
        write("aiflow.yaml", QString(kServices).arg(limits));
        write("pipeline.yaml", kPipeline);
    }

    // The lines of the job's log that speak of the order.
    QStringList run(int items)
    {
        QString rows = "sku,title\n";
        for (int i = 0; i < items; ++i) rows += QString("P-%1,chair\n").arg(i);
        write("products.csv", rows);
        Surroundings where;
        where.stateDirectory = path("state");
        where.configFile = path("aiflow.yaml");
        where.logFile = path("job.log");
        RehearsalRequest request;
        request.batch.input = path("products.csv");
        request.batch.pipeline = path("pipeline.yaml");
        request.speed = 300;
        auto session = rehearse(where, request);
        if (!session) return {QString::fromStdString(session.error().text())};
        const auto report = (*session)->run({});
        if (!report || report->exitCode != 0) return {"the job failed"};
        session->reset();
        QFile log(QString::fromStdString(path("job.log").string()));
        if (!log.open(QIODevice::ReadOnly)) return {"no log"};
        return QString::fromUtf8(log.readAll()).split('\n').filter("items are called");
    }

private:
    std::filesystem::path path(const QString& name) const { return m_folder.filePath(name).toStdString(); }
    void write(const QString& name, const QString& text) const
    {
        QFile file(m_folder.filePath(name));
        if (file.open(QIODevice::WriteOnly)) file.write(text.toUtf8());
    }

    QTemporaryDir m_folder;
};

// Without files: a text of 15 s and a picture, by ten accounts at 4 calls a minute; two models of this machine, an op.
struct Work {
    Work()
    {
        pipeline.steps.resize(5);
        const char* names[] = {"words", "scene", "detect", "segment", "compose"};
        for (int i = 0; i < 5; ++i) {
            Step& step = pipeline.steps[static_cast<std::size_t>(i)];
            step.name = names[i];
            step.kind = i < 2 ? StepKind::Api : i < 4 ? StepKind::Model : StepKind::Op;
            step.target = i == 0 ? "text" : "image";
            if (i > 0) step.dependsOn = {StepIndex(i - 1)};
        }
        ProviderSettings provider;
        provider.name = "svc";
        for (int i = 0; i < 10; ++i) {
            AccountSettings account;
            account.name = account.scope = "svc/" + std::to_string(i);
            account.limits.windows = {{LimitUnit::Requests, 4, 1min}};
            provider.accounts.push_back(account);
        }
        settings.providers = {provider};
        settings.models.resize(2);
        settings.models[0].name = settings.models[0].remoteName = "writer";
        settings.models[1].name = settings.models[1].remoteName = "painter";
        settings.models[0].provider = settings.models[1].provider = 0;
        settings.models[0].options = std::make_shared<const Json>(Json{{"latency_ms", 15'000}});
        settings.routes.resize(2);
        settings.routes[0].name = "text";
        settings.routes[0].choices = {{0, 1}};
        settings.routes[1].name = "image";
        settings.routes[1].kind = RouteKind::Image;
        settings.routes[1].choices = {{1, 1}};
    }
    Pipeline pipeline;
    ApiSettings settings;
};

} // namespace

class ChosenOrderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aRehearsedJobWithLimitsIsTunedAndSaysSo()
    {
        const QStringList told = Rehearsed(", limits: { rpm: 4 }").run(24);
        QCOMPARE(told.size(), 1);
        QVERIFY2(told[0].contains("calling_items") && told[0].contains("plain_takes"), qPrintable(told[0]));
    }

    void aJobWithoutLimitsIsNot() { QCOMPARE(Rehearsed("").run(24), QStringList()); }

    void aShortJobIsNot() { QCOMPARE(Rehearsed(", limits: { rpm: 4 }").run(6), QStringList()); }

    void durationsAreToldOrGuessed()
    {
        const Work work;
        const ModelledFlow flow = modelled(work.pipeline, work.settings, {30, 4});
        QCOMPARE(flow.items, 30);
        QCOMPARE(flow.cpuPlaces, 4);
        QVERIFY(flow.steps[0].duration.median == 15s && !flow.steps[0].duration.guessed);
        QVERIFY(flow.steps[1].duration.median == 40s && flow.steps[1].duration.guessed);
        QVERIFY(flow.steps[2].duration.median == 500ms && flow.steps[2].lane == ModelledStep::Lane::Device);
        QCOMPARE(flow.steps[1].needs, std::vector<std::size_t>{0});
        QCOMPARE(flow.steps[1].images, 1);
    }

    void fanOutIsTakenFromThePipeline()
    {
        Work work;
        work.pipeline.params = std::make_shared<const Json>(Json{{"views", {"front", "back", "side"}}});
        work.pipeline.steps[1].forEach = Source{ParamValue{"views"}};
        QCOMPARE(modelled(work.pipeline, work.settings, {30, 4}).steps[1].fanOut, 3);
        work.pipeline.steps[1].forEach = Source{StepOutput{StepIndex(0), "list", {}}};
        QCOMPARE(modelled(work.pipeline, work.settings, {30, 4}).steps[1].fanOut, 1);
    }

    void limitsMakeAnOrderWorthChoosing()
    {
        Work work;
        work.settings.models[1].options = std::make_shared<const Json>(Json{{"latency_ms", 40'000}});
        work.settings.budgets.perJob = Money{Nanos(1), "USD"};
        const auto log = Log::nowhere();
        const ChosenOrder tuned = chooseOrder(work.pipeline, work.settings, {100, 8}, *log);
        QVERIFY(tuned.callingItems > 0 || tuned.stepLag > 0);
        for (AccountSettings& account : work.settings.providers[0].accounts) account.limits = {};
        const ChosenOrder plain = chooseOrder(work.pipeline, work.settings, {100, 8}, *log);
        QVERIFY(plain.callingItems == 0 && plain.stepLag == 0);
    }
};

QTEST_GUILESS_MAIN(ChosenOrderTest)
#include "chosen_order_test.moc"
