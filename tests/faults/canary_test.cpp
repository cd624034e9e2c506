// A key that services refuse, echo and accept appears nowhere but in the environment it came from.
#include "tests/support/cli_sandbox/sandbox.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

#include <csignal>

using namespace aiflow::test;

namespace {

constexpr int kPatience = 20'000;
const QByteArray kCanary = "CANARY+k3y/7f1e=words-of-a-key";

const char* const kPipeline = "aiflow: 1\nname: canary\ninput:\n  id: sku\n  columns:\n    sku: { type: text }\n"
                              "steps:\n  say: { api: text, prompt: \"Describe {{item.sku}}\" }\n"
                              "outputs:\n  \"{{item.sku}}.txt\": $say.text\n";

// One service with two accounts: it refuses the first one's key and echoes it.
class Service {
public:
    explicit Service(const Sandbox& sandbox, const QJsonArray& faults)
    {
        const auto account = [](const char* name, const QByteArray& key) {
            return QJsonObject{{QStringLiteral("name"), QLatin1String(name)},
                               {QStringLiteral("key"), QString::fromLatin1(key)}};
        };
        const QJsonObject service{
            {QStringLiteral("name"), QStringLiteral("words")},
            {QStringLiteral("protocol"), QStringLiteral("openai")},
            {QStringLiteral("accounts"), QJsonArray{account("first", kCanary), account("second", kCanary + "-2")}},
            {QStringLiteral("models"),
             QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("m")}, {QStringLiteral("latency_ms"), 5}}}},
            {QStringLiteral("faults"), faults}};
        sandbox.write(QStringLiteral("world.json"),
                      QJsonDocument(QJsonObject{{QStringLiteral("services"), QJsonArray{service}}}).toJson());
        m_process.start(QStringLiteral(AIFLOW_BINARY_DIR "/tests/simulated_services"),
                        {sandbox.path(QStringLiteral("world.json"))});
        if (!m_process.waitForReadyRead(kPatience)) qFatal("the simulated service does not start");
        m_port = m_process.readLine().trimmed();
        // It holds the key by right, and has read it.
        QFile::remove(sandbox.path(QStringLiteral("world.json")));
    }
    ~Service()
    {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(kPatience)) m_process.kill();
        m_process.waitForFinished();
    }
    QByteArray port() const { return m_port; }

private:
    QProcess m_process;
    QByteArray m_port;
};

// Names the form in which the key stands in the text; empty: in none.
QByteArray traceIn(const QByteArray& text)
{
    const QByteArray bearer = "Bearer " + kCanary;
    const std::pair<const char*, QByteArray> forms[] = {
        {"raw", kCanary},
        {"in part", kCanary.left(12)},
        {"base64", kCanary.toBase64(QByteArray::OmitTrailingEquals).chopped(2)},
        {"base64 of the header", bearer.toBase64(QByteArray::OmitTrailingEquals).chopped(2)},
        {"url-encoded", kCanary.toPercentEncoding()},
        {"hex", kCanary.toHex()},
    };
    for (const auto& [name, form] : forms)
        if (text.contains(form)) return name;
    return {};
}

QByteArray traceBelow(const QString& folder, int& files)
{
    QDirIterator all(folder, QDir::Files | QDir::Hidden | QDir::System, QDirIterator::Subdirectories);
    while (all.hasNext()) {
        QFile file(all.next());
        if (!file.open(QIODevice::ReadOnly)) continue;
        ++files;
        const QByteArray trace = traceIn(file.readAll());
        if (!trace.isEmpty()) return file.fileName().toUtf8() + ": " + trace;
    }
    return {};
}

} // namespace

class CanaryTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keyThatIsEchoedAppearsNowhere();
    void keyAppearsNowhereAfterAKill();
    void providersTestShowsNoKey();

private:
    static void fill(const Sandbox& sandbox, const QByteArray& port);
    static QStringList batch(const Sandbox& sandbox, const QStringList& more);
    static void verifyClean(const Sandbox& sandbox, const CliEnd& end);
    const Environment m_keys{{QStringLiteral("CANARY_FIRST"), QString::fromLatin1(kCanary)},
                             {QStringLiteral("CANARY_SECOND"), QString::fromLatin1(kCanary + "-2")}};
    // Refused at first, with the key in the answer; then as always.
    const QJsonArray m_refusals{QJsonObject{{QStringLiteral("kind"), QStringLiteral("key_revoked")},
                                            {QStringLiteral("account"), QStringLiteral("first")}}};
};

void CanaryTest::fill(const Sandbox& sandbox, const QByteArray& port)
{
    QByteArray rows = "sku\n";
    for (int i = 0; i < 12; ++i) rows += "SKU-" + QByteArray::number(i) + "\n";
    sandbox.write(QStringLiteral("input/products.csv"), rows);
    sandbox.write(QStringLiteral("pipeline.yaml"), kPipeline);
    sandbox.write(
        QStringLiteral("aiflow.yaml"),
        "aiflow: 1\nproviders:\n  words:\n    protocol: openai\n    base_url: \"http://127.0.0.1:" + port +
            "/words\"\n    accounts:\n      first: { key: env:CANARY_FIRST }\n"
            "      second: { key: env:CANARY_SECOND }\n"
            "models:\n  m: { provider: words, price: { call: 0.001, currency: USD } }\nroutes:\n  text: [m]\n");
}

QStringList CanaryTest::batch(const Sandbox& sandbox, const QStringList& more)
{
    QStringList words =
        sandbox.batch(QStringList{QStringLiteral("--config"), sandbox.path(QStringLiteral("aiflow.yaml"))} + more);
    words.removeAll(QStringLiteral("--offline"));
    return words;
}

void CanaryTest::verifyClean(const Sandbox& sandbox, const CliEnd& end)
{
    int files = 0;
    const QByteArray below = traceBelow(sandbox.path(), files);
    QVERIFY2(below.isEmpty(), below.constData());
    QVERIFY(files > 5);
    const QByteArray told = traceIn(end.out + end.err);
    QVERIFY2(told.isEmpty(), (told + " in: " + end.text()).constData());
}

void CanaryTest::keyThatIsEchoedAppearsNowhere()
{
    const Sandbox sandbox;
    const Service service(sandbox, m_refusals);
    fill(sandbox, service.port());
    const CliEnd end = sandbox.run(batch(sandbox, {QStringLiteral("--output"), QStringLiteral("jsonl")}), m_keys);
    QVERIFY2(end.exitCode == 0, end.text().constData());
    QVERIFY2(end.out.contains("provider.auth"), end.text().constData()); // the echo was met
    verifyClean(sandbox, end);
}

// What a dead process leaves is not tidied up: spool, journal and its log.
void CanaryTest::keyAppearsNowhereAfterAKill()
{
    const Sandbox sandbox;
    const Service service(sandbox, m_refusals);
    fill(sandbox, service.port());
    Environment armed = m_keys;
    armed.append({QStringLiteral("AIFLOW_FAILPOINT"), QStringLiteral("after_response=kill:4")});
    const CliEnd end = sandbox.run(batch(sandbox, {QStringLiteral("--progress"), QStringLiteral("plain")}), armed);
    if (end.signal == 0) QSKIP("this build has no fault points");
    QCOMPARE(end.signal, SIGKILL);
    verifyClean(sandbox, end);
}

void CanaryTest::providersTestShowsNoKey()
{
    const Sandbox sandbox;
    const Service service(sandbox, {});
    fill(sandbox, service.port());
    Environment wrong = m_keys;
    wrong[1].second = QString::fromLatin1(kCanary + "-wrong");
    const CliEnd end =
        sandbox.run(sandbox.command({QStringLiteral("providers"), QStringLiteral("test"), QStringLiteral("--config"),
                                     sandbox.path(QStringLiteral("aiflow.yaml"))}),
                    wrong);
    QCOMPARE(end.exitCode, 4);
    const QByteArray told = traceIn(end.out + end.err);
    QVERIFY2(told.isEmpty(), (told + " in: " + end.text()).constData());
}

QTEST_GUILESS_MAIN(CanaryTest)
#include "canary_test.moc"
