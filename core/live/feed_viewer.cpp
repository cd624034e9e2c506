#include "core/live/feed_viewer.h"

#include "core/base/json.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <deque>
#include <istream>
#include <utility>

namespace aiflow {

namespace {

namespace asio = boost::asio;
using Stream = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::size_t kLongestCommand = 64U << 10U;
constexpr std::size_t kReplayAhead = 256U << 10U; // bytes of replay that wait for the viewer at once
constexpr std::int64_t kReplayBatch = 500;
constexpr auto kReplayRetry = 20ms; // the journal writes in groups of that age
constexpr int kReplayPatience = 250;
constexpr std::size_t kMostBuffers = 64;

class SocketViewer final : public FeedViewer, public std::enable_shared_from_this<SocketViewer> {
public:
    SocketViewer(int id, Stream::socket socket, FeedHost& host, const FeedLimits& limits)
        : m_id(id), m_socket(std::move(socket)), m_stall(m_socket.get_executor()), m_retry(m_socket.get_executor()),
          m_host(host), m_limits(limits), m_input(kLongestCommand)
    {
    }

    void start(SharedLine hello) override
    {
        m_nextSeq = m_host.backlog().lastSeq() + 1;
        push(std::move(hello));
        receive();
    }

    void follow() override
    {
        if (m_replaying) {
            pump();
            return;
        }
        while (const SharedLine line = m_host.backlog().at(m_nextSeq)) {
            ++m_nextSeq;
            push(line);
            if (m_closed) return;
        }
    }

    void offerSnapshot(SharedLine line) override
    {
        m_snapshot = std::move(line);
        send();
    }
    void offerProgress(SharedLine line) override
    {
        m_progress = std::move(line);
        send();
    }

    void closeWhenSent() override
    {
        m_closing = true;
        send();
    }

    void close() override
    {
        if (m_closed) return;
        m_closed = true;
        ErrorCode ignored;
        m_stall.cancel();
        m_retry.cancel();
        m_socket.close(ignored);
        m_host.left(m_id);
    }

private:
    void push(SharedLine line)
    {
        m_owed += line->size();
        m_lines.push_back(std::move(line));
        if (m_owed > m_limits.owedBytes) {
            close();
            return;
        }
        send();
    }

    void send()
    {
        if (m_writing || m_closed) return;
        if (m_lines.empty()) takeLatest();
        if (m_lines.empty()) {
            m_stall.cancel();
            if (m_closing && !m_replaying) close();
            return;
        }
        m_writing = true;
        watchStall();
        std::vector<asio::const_buffer> buffers;
        for (const SharedLine& line : m_lines) {
            buffers.emplace_back(asio::buffer(*line));
            if (buffers.size() == 1) buffers.front() += m_sentOfFirst;
            if (buffers.size() == kMostBuffers) break;
        }
        m_socket.async_write_some(buffers, [self = shared_from_this()](ErrorCode error, std::size_t sent) {
            self->m_writing = false;
            if (error) {
                self->close();
                return;
            }
            self->forget(sent);
            self->pump();
            self->send();
        });
    }

    void takeLatest()
    {
        for (SharedLine* slot : {&m_snapshot, &m_progress}) {
            if (!*slot) continue;
            m_owed += (*slot)->size();
            m_lines.push_back(std::exchange(*slot, nullptr));
        }
    }

    void forget(std::size_t sent)
    {
        m_owed -= sent;
        m_sentOfFirst += sent;
        while (!m_lines.empty() && m_sentOfFirst >= m_lines.front()->size()) {
            m_sentOfFirst -= m_lines.front()->size();
            m_lines.pop_front();
        }
    }

    void watchStall()
    {
        m_stall.expires_after(m_limits.stall);
        m_stall.async_wait([weak = weak_from_this()](ErrorCode error) {
            if (const auto self = weak.lock(); self && !error) self->close();
        });
    }

    // Sends replayed events, a bounded stretch ahead of what the viewer has read.
    void pump()
    {
        while (m_replaying && !m_closed && m_owed < kReplayAhead) {
            if (m_nextSeq > m_host.backlog().lastSeq()) {
                m_replaying = false;
            } else if (const SharedLine line = m_host.backlog().at(m_nextSeq)) {
                ++m_nextSeq;
                push(line);
            } else if (!pumpFromJournal()) {
                return;
            }
        }
    }

    bool pumpFromJournal()
    {
        if (m_retryPending) return false;
        const std::vector<EventLine> events = m_host.replay(m_nextSeq, kReplayBatch);
        if (!events.empty()) {
            m_retries = 0;
            for (const EventLine& event : events) {
                if (event.seq < m_nextSeq) continue;
                m_nextSeq = event.seq + 1;
                push(lineOf(event.json));
                if (m_closed) return false;
            }
            return true;
        }
        if (++m_retries > kReplayPatience) {
            // The journal has nothing there and never will: go on with what is known.
            m_nextSeq = std::max(m_nextSeq, m_host.backlog().firstSeq());
            m_replaying = m_host.backlog().at(m_nextSeq) != nullptr;
            return m_replaying;
        }
        m_retryPending = true;
        m_retry.expires_after(kReplayRetry);
        m_retry.async_wait([weak = weak_from_this()](ErrorCode error) {
            const auto self = weak.lock();
            if (!self) return;
            self->m_retryPending = false;
            if (!error) self->pump();
        });
        return false;
    }

    void receive()
    {
        asio::async_read_until(m_socket, m_input, '\n', [self = shared_from_this()](ErrorCode error, std::size_t) {
            if (error) {
                self->close();
                return;
            }
            std::istream input(&self->m_input);
            std::string line;
            std::getline(input, line);
            self->obey(line);
            if (!self->m_closed) self->receive();
        });
    }

    void obey(const std::string& line)
    {
        const auto command = parseJson(line);
        Json answer{{"type", "answer"}, {"ok", true}};
        if (command && command->is_object() && command->contains("id")) answer["id"] = (*command)["id"];
        Result<Json> result = fail(Reason::UsageInvalid, R"(a command is an object: {"command":"pause"})");
        std::optional<std::int64_t> replayFrom;
        if (command && command->is_object()) {
            const auto seq = command->find("from_seq");
            if (command->value("command", Json()) != Json("events")) {
                result = m_host.command(*command);
            } else if (seq != command->end() && seq->is_number_integer()) {
                replayFrom = std::max<std::int64_t>(seq->get<std::int64_t>(), 1);
                result = Json::object();
            } else {
                result = fail(Reason::UsageInvalid, "events needs from_seq, a number");
            }
        }
        if (result) {
            answer["result"] = *result;
        } else {
            const Error& error = result.error();
            answer["ok"] = false;
            answer["error"] = error.text();
            answer["hint"] = error.hint;
            answer["reason"] = std::string(info(error.reason).code);
        }
        push(lineOf(dumpJson(answer)));
        if (!replayFrom || m_closed) return;
        m_nextSeq = *replayFrom;
        m_replaying = true;
        pump();
    }

    const int m_id;
    Stream::socket m_socket;
    asio::steady_timer m_stall;
    asio::steady_timer m_retry;
    FeedHost& m_host;
    const FeedLimits& m_limits;
    asio::streambuf m_input;
    std::deque<SharedLine> m_lines;
    std::size_t m_sentOfFirst = 0;
    std::size_t m_owed = 0;
    SharedLine m_snapshot;
    SharedLine m_progress;
    std::int64_t m_nextSeq = 1;
    int m_retries = 0;
    bool m_retryPending = false;
    bool m_replaying = false;
    bool m_writing = false;
    bool m_closing = false;
    bool m_closed = false;
};

} // namespace

std::shared_ptr<FeedViewer> FeedViewer::make(int id, asio::io_context& context, int descriptor, FeedHost& host,
                                             const FeedLimits& limits)
{
    return std::make_shared<SocketViewer>(id, Stream::socket(context, Stream(), descriptor), host, limits);
}

} // namespace aiflow
