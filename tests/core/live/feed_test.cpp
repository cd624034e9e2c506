#include "aiflow/job_event.h"
#include "core/base/json.h"
#include "core/live/feed_client.h"
#include "core/live/feed_server.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <QTemporaryDir>
#include <QTest>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 20s; // a limit for a condition, never waited out when all is well

// The journal's part: what was written so far, given out from another thread.
class Record {
public:
    void write(const EventLine& line)
    {
        const std::lock_guard lock(m_mutex);
        m_lines.push_back(line);
    }
    // Like a journal that is always `m_behind` events late.
    std::vector<EventLine> from(std::int64_t seq, std::int64_t limit) const
    {
        const std::lock_guard lock(m_mutex);
        std::vector<EventLine> some;
        const auto known = static_cast<std::int64_t>(m_lines.size()) - m_behind;
        for (std::int64_t i = seq - 1; i < known && std::ssize(some) < limit; ++i)
            some.push_back(m_lines[static_cast<std::size_t>(i)]);
        return some;
    }
    void setBehind(std::int64_t events) { m_behind = events; }

private:
    mutable std::mutex m_mutex;
    std::vector<EventLine> m_lines;
    std::int64_t m_behind = 0;
};

struct Stage {
    explicit Stage(CommandSink sink = {}, FeedLimits limits = {}, std::string folder = "jobs")
        : job(LiveJob::create(identity(), clock, [this](const EventLine& line) { record.write(line); })),
          socket(std::filesystem::path(directory.path().toStdString()) / folder / "feed.sock")
    {
        std::filesystem::create_directories(socket.parent_path());
        auto started = FeedServer::start(
            socket, *job, std::move(sink),
            [this](std::int64_t seq, std::int64_t limit) { return record.from(seq, limit); }, limits);
        if (!started) qFatal("%s", started.error().message.c_str());
        server = std::move(*started);
    }

    static LiveIdentity identity()
    {
        LiveIdentity identity;
        identity.job = "7f3a9c";
        identity.total = 1'000'000;
        identity.steps.emplace_back().name = "load";
        return identity;
    }

    std::unique_ptr<FeedClient> viewer() const
    {
        auto client = FeedClient::connect(socket);
        return client ? std::move(*client) : nullptr;
    }

    void publish(int events, const std::string& message = {}) const
    {
        ItemOutcome outcome;
        outcome.id = "SKU";
        outcome.message = message;
        for (int i = 0; i < events; ++i) job->itemFinished(outcome);
    }

    QTemporaryDir directory;
    SystemClock clock;
    Record record;
    std::unique_ptr<LiveJob> job;
    std::filesystem::path socket;
    std::unique_ptr<FeedServer> server;
};

Json nextLine(FeedClient& viewer)
{
    const auto line = viewer.readLine(kPatience);
    if (!line || !*line) return Json::object();
    return parseJson(**line).value_or(Json::object());
}

// The next line of a type; an empty object when the patience ran out or the connection ended.
Json nextOf(FeedClient& viewer, const std::string& type)
{
    while (true) {
        Json line = nextLine(viewer);
        if (line.empty() || line.value("type", "") == type) return line;
    }
}

} // namespace

class FeedTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aViewerIsGreetedWithASnapshotAndThenHearsEvents()
    {
        const Stage stage;
        stage.publish(5);
        const auto viewer = stage.viewer();
        QVERIFY(viewer != nullptr);
        const Json hello = nextLine(*viewer);
        QCOMPARE(hello.value("type", ""), std::string("hello"));
        QCOMPARE(hello["snapshot"]["job"].get<std::string>(), std::string("7f3a9c"));
        const auto seen = hello["seq"].get<std::int64_t>();
        stage.publish(3);
        for (std::int64_t seq = seen + 1; seq <= 8; ++seq)
            QCOMPARE(nextOf(*viewer, "item_finished")["seq"].get<std::int64_t>(), seq);
    }

    void aLongFolderNameIsNoObstacle()
    {
        const Stage stage({}, {}, std::string(120, 'd') + "/" + std::string(120, 'e'));
        QCOMPARE(nextLine(*stage.viewer()).value("type", ""), std::string("hello"));
    }

    void onlyTheOwnerMayConnect()
    {
        const Stage stage;
        struct stat status {};
        QCOMPARE(::stat(stage.socket.c_str(), &status), 0);
        QCOMPARE(status.st_mode & 0777U, 0600U);
    }

    void nobodyListeningIsJobNotFound()
    {
        const QTemporaryDir directory;
        const auto client = FeedClient::connect(directory.path().toStdString() + "/feed.sock");
        QVERIFY(!client);
        QCOMPARE(client.error().reason, Reason::JobNotFound);
    }

    void theSocketOfADeadProcessIsReplaced()
    {
        Stage stage;
        stage.server.reset();
        QVERIFY(!std::filesystem::exists(stage.socket));
        const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, stage.socket.c_str(), sizeof address.sun_path - 1);
        QCOMPARE(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ::close(dead);
        QVERIFY(std::filesystem::exists(stage.socket));
        auto again = FeedServer::start(stage.socket, *stage.job, {}, {});
        QVERIFY(again.has_value());
        QCOMPARE(nextLine(*stage.viewer()).value("type", ""), std::string("hello"));
    }

    void anUnwritableFolderIsOutputDenied()
    {
        ManualClock clock;
        const auto job = LiveJob::create(Stage::identity(), clock, {});
        const auto server = FeedServer::start("/nowhere/at/all/feed.sock", *job, {}, {});
        QVERIFY(!server);
        QCOMPARE(server.error().reason, Reason::OutputDenied);
    }

    void commandsAreAnsweredWithTheirId()
    {
        const Stage stage([](const Json& command) -> Result<Json> {
            if (command["command"] == "pause") return Json{{"text", "pausing"}};
            return fail(Reason::UsageInvalid, "no such command", "try pause");
        });
        const auto viewer = stage.viewer();
        QVERIFY(viewer->send({{"command", "pause"}, {"id", 7}}).has_value());
        Json answer = nextOf(*viewer, "answer");
        QCOMPARE(answer["id"].get<int>(), 7);
        QCOMPARE(answer["ok"].get<bool>(), true);
        QCOMPARE(answer["result"]["text"].get<std::string>(), std::string("pausing"));
        QVERIFY(viewer->send({{"command", "fly"}, {"id", "x"}}).has_value());
        answer = nextOf(*viewer, "answer");
        QCOMPARE(answer["ok"].get<bool>(), false);
        QCOMPARE(answer["error"].get<std::string>(), std::string("no such command"));
        QCOMPARE(answer["hint"].get<std::string>(), std::string("try pause"));
        for (const Json& wrong : {Json(), Json(7), Json::array({1}), Json{{"command", "events"}}}) {
            QVERIFY(viewer->send(wrong).has_value());
            QCOMPARE(nextOf(*viewer, "answer")["ok"].get<bool>(), false);
        }
    }

    void aLateJoinerGetsEveryEventOnceInOrder()
    {
        Stage stage;
        stage.publish(30'000); // more than the feed remembers by itself
        stage.record.setBehind(50);
        std::atomic<bool> stop{false};
        std::jthread publisher([&] {
            while (!stop) {
                stage.publish(20);
                std::this_thread::yield();
            }
        });
        const auto viewer = stage.viewer();
        QVERIFY(viewer->followFrom(1).has_value());
        std::int64_t expected = 1;
        while (expected <= 40'000) {
            const auto line = viewer->readLine(kPatience);
            QVERIFY(line.has_value() && line->has_value());
            const std::string head = R"({"v":1,"seq":)" + std::to_string(expected) + ",";
            if ((*line)->starts_with(R"({"v":1,"seq":)")) {
                QVERIFY2((*line)->starts_with(head), (*line)->c_str());
                ++expected;
            }
        }
        stop = true;
    }

    void snapshotsFollowChangesAndTheLastOneIsTheTruth()
    {
        const Stage stage({}, {.snapshotEvery = 1ms});
        const auto viewer = stage.viewer();
        QCOMPARE(nextLine(*viewer).value("type", ""), std::string("hello"));
        for (int i = 0; i < 500; ++i) stage.job->taskMoved(StepIndex{0}, TaskState::Queued, TaskState::Succeeded);
        std::int64_t done = 0;
        while (done < 500) {
            const Json snapshot = nextOf(*viewer, "snapshot");
            QVERIFY(!snapshot.empty());
            done = snapshot["snapshot"]["steps"][0]["counts"].value("succeeded", 0);
        }
        QCOMPARE(done, 500);
    }

    void severalViewersHearTheSame()
    {
        const Stage stage;
        std::vector<std::unique_ptr<FeedClient>> viewers;
        for (int i = 0; i < 8; ++i) viewers.push_back(stage.viewer());
        for (const auto& viewer : viewers) QCOMPARE(nextLine(*viewer).value("type", ""), std::string("hello"));
        stage.publish(100);
        for (const auto& viewer : viewers)
            for (int seq = 1; seq <= 100; ++seq) QCOMPARE(nextOf(*viewer, "item_finished")["seq"].get<int>(), seq);
        QCOMPARE(stage.server->viewers(), 8);
    }

    void aViewerThatDoesNotReadIsClosedAndOthersGoOn()
    {
        const Stage stage({}, {.owedBytes = 256U << 10U});
        const auto slow = stage.viewer();
        const auto quick = stage.viewer();
        QCOMPARE(nextLine(*quick).value("type", ""), std::string("hello"));
        int seq = 0;
        while (stage.server->viewers() != 1) {
            stage.publish(1, std::string(1000, 'm'));
            QCOMPARE(nextOf(*quick, "item_finished")["seq"].get<int>(), ++seq);
            QVERIFY(seq < 20'000);
        }
        while (const auto line = slow->readLine(kPatience)) QVERIFY(line->has_value());
        stage.publish(1);
        QCOMPARE(nextOf(*quick, "item_finished")["seq"].get<int>(), ++seq);
    }

    void aStalledViewerIsClosedAfterItsTime()
    {
        const Stage stage({}, {.owedBytes = 64U << 20U, .stall = 50ms});
        const auto slow = stage.viewer();
        QCOMPARE(nextLine(*slow).value("type", ""), std::string("hello"));
        stage.publish(2'000, std::string(1000, 'm')); // more than the socket holds
        QTRY_COMPARE_WITH_TIMEOUT(stage.server->viewers(), 0, 20'000);
    }

    void viewersMayComeAndGo()
    {
        const Stage stage;
        std::atomic<bool> stop{false};
        std::jthread publisher([&] {
            while (!stop) stage.publish(1);
        });
        for (int i = 0; i < 200; ++i) {
            const auto viewer = stage.viewer();
            QVERIFY(viewer != nullptr);
            if (i % 3 != 0) QCOMPARE(nextLine(*viewer).value("type", ""), std::string("hello"));
        }
        stop = true;
        QTRY_COMPARE_WITH_TIMEOUT(stage.server->viewers(), 0, 20'000);
    }

    void theLastWordsArriveBeforeTheEnd()
    {
        Stage stage;
        const auto viewer = stage.viewer();
        QCOMPARE(nextLine(*viewer).value("type", ""), std::string("hello"));
        stage.job->jobFinished(JobState::Succeeded, 0);
        stage.server.reset();
        QVERIFY(!nextOf(*viewer, "job_finished").empty());
        const Json last = nextOf(*viewer, "snapshot");
        QCOMPARE(last["snapshot"]["state"].get<std::string>(), std::string("succeeded"));
        QVERIFY(!viewer->readLine(kPatience) || !viewer->readLine(kPatience));
        QVERIFY(!std::filesystem::exists(stage.socket));
    }
};

QTEST_GUILESS_MAIN(FeedTest)
#include "feed_test.moc"
