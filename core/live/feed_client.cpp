#include "core/live/feed_client.h"

#include "core/base/json.h"
#include "core/live/feed_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr std::size_t kLongestLine = 64U << 20U;

// The number of an event line; 0 for every other line.
std::int64_t seqOf(std::string_view line)
{
    constexpr std::string_view kHead = R"({"v":1,"seq":)";
    if (!line.starts_with(kHead)) return 0;
    std::int64_t seq = 0;
    std::from_chars(line.data() + kHead.size(), line.data() + line.size(), seq);
    return seq;
}

class SocketFeedClient final : public FeedClient {
public:
    explicit SocketFeedClient(Descriptor connection) : m_connection(std::move(connection)) {}

    Result<std::optional<std::string>> readLine(std::chrono::milliseconds patience) override
    {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (true) {
            if (auto line = takeLine()) {
                if (isWanted(*line)) return line;
                continue;
            }
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
            const auto ready = waitToRead(std::max(left, std::chrono::milliseconds{0}));
            if (!ready) return tl::unexpected(ready.error());
            if (!*ready) return std::nullopt;
            if (auto read = readMore(); !read) return tl::unexpected(read.error());
        }
    }

    Result<void> send(const Json& command) override
    {
        const std::string line = dumpJson(command) + '\n';
        std::size_t sent = 0;
        while (sent < line.size()) {
            const ssize_t count = ::send(m_connection.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return gone();
            sent += static_cast<std::size_t>(count);
        }
        return {};
    }

    Result<void> followFrom(std::int64_t seq) override
    {
        m_nextSeq = seq;
        return send(Json{{"command", "events"}, {"from_seq", seq}});
    }

    int descriptor() const override { return m_connection.get(); }

private:
    static tl::unexpected<Error> gone() { return fail(Reason::Internal, "the job's process closed the connection"); }

    std::optional<std::string> takeLine()
    {
        const auto end = m_buffer.find('\n', m_searched);
        if (end == std::string::npos) {
            m_buffer.erase(0, m_taken);
            m_taken = 0;
            m_searched = m_buffer.size();
            return std::nullopt;
        }
        std::string line = m_buffer.substr(m_taken, end - m_taken);
        m_taken = m_searched = end + 1;
        return line;
    }

    // While following, events that came before the replay began are not the next ones yet.
    bool isWanted(std::string_view line)
    {
        const std::int64_t seq = seqOf(line);
        if (!m_nextSeq || seq == 0) return true;
        if (seq != *m_nextSeq) return false;
        ++*m_nextSeq;
        return true;
    }

    Result<bool> waitToRead(std::chrono::milliseconds patience) const
    {
        pollfd wish{m_connection.get(), POLLIN, 0};
        const int count = ::poll(&wish, 1, static_cast<int>(std::min<std::int64_t>(patience.count(), 1'000'000'000)));
        if (count < 0 && errno != EINTR) return gone();
        return count > 0;
    }

    Result<void> readMore()
    {
        std::array<char, 65536> chunk; // NOLINT: read() fills it
        const ssize_t count = ::read(m_connection.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) return {};
        if (count <= 0) return gone();
        m_buffer.append(chunk.data(), static_cast<std::size_t>(count));
        if (m_buffer.size() > kLongestLine) return fail(Reason::Internal, "the job's process sends a line without end");
        return {};
    }

    Descriptor m_connection;
    std::string m_buffer;
    std::size_t m_taken = 0;    // bytes of the buffer that were handed out
    std::size_t m_searched = 0; // bytes that hold no further line end
    std::optional<std::int64_t> m_nextSeq;
};

} // namespace

Result<std::unique_ptr<FeedClient>> FeedClient::connect(const std::filesystem::path& socket)
{
    auto connection = connectTo(socket);
    if (!connection) return tl::unexpected(connection.error());
    return std::make_unique<SocketFeedClient>(std::move(*connection));
}

} // namespace aiflow
