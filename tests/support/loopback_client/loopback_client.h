// A small blocking HTTP client for tests: it tells exactly how an answer ended, and never sends anything twice.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiflow::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

enum class AnswerEnd { Whole, Closed, Reset, TimedOut };
struct LoopbackAnswer {
    AnswerEnd end = AnswerEnd::Closed;
    int status = 0;   // 0: no headers came
    Headers headers;  // names in lower case
    std::string body; // as far as it came; chunks are joined
    std::string header(std::string_view name) const;
};

// One connection to 127.0.0.1, kept alive between requests. Threads: one.
class LoopbackClient {
public:
    explicit LoopbackClient(int port, std::chrono::milliseconds patience = std::chrono::seconds(10));
    ~LoopbackClient();
    LoopbackClient(const LoopbackClient&) = delete;
    LoopbackClient& operator=(const LoopbackClient&) = delete;

    // `most`: an answer is cut after so many bytes of body, as TimedOut.
    LoopbackAnswer exchange(std::string_view method, std::string_view path, const Headers& headers,
                            std::string_view body = {}, std::size_t most = 256U << 20U);
    // Sends and does not read; a later receive() does.
    void send(std::string_view method, std::string_view path, const Headers& headers, std::string_view body = {});
    LoopbackAnswer receive(std::size_t most = 256U << 20U);
    bool connected() const noexcept { return m_socket >= 0; }

private:
    enum class Reading { Bytes, Closed, Reset, TimedOut };
    Reading readMore();
    AnswerEnd readChunks(LoopbackAnswer& answer, std::size_t most);

    int m_socket = -1;
    std::chrono::milliseconds m_patience;
    std::chrono::steady_clock::time_point m_until;
    std::string m_input;
};

// "http://127.0.0.1:8080/x/y" to "/x/y".
std::string pathOf(std::string_view url);

} // namespace aiflow::testing
