#include "tests/support/loopback_client/loopback_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiflow::testing {

namespace {

std::string lower(std::string text)
{
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::size_t numberFrom(std::string_view text, int base)
{
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

void readHead(std::string_view head, LoopbackAnswer& answer)
{
    answer.status = static_cast<int>(numberFrom(head.substr(std::min(head.size(), head.find(' ') + 1)), 10));
    std::size_t at = head.find("\r\n");
    while (at != std::string_view::npos) {
        const std::size_t end = head.find("\r\n", at + 2);
        const std::string_view line =
            head.substr(at + 2, end == std::string_view::npos ? std::string_view::npos : end - at - 2);
        if (const std::size_t colon = line.find(": "); colon != std::string_view::npos)
            answer.headers.emplace_back(lower(std::string(line.substr(0, colon))), line.substr(colon + 2));
        at = end;
    }
}

} // namespace

std::string LoopbackAnswer::header(std::string_view name) const
{
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

LoopbackClient::LoopbackClient(int port, std::chrono::milliseconds patience) : m_patience(patience)
{
    m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(m_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(m_socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    ::close(m_socket);
    m_socket = -1;
}

LoopbackClient::~LoopbackClient()
{
    if (m_socket >= 0) ::close(m_socket);
}

LoopbackAnswer LoopbackClient::exchange(std::string_view method, std::string_view path, const Headers& headers,
                                        std::string_view body, std::size_t most)
{
    send(method, path, headers, body);
    return receive(most);
}

void LoopbackClient::send(std::string_view method, std::string_view path, const Headers& headers, std::string_view body)
{
    std::string bytes = std::string(method) + ' ' + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
    if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    bytes += "\r\n";
    bytes += body;
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t count = ::send(m_socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
    }
}

LoopbackClient::Reading LoopbackClient::readMore()
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(m_until - std::chrono::steady_clock::now());
    pollfd ready{m_socket, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return Reading::TimedOut;
    std::array<char, 65536> buffer{};
    const ssize_t count = ::recv(m_socket, buffer.data(), buffer.size(), 0);
    if (count == 0) return Reading::Closed;
    if (count < 0) return Reading::Reset;
    m_input.append(buffer.data(), static_cast<std::size_t>(count));
    return Reading::Bytes;
}

LoopbackAnswer LoopbackClient::receive(std::size_t most)
{
    m_until = std::chrono::steady_clock::now() + m_patience;
    LoopbackAnswer answer;
    const auto ended = [&answer](Reading reading) {
        answer.end = reading == Reading::Closed  ? AnswerEnd::Closed
                     : reading == Reading::Reset ? AnswerEnd::Reset
                                                 : AnswerEnd::TimedOut;
        return answer;
    };
    std::size_t head = m_input.find("\r\n\r\n");
    while (head == std::string::npos) {
        if (const Reading reading = readMore(); reading != Reading::Bytes) return ended(reading);
        head = m_input.find("\r\n\r\n");
    }
    readHead(std::string_view(m_input).substr(0, head), answer);
    m_input.erase(0, head + 4);
    if (answer.header("transfer-encoding") == "chunked") {
        answer.end = readChunks(answer, most);
        return answer;
    }
    const std::size_t length = answer.status == 204 ? 0 : numberFrom(answer.header("content-length"), 10);
    while (m_input.size() < length && m_input.size() < most) {
        if (const Reading reading = readMore(); reading != Reading::Bytes) {
            answer.body = m_input;
            return ended(reading);
        }
    }
    answer.end = AnswerEnd::Whole;
    answer.body = m_input.substr(0, length);
    m_input.erase(0, length);
    return answer;
}

AnswerEnd LoopbackClient::readChunks(LoopbackAnswer& answer, std::size_t most)
{
    while (answer.body.size() < most) {
        const std::size_t line = m_input.find("\r\n");
        const std::size_t size = line == std::string::npos ? 0 : numberFrom(m_input, 16);
        if (line != std::string::npos && m_input.size() >= line + 4 + size) {
            answer.body.append(m_input, line + 2, size);
            m_input.erase(0, line + 4 + size);
            if (size == 0) return AnswerEnd::Whole;
            continue;
        }
        const Reading reading = readMore();
        if (reading == Reading::Closed) return AnswerEnd::Closed;
        if (reading == Reading::Reset) return AnswerEnd::Reset;
        if (reading == Reading::TimedOut) return AnswerEnd::TimedOut;
    }
    return AnswerEnd::TimedOut;
}

std::string pathOf(std::string_view url)
{
    const std::size_t host = url.find("//");
    const std::size_t path = url.find('/', host == std::string_view::npos ? 0 : host + 2);
    return std::string(path == std::string_view::npos ? "/" : url.substr(path));
}

} // namespace aiflow::testing
