#include "core/rehearsal/world/world_file.h"
#include "tests/core/rehearsal/stage.h"

#include <csignal>
#include <fstream>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

namespace {

constexpr int kPatienceMs = 10'000;

struct Program {
    explicit Program(const Json& world)
    {
        const std::string file = folder.filePath("world.json").toStdString();
        std::ofstream(file) << dumpJson(world);
        process.start(AIFLOW_BINARY_DIR "/tests/simulated_services", {QString::fromStdString(file)});
    }
    int port() { return process.waitForReadyRead(kPatienceMs) ? process.readLine().trimmed().toInt() : 0; }
    LoopbackAnswer ask(int port, const std::string& prompt) const
    {
        LoopbackClient client(port);
        return client.exchange("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question(prompt));
    }
    Verdict end()
    {
        process.waitForFinished(kPatienceMs);
        const auto verdict = readVerdict(*parseJson(process.readAllStandardOutput().toStdString()));
        return verdict ? *verdict : Verdict();
    }

    QTemporaryDir folder;
    QProcess process;
};

} // namespace

class ServicesProgramTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void servesUntilItsInputEndsThenTellsTheVerdict()
    {
        Program program(worldJson(worldWith(plainService())));
        const int port = program.port();
        QVERIFY(port > 0);
        QCOMPARE(program.ask(port, "a").status, 200);
        QCOMPARE(program.ask(port, "b").status, 200);
        program.process.closeWriteChannel();
        const Verdict verdict = program.end();
        QCOMPARE(verdict.executed, std::int64_t{2});
        QCOMPARE(program.process.exitCode(), 0);
    }

    void sigtermEndsItTooAndOpenCallsStandInTheLedger()
    {
        SimulatedWorld world = worldWith(plainService());
        world.services[0].models[0].latency.median = std::chrono::hours(1);
        const QTemporaryDir folder;
        const std::string ledger = folder.filePath("ledger.jsonl").toStdString();
        world.ledgerFile = ledger;
        Program slow(worldJson(world));
        const int port = slow.port();
        LoopbackClient client(port);
        client.send("POST", "/sim/v1/chat/completions", withKey("key-of-main"), question("a"));
        LoopbackClient second(port); // its answers show that the first call has arrived
        for (int i = 0; i < 10; ++i)
            QCOMPARE(second.exchange("GET", "/sim/v1/models", withKey("key-of-main")).status, 200);
        ::kill(static_cast<pid_t>(slow.process.processId()), SIGTERM);
        const Verdict verdict = slow.end();
        QCOMPARE(verdict.calls, std::int64_t{1});
        QCOMPARE(verdict.executed, std::int64_t{0});
        std::ifstream file(ledger);
        std::string line;
        std::string last;
        while (std::getline(file, line)) last = line;
        QVERIFY(last.find("still open at the end") != std::string::npos);
    }

    void aWorldThatCannotBeReadIsAnError()
    {
        Program program(Json{{"speed", "fast"}});
        QVERIFY(program.process.waitForFinished(kPatienceMs));
        QCOMPARE(program.process.exitCode(), 1);
        QVERIFY(program.process.readAllStandardError().contains("simulated world"));
    }
};

QTEST_GUILESS_MAIN(ServicesProgramTest)
#include "services_program_test.moc"
