#include "aiflow/engine.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QTest>

#include <algorithm>

using namespace aiflow;
using namespace aiflow::test;

namespace {

constexpr int kGoodProducts = 8;

// A file of a shop that never heard of this program.
constexpr const char* kForeign = "货号,标题,主图,备注\nA-1,台灯,images/desk-lamp.jpg,\nA-2,书柜,images/bookcase.jpg,\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string lastJob(const Sandbox& sandbox) { return sandbox.job().section(QLatin1Char('/'), -1).toStdString(); }

} // namespace

class SessionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theSameBatchGoesOnWithAnUnfinishedJob();
    void aChangedInputStartsANewJobThatNamesTheOld();
    void freshLeavesTheUnfinishedJobBehind();
    void resumeRefusesAChangedInput();
    void resumeRefusesAChangedPipeline();
    void aFinishedJobIsNotTakenUpAgainButItsResultsAre();
    void correctedFailuresFindTheirJobAndCompleteItsList();
    void rowsOfOneIdAllStandInTheList();
    void chineseHeadersFindHeroImage();
    void columnsThatNoPipelineFindsAreNamed();

private:
    static Surroundings surroundings(const Sandbox& sandbox)
    {
        Surroundings where;
        where.stateDirectory = sandbox.path(QStringLiteral("state")).toStdString();
        where.configFile = sandbox.path(QStringLiteral("input/aiflow.yaml")).toStdString();
        return where;
    }
    // What Sandbox::batch() asks for.
    static BatchRequest request(const Sandbox& sandbox)
    {
        BatchRequest request;
        request.input = sandbox.path(QStringLiteral("input/products.csv")).toStdString();
        request.output = sandbox.path(QStringLiteral("out")).toStdString();
        request.pipeline = sandbox.path(QStringLiteral("pipeline.yaml")).toStdString();
        request.offline = true;
        return request;
    }
    // False: this build has no fault points.
    static bool killJob(const Sandbox& sandbox)
    {
        prepare(sandbox);
        return sandbox
                   .run(sandbox.batch(), {{QStringLiteral("AIFLOW_FAILPOINT"), QStringLiteral("after_commit=kill:5")}})
                   .signal != 0;
    }
    static void prepare(const Sandbox& sandbox)
    {
        sandbox.fill(kGoodProducts);
        sandbox.write(QStringLiteral("input/aiflow.yaml"), "aiflow: 1\n");
    }
};

void SessionTest::theSameBatchGoesOnWithAnUnfinishedJob()
{
    const Sandbox sandbox;
    if (!killJob(sandbox)) QSKIP("this build has no fault points");
    const auto session = JobSession::batch(surroundings(sandbox), request(sandbox));
    QVERIFY2(session, session ? "" : session.error().message.c_str());
    QVERIFY((*session)->preparation().resumed);
    QCOMPARE((*session)->preparation().job, lastJob(sandbox));
    const auto report = (*session)->run({});
    QVERIFY(report);
    QCOMPARE(report->exitCode, 3);
    QCOMPARE(report->snapshot.items[TaskState::Succeeded], kGoodProducts);
}

void SessionTest::aChangedInputStartsANewJobThatNamesTheOld()
{
    const Sandbox sandbox;
    if (!killJob(sandbox)) QSKIP("this build has no fault points");
    const std::string old = lastJob(sandbox);
    const QString csv = QStringLiteral("input/products.csv");
    sandbox.write(csv, sandbox.read(csv) + "P-9999,One more,images/bookcase.jpg\n");
    const auto session = JobSession::batch(surroundings(sandbox), request(sandbox));
    QVERIFY(session);
    const Preparation& told = (*session)->preparation();
    QVERIFY(!told.resumed && told.job != old);
    QVERIFY2(contains(told.leftBehind, "resume " + old) && contains(told.leftBehind, "other input"),
             told.leftBehind.c_str());
}

void SessionTest::freshLeavesTheUnfinishedJobBehind()
{
    const Sandbox sandbox;
    if (!killJob(sandbox)) QSKIP("this build has no fault points");
    const std::string old = lastJob(sandbox);
    BatchRequest fresh = request(sandbox);
    fresh.fresh = true;
    const auto session = JobSession::batch(surroundings(sandbox), fresh);
    QVERIFY(session);
    QVERIFY(!(*session)->preparation().resumed);
    QVERIFY(contains((*session)->preparation().leftBehind, old));
    const auto report = (*session)->run({});
    QVERIFY(report);
    QCOMPARE(report->tasksReused, 0);
}

void SessionTest::resumeRefusesAChangedInput()
{
    const Sandbox sandbox;
    if (!killJob(sandbox)) QSKIP("this build has no fault points");
    const QString csv = QStringLiteral("input/products.csv");
    sandbox.write(csv, sandbox.read(csv).replace("Product 0001", "Product one"));
    const auto session = JobSession::resume(surroundings(sandbox), "last", {});
    QVERIFY(!session);
    QVERIFY(session.error().reason == Reason::JobChanged);
    QCOMPARE(exitCodeOf(session.error()), 2);
    QVERIFY2(contains(session.error().message, "products.csv"), session.error().message.c_str());
}

void SessionTest::resumeRefusesAChangedPipeline()
{
    const Sandbox sandbox;
    if (!killJob(sandbox)) QSKIP("this build has no fault points");
    const QString file = QStringLiteral("pipeline.yaml");
    sandbox.write(file, sandbox.read(file).replace("width: 48", "width: 50"));
    const auto session = JobSession::resume(surroundings(sandbox), "last", {});
    QVERIFY(!session);
    QVERIFY(session.error().reason == Reason::JobChanged);
    QVERIFY2(contains(session.error().message, "pipeline.yaml"), session.error().message.c_str());
}

void SessionTest::aFinishedJobIsNotTakenUpAgainButItsResultsAre()
{
    const Sandbox sandbox;
    prepare(sandbox);
    QCOMPARE(sandbox.run(sandbox.batch()).exitCode, 3);
    const std::string old = lastJob(sandbox);
    const auto session = JobSession::batch(surroundings(sandbox), request(sandbox));
    QVERIFY(session);
    QVERIFY(!(*session)->preparation().resumed && (*session)->preparation().leftBehind.empty());
    QVERIFY((*session)->preparation().job != old);
    const auto report = (*session)->run({});
    QVERIFY(report);
    QCOMPARE(report->snapshot.items[TaskState::Cached], kGoodProducts);
    QCOMPARE(report->snapshot.items[TaskState::Failed], 2);
}

void SessionTest::correctedFailuresFindTheirJobAndCompleteItsList()
{
    const Sandbox sandbox;
    prepare(sandbox);
    QCOMPARE(sandbox.run(sandbox.batch()).exitCode, 3);
    const std::string old = lastJob(sandbox);
    const QByteArray good = sandbox.read(QStringLiteral("input/images/bookcase.jpg"));
    sandbox.write(QStringLiteral("input/images/none.jpg"), good);
    sandbox.write(QStringLiteral("input/images/desk-damaged.jpg"), good);

    BatchRequest again;
    again.input = sandbox.path(QStringLiteral("out/failures.csv")).toStdString();
    again.offline = true;
    const auto session = JobSession::batch(surroundings(sandbox), again);
    QVERIFY2(session, session ? "" : session.error().message.c_str());
    const Preparation& told = (*session)->preparation();
    QCOMPARE(told.total, 2);
    QCOMPARE(told.pipeline, std::string("faults"));
    QCOMPARE(told.output.string(), sandbox.path(QStringLiteral("out")).toStdString());
    QVERIFY(std::ranges::any_of(told.notes, [&](const std::string& note) { return contains(note, old); }));
    const auto report = (*session)->run({});
    QVERIFY(report);
    QCOMPARE(report->exitCode, 0);

    const QList<QByteArray> rows = sandbox.read(QStringLiteral("out/results.csv")).trimmed().split('\n');
    QCOMPARE(rows.size(), kGoodProducts + 3);
    for (int i = 0; i < kGoodProducts + 2; ++i) {
        QVERIFY2(rows[i + 1].startsWith("P-" + QByteArray::number(i).rightJustified(4, '0')), rows[i + 1].constData());
        QVERIFY2(rows[i + 1].contains("succeeded"), rows[i + 1].constData());
    }
}

void SessionTest::rowsOfOneIdAllStandInTheList()
{
    const Sandbox sandbox;
    prepare(sandbox);
    const QByteArray csv = sandbox.read(QStringLiteral("input/products.csv"));
    const QList<QByteArray> lines = csv.split('\n');
    sandbox.write(QStringLiteral("input/products.csv"), csv + lines[1] + "\n");
    const auto session = JobSession::batch(surroundings(sandbox), request(sandbox));
    QVERIFY2(session, session ? "" : session.error().text().c_str());
    const auto report = (*session)->run({});
    QVERIFY(report);
    const std::int64_t rows = csv.trimmed().split('\n').size(); // the header went, the doubled row came
    const QByteArray list = sandbox.read(QStringLiteral("out/results.csv"));
    QCOMPARE(std::int64_t{list.trimmed().split('\n').size()} - 1, rows);
}

void SessionTest::chineseHeadersFindHeroImage()
{
    const Sandbox sandbox;
    prepare(sandbox);
    sandbox.write(QStringLiteral("input/products.csv"), kForeign);
    BatchRequest plain = request(sandbox);
    plain.pipeline.reset();
    const auto session = JobSession::batch(surroundings(sandbox), plain);
    QVERIFY2(session, session ? "" : session.error().message.c_str());
    const Preparation& told = (*session)->preparation();
    QCOMPARE(told.pipeline, std::string("hero-image"));
    QVERIFY2(contains(told.pipelineChoice, "标题"), told.pipelineChoice.c_str());
    QCOMPARE(told.total, 2);
    for (const auto& [column, header] : {std::pair("sku", "货号"), {"title", "标题"}, {"image", "主图"}})
        QVERIFY2(std::ranges::find(told.columnMap, std::pair<std::string, std::string>(column, header)) !=
                     told.columnMap.end(),
                 column);
}

void SessionTest::columnsThatNoPipelineFindsAreNamed()
{
    const Sandbox sandbox;
    prepare(sandbox);
    sandbox.write(QStringLiteral("input/products.csv"), "sku,colour\nA-1,red\n");
    BatchRequest plain = request(sandbox);
    const auto asked = JobSession::batch(surroundings(sandbox), plain);
    QVERIFY(!asked && contains(asked.error().message, "title") && contains(asked.error().message, "image"));
    plain.pipeline.reset();
    const auto session = JobSession::batch(surroundings(sandbox), plain);
    QVERIFY(!session);
    QCOMPARE(exitCodeOf(session.error()), 2);
    QVERIFY2(contains(session.error().message, "hero-image needs title, image"), session.error().message.c_str());
    QVERIFY(contains(session.error().message, "colour"));
    QVERIFY(contains(session.error().hint, "--map"));
    QVERIFY2(sandbox.job().isEmpty(), "a job was left behind");
}

QTEST_GUILESS_MAIN(SessionTest)
#include "session_test.moc"
