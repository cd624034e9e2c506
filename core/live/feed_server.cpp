#include "core/live/feed_server.h"

#include "core/base/json.h"
#include "core/live/feed_backlog.h"
#include "core/live/feed_socket.h"
#include "core/live/feed_viewer.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace aiflow {

namespace {

namespace asio = boost::asio;
using Stream = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kFarewell = 500ms;
constexpr auto kAcceptRetry = 1s; // out of descriptors: try again when some may be free

// Signals belong to the program's own threads.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &m_before);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t m_before{};
};

// The feed's state and loop. The wakes of the job hold it weakly; everything else runs on the feed's thread.
class Feed final : public FeedHost, public std::enable_shared_from_this<Feed> {
public:
    Feed(LiveJob& job, CommandSink commands, FeedServer::Replay replay, FeedLimits limits)
        : m_job(job), m_commands(std::move(commands)), m_replay(std::move(replay)), m_limits(limits),
          m_work(asio::make_work_guard(m_context)), m_acceptor(m_context), m_acceptTimer(m_context),
          m_snapshotTimer(m_context), m_farewell(m_context)
    {
    }

    void listen(Descriptor listener)
    {
        m_acceptor.assign(Stream(), listener.release());
        m_events = m_job.subscribe([this](const EventLine& line) { receive(line); });
        m_backlog.startAfter(m_job.snapshot().lastSeq);
        accept();
    }

    void run() { m_context.run(); }
    int viewers() const { return m_viewerCount.load(); }

    // Any thread; run() returns soon after.
    void finish()
    {
        m_events.reset();
        asio::post(m_context, [this] { sayFarewell(); });
    }

    const FeedBacklog& backlog() const override { return m_backlog; }
    std::vector<EventLine> replay(std::int64_t fromSeq, std::int64_t limit) override
    {
        return m_replay ? m_replay(fromSeq, limit) : std::vector<EventLine>();
    }
    Result<Json> command(const Json& command) override
    {
        if (m_commands) return m_commands(command);
        return fail(Reason::UsageInvalid, "this job takes no commands");
    }
    void left(int viewer) override
    {
        // Not now: the viewer is in the middle of something.
        asio::post(m_context, [this, viewer] {
            m_viewers.erase(viewer);
            m_viewerCount = static_cast<int>(m_viewers.size());
            if (m_ending && m_viewers.empty()) stop();
        });
    }

private:
    // On publishing threads: one wake of the loop for however many events come before it runs.
    void receive(const EventLine& line)
    {
        SharedLine shared = lineOf(line.json);
        bool first = false;
        {
            const std::lock_guard lock(m_inboxMutex);
            first = m_inbox.empty();
            m_inbox.emplace_back(line.seq, std::move(shared));
        }
        if (first) asio::post(m_context, [this] { takeInbox(); });
    }

    void takeInbox()
    {
        std::vector<std::pair<std::int64_t, SharedLine>> inbox;
        {
            const std::lock_guard lock(m_inboxMutex);
            inbox.swap(m_inbox);
        }
        for (auto& [seq, line] : inbox) {
            m_backlog.add(seq, std::move(line));
            forEachViewer([](FeedViewer& viewer) { viewer.follow(); });
        }
    }

    template <typename Act> void forEachViewer(Act act)
    {
        for (const auto& [id, viewer] : m_viewers) act(*viewer);
    }

    void accept()
    {
        m_acceptor.async_accept([this](ErrorCode error, Stream::socket socket) {
            if (!m_acceptor.is_open()) return;
            if (!error) {
                welcome(std::move(socket));
                accept();
                return;
            }
            m_acceptTimer.expires_after(kAcceptRetry);
            m_acceptTimer.async_wait([this](ErrorCode cancelled) {
                if (!cancelled) accept();
            });
        });
    }

    void welcome(Stream::socket socket)
    {
        if (!peerIsSameUser(socket.native_handle())) return;
        ErrorCode error;
        const int descriptor = socket.release(error);
        if (error) return;
        const int id = m_nextViewer++;
        const auto viewer = FeedViewer::make(id, m_context, descriptor, *this, m_limits);
        m_viewers.emplace(id, viewer);
        m_viewerCount = static_cast<int>(m_viewers.size());
        const std::uint64_t revision = m_job.revision();
        const std::string snapshot = toJson(m_job.snapshot());
        viewer->start(lineOf(R"({"type":"hello","v":1,"seq":)" + std::to_string(m_backlog.lastSeq()) +
                             R"(,"snapshot":)" + snapshot + '}'));
        watchJob(revision);
    }

    // Asks the job to call when it changed, unless somebody waits for that already.
    void watchJob(std::uint64_t revision)
    {
        if (std::exchange(m_watching, true)) return;
        m_job.wakeAfter(revision, [weak = weak_from_this()] {
            if (const auto self = weak.lock())
                asio::post(self->m_context, [feed = self.get()] { feed->scheduleSnapshot(); });
        });
    }

    void scheduleSnapshot()
    {
        if (m_viewers.empty() || m_ending) {
            m_watching = false;
            return;
        }
        m_snapshotTimer.expires_at(m_lastSnapshot + m_limits.snapshotEvery);
        m_snapshotTimer.async_wait([this](ErrorCode error) {
            m_watching = false;
            if (!error && !m_ending) sendSnapshot();
        });
    }

    void sendSnapshot()
    {
        if (m_viewers.empty()) return;
        m_lastSnapshot = SteadyClock::now();
        const std::uint64_t revision = m_job.revision();
        const SharedLine line = lineOf(R"({"type":"snapshot","v":1,"snapshot":)" + toJson(m_job.snapshot()) + '}');
        forEachViewer([&](FeedViewer& viewer) { viewer.offerSnapshot(line); });
        if (m_lastSnapshot - m_lastProgress >= m_limits.progressEvery) {
            m_lastProgress = m_lastSnapshot;
            const SharedLine progress = lineOf(m_job.progress().json);
            forEachViewer([&](FeedViewer& viewer) { viewer.offerProgress(progress); });
        }
        watchJob(revision);
    }

    void sayFarewell()
    {
        takeInbox();
        sendSnapshot();
        m_ending = true;
        ErrorCode ignored;
        m_acceptor.close(ignored);
        m_acceptTimer.cancel();
        m_snapshotTimer.cancel();
        if (m_viewers.empty()) {
            stop();
            return;
        }
        m_farewell.expires_after(kFarewell);
        m_farewell.async_wait([this](ErrorCode error) {
            if (!error) stop();
        });
        forEachViewer([](FeedViewer& viewer) { viewer.closeWhenSent(); });
    }

    void stop()
    {
        m_work.reset();
        m_context.stop();
    }

    LiveJob& m_job;
    const CommandSink m_commands;
    const FeedServer::Replay m_replay;
    const FeedLimits m_limits;

    asio::io_context m_context{1};
    asio::executor_work_guard<asio::io_context::executor_type> m_work;
    Stream::acceptor m_acceptor;
    asio::steady_timer m_acceptTimer;
    asio::steady_timer m_snapshotTimer;
    asio::steady_timer m_farewell;
    FeedBacklog m_backlog;
    std::map<int, std::shared_ptr<FeedViewer>> m_viewers;
    int m_nextViewer = 1;
    std::atomic<int> m_viewerCount{0};
    SteadyClock::time_point m_lastSnapshot{};
    SteadyClock::time_point m_lastProgress{};
    bool m_watching = false;
    bool m_ending = false;

    std::mutex m_inboxMutex;
    std::vector<std::pair<std::int64_t, SharedLine>> m_inbox; // guarded by m_inboxMutex
    Subscription m_events;
};

class ThreadedFeedServer final : public FeedServer {
public:
    ThreadedFeedServer(std::filesystem::path socket, std::shared_ptr<Feed> feed)
        : m_socket(std::move(socket)), m_feed(std::move(feed))
    {
        const SignalsBlocked quiet;
        m_thread = std::thread([this] { m_feed->run(); });
    }

    ~ThreadedFeedServer() override
    {
        m_feed->finish();
        m_thread.join();
        removeSocket(m_socket);
    }

    int viewers() const override { return m_feed->viewers(); }

private:
    const std::filesystem::path m_socket;
    const std::shared_ptr<Feed> m_feed;
    std::thread m_thread;
};

} // namespace

Result<std::unique_ptr<FeedServer>> FeedServer::start(const std::filesystem::path& socket, LiveJob& job,
                                                      CommandSink commands, Replay replay, FeedLimits limits)
{
    auto listener = listenAt(socket);
    if (!listener) return tl::unexpected(listener.error());
    const auto feed = std::make_shared<Feed>(job, std::move(commands), std::move(replay), limits);
    feed->listen(std::move(*listener));
    return std::make_unique<ThreadedFeedServer>(socket, feed);
}

} // namespace aiflow
