// The real program, its services in a process of their own, killed at every arrow of the protocol around a call.
#include "tests/support/cli_sandbox/journal_facts.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

#include <csignal>

using namespace aiflow::test;

namespace {

constexpr int kProducts = 8;
// Open calls at once: so many that those which were open at a kill, whose places stay taken for a while, hold up
// nobody.
constexpr int kPlaces = 32;
constexpr int kPatience = 20'000;

const char* const kPipeline =
    "aiflow: 1\nname: calls\ninput:\n  id: sku\n  columns:\n    sku: { type: text }\n"
    "    title: { type: text }\nsteps:\n"
    "  say: { api: text, prompt: \"Describe {{item.title}}\" }\n"
    "  draw: { api: image, prompt: \"Draw {{say.text}} for {{item.sku}}\", request: { size: 512x512 } }\n"
    "outputs:\n  \"{{item.sku}}.png\": $draw.image\n  \"{{item.sku}}.txt\": $say.text\n";

const QStringList kQuiet{QStringLiteral("--progress"), QStringLiteral("none")};

// Two services: texts by one POST (nobody can know after a crash), pictures as remote jobs (found by their ids).
class Services {
public:
    explicit Services(const Sandbox& sandbox)
    {
        const QJsonObject account{{QStringLiteral("name"), QStringLiteral("main")},
                                  {QStringLiteral("key"), QStringLiteral("sk-faults")}};
        const auto service = [&](const char* name, const char* protocol, const char* capability, int latency) {
            const QJsonObject model{
                {QStringLiteral("name"), QStringLiteral("m")},
                {QStringLiteral("latency_ms"), latency},
                {QStringLiteral("picture_bytes"), 200'000},
                {QStringLiteral("price"), QJsonObject{{QStringLiteral("per_call"), 1'000'000},
                                                      {QStringLiteral("currency"), QStringLiteral("USD")}}}};
            return QJsonObject{{QStringLiteral("name"), QLatin1String(name)},
                               {QStringLiteral("protocol"), QLatin1String(protocol)},
                               {QStringLiteral("capability"), QLatin1String(capability)},
                               {QStringLiteral("accounts"), QJsonArray{account}},
                               {QStringLiteral("models"), QJsonArray{model}}};
        };
        const QJsonObject world{{QStringLiteral("services"),
                                 QJsonArray{service("words", "openai", "D", 10), service("pictures", "openai", "D", 20),
                                            service("jobs", "remote-job", "C", 60)}}};
        sandbox.write(QStringLiteral("world.json"), QJsonDocument(world).toJson());
        m_process.start(QStringLiteral(AIFLOW_BINARY_DIR "/tests/simulated_services"),
                        {sandbox.path(QStringLiteral("world.json"))});
        if (!m_process.waitForReadyRead(kPatience)) qFatal("the simulated services do not start");
        m_port = m_process.readLine().trimmed();
    }
    ~Services()
    {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(kPatience)) m_process.kill();
        m_process.waitForFinished();
    }

    QByteArray baseUrl(const char* service) const { return "http://127.0.0.1:" + m_port + "/" + service; }
    // Ends them.
    QJsonObject verdict()
    {
        m_process.closeWriteChannel();
        m_process.waitForFinished(kPatience);
        return QJsonDocument::fromJson(m_process.readAllStandardOutput().trimmed()).object();
    }

private:
    QProcess m_process;
    QByteArray m_port;
};

} // namespace

class CallsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void killedAtEveryArrowOfACall_data();
    void killedAtEveryArrowOfACall();

private:
    static void fill(const Sandbox& sandbox, const Services& services, const QString& pictures);
};

void CallsTest::fill(const Sandbox& sandbox, const Services& services, const QString& pictures)
{
    QByteArray rows = "sku,title\n";
    for (int i = 0; i < kProducts; ++i)
        rows += "SKU-" + QByteArray::number(i) + ",chair number " + QByteArray::number(i) + "\n";
    sandbox.write(QStringLiteral("input/products.csv"), rows);
    sandbox.write(QStringLiteral("pipeline.yaml"), kPipeline);
    const auto provider = [&](const char* name, const char* protocol, const char* url) {
        return QByteArray("  ") + name + ": { protocol: " + protocol + ", base_url: \"" + services.baseUrl(url) +
               "\", timeout: 10s, accounts: { main: { key: env:FAULTS_KEY, limits: { concurrency: " +
               QByteArray::number(kPlaces) + " } } } }\n";
    };
    sandbox.write(QStringLiteral("aiflow.yaml"),
                  "aiflow: 1\nproviders:\n" + provider("words", "openai", "words") +
                      provider("pictures", "openai", "pictures") + provider("jobs", "remote-job", "jobs") +
                      "models:\n  text: { provider: words, model: m, price: { call: 0.001, currency: USD } }\n"
                      "  picture: { provider: pictures, model: m, price: { call: 0.001, currency: USD } }\n"
                      "  job: { provider: jobs, model: m, price: { call: 0.001, currency: USD } }\n"
                      "routes:\n  text: [text]\n  image: [" +
                      pictures.toUtf8() + "]\n");
}

void CallsTest::killedAtEveryArrowOfACall_data()
{
    QTest::addColumn<QString>("point");
    QTest::addColumn<QString>("pictures");
    for (const char* point :
         {"before_intent", "after_intent", "before_response", "after_spool_sync", "after_response", "before_adopt",
          "after_adopt", "before_task_commit", "after_task_commit", "before_pack_sync", "after_pack_sync"})
        for (const char* hit : {"=kill:1", "=kill:6"})
            QTest::addRow("%s%s", point, hit)
                << QString::fromLatin1(point) + QString::fromLatin1(hit) << QStringLiteral("picture");
    for (const char* point : {"before_remote_id=kill:2", "after_remote_id=kill:1", "after_remote_id=kill:5"})
        QTest::newRow(point) << QString::fromLatin1(point) << QStringLiteral("job");
}

void CallsTest::killedAtEveryArrowOfACall()
{
    QFETCH(QString, point);
    QFETCH(QString, pictures);
    const Sandbox sandbox;
    Services services(sandbox);
    fill(sandbox, services, pictures);
    const Environment key{{QStringLiteral("FAULTS_KEY"), QStringLiteral("sk-faults")}};
    Environment armed = key;
    armed.append({QStringLiteral("AIFLOW_FAILPOINT"), point});
    const QStringList config{QStringLiteral("--config"), sandbox.path(QStringLiteral("aiflow.yaml"))};
    QStringList batch = sandbox.batch(kQuiet + config);
    batch.removeAll(QStringLiteral("--offline"));
    const CliEnd first = sandbox.run(batch, armed);
    if (first.signal == 0 && first.exitCode == 0) QSKIP("this build has no fault points");
    QVERIFY2(first.signal == SIGKILL, first.text().constData());
    const AttemptFacts atKill = attemptFacts(sandbox.job());
    const CliEnd second = sandbox.run(sandbox.resume(kQuiet + config), key);
    QVERIFY2(second.exitCode == 0, (second.text() + sandbox.read(QStringLiteral("out/failures.csv"))).constData());
    const QByteArray broken = journalFacts(sandbox.job()).broken(kProducts);
    QVERIFY2(broken.isEmpty(), broken.constData());
    const AttemptFacts after = attemptFacts(sandbox.job());
    QCOMPARE(after.open + after.answered, 0);
    QCOMPARE(sandbox.results().size(), 2 * kProducts + 1); // and results.csv

    // No answer that came is asked for again; what was open may be, once.
    const QJsonObject verdict = services.verdict();
    const int executed = verdict.value(QStringLiteral("executed")).toInt();
    const auto repeats = executed - 2 * kProducts;
    const QByteArray told = QJsonDocument(verdict).toJson() + "open at the kill: " + QByteArray::number(atKill.open);
    QVERIFY2(repeats >= 0 && repeats <= atKill.open - atKill.withId, told.constData());
    QVERIFY2(atKill.open <= kProducts, told.constData());
}

QTEST_GUILESS_MAIN(CallsTest)
#include "calls_test.moc"
