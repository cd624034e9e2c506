#include "core/rehearsal/http_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace aiflow {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::uint64_t kLargestBody = 256U << 20U;
constexpr std::size_t kLongestWait = 1U << 20U; // bytes of later requests, read while one is answered
constexpr std::int64_t kMsNs = 1'000'000;
constexpr std::int64_t kDripEveryNs = 100 * kMsNs;
constexpr std::int64_t kFlood = std::int64_t{1} << 30;
constexpr int kResetPatience = 400; // times 5 ms

std::int64_t clockNs(clockid_t clock) noexcept
{
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// When the kernel got the bytes, on the monotonic clock: however late this thread comes to read them.
std::int64_t arrivalOf(msghdr& message)
{
    const std::int64_t now = clockNs(CLOCK_MONOTONIC);
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec stamp{};
        std::copy_n(CMSG_DATA(part), sizeof stamp, reinterpret_cast<unsigned char*>(&stamp));
        const std::int64_t age =
            clockNs(CLOCK_REALTIME) - (static_cast<std::int64_t>(stamp.tv_sec) * 1'000'000'000 + stamp.tv_nsec);
        // Beyond a minute somebody has set the clock in between.
        if (age >= 0 && age < 60'000 * kMsNs) return now - age;
    }
    return now;
}

WireRequest requestOf(http::request<http::string_body>& message)
{
    WireRequest request;
    request.method = message.method_string();
    const std::string_view target = message.target();
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string_view::npos) request.query = target.substr(question + 1);
    for (const auto& field : message) {
        std::string name = field.name_string();
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        request.headers.emplace_back(std::move(name), field.value());
    }
    request.body = std::move(message.body());
    return request;
}

} // namespace

std::int64_t ServerLoop::now() noexcept { return clockNs(CLOCK_MONOTONIC); }

void ServerLoop::at(std::int64_t timeNs, std::function<void()> act)
{
    m_agenda.emplace(timeNs, std::move(act));
    arm();
}

void ServerLoop::arm()
{
    if (m_agenda.empty()) return;
    const std::int64_t next = m_agenda.begin()->first;
    if (m_armedFor != 0 && m_armedFor <= next) return;
    m_armedFor = next;
    m_timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next)));
    m_timer.async_wait([this](ErrorCode error) {
        if (error) return;
        m_armedFor = 0;
        runDue();
    });
}

void ServerLoop::runDue()
{
    while (!m_agenda.empty() && m_agenda.begin()->first <= now()) {
        const auto act = std::move(m_agenda.begin()->second);
        m_agenda.erase(m_agenda.begin());
        act();
    }
    arm();
}

HttpConnection::HttpConnection(Tcp::socket socket, ServerLoop& loop) : m_loop(loop), m_socket(std::move(socket))
{
    ErrorCode ignored;
    m_socket.native_non_blocking(true, ignored);
    m_socket.set_option(Tcp::no_delay(true), ignored);
    const int on = 1;
    ::setsockopt(m_socket.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

HttpConnection::~HttpConnection()
{
    if (m_call) m_loop.desk.delivered(std::move(m_call), "still open at the end", ServerLoop::now());
}

void HttpConnection::start() { wait(); }

void HttpConnection::wait()
{
    if (m_waiting || m_closed || m_input.size() > kLongestWait) return;
    m_waiting = true;
    m_socket.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](ErrorCode error) {
        self->m_waiting = false;
        if (self->m_closed) return;
        if (error)
            self->lost();
        else
            self->readable();
    });
}

void HttpConnection::readable()
{
    std::array<char, 256> control{};
    iovec piece{m_loop.buffer.data(), m_loop.buffer.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(m_socket.native_handle(), &message, MSG_DONTWAIT);
    if (count > 0) {
        m_arrivedNs = arrivalOf(message);
        take({m_loop.buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        lost();
        return;
    }
    wait();
}

void HttpConnection::take(std::string_view bytes)
{
    m_input += bytes;
    if (!m_busy) parse();
}

void HttpConnection::parse()
{
    if (m_input.empty()) return;
    if (!m_parser) {
        m_parser = std::make_unique<Parser>();
        m_parser->eager(true);
        m_parser->body_limit(kLargestBody);
        m_parser->header_limit(64U << 10U);
        m_toldToContinue = false;
    }
    ErrorCode error;
    const std::size_t used = m_parser->put(asio::buffer(m_input), error);
    m_input.erase(0, used);
    if (error && error != http::error::need_more) {
        close(); // no HTTP: there is nobody to answer
        return;
    }
    if (!m_parser->is_done()) {
        if (m_parser->is_header_done() && !m_toldToContinue && m_parser->get().count(http::field::expect) > 0) {
            m_toldToContinue = true;
            send("HTTP/1.1 100 Continue\r\n\r\n", [] {});
        }
        return;
    }
    m_keepAlive = m_parser->get().keep_alive();
    auto message = m_parser->release();
    m_parser.reset();
    if (m_input.empty()) m_input = {}; // its memory too: thousands may wait for their answers
    begin(requestOf(message));
}

void HttpConnection::begin(WireRequest request)
{
    m_busy = true;
    const std::int64_t now = ServerLoop::now();
    request.arrivedNs = m_arrivedNs;
    m_call = m_loop.desk.arrive(std::move(request), now);
    if (!m_call->jobId.empty()) waitForJob(m_call->jobId);
    if (m_call->dueNs <= now) {
        workDone();
        return;
    }
    m_loop.at(m_call->dueNs, [self = shared_from_this()] { self->workDone(); });
}

void HttpConnection::waitForJob(const std::string& jobId)
{
    const auto due = m_loop.desk.jobDueNs(jobId);
    if (!due) return;
    m_loop.at(*due, [&loop = m_loop, jobId] {
        if (const auto callback = loop.desk.jobDone(jobId, ServerLoop::now())) loop.call(*callback);
    });
}

void HttpConnection::workDone()
{
    Reply reply = m_loop.desk.finish(*m_call, ServerLoop::now());
    if (m_closed)
        finishCall("client closed");
    else
        deliver(std::move(reply));
}

void HttpConnection::finishCall(const std::string& ending)
{
    if (m_call) m_loop.desk.delivered(std::move(m_call), ending, ServerLoop::now());
}

std::string HttpConnection::headOf(const Reply& reply, bool chunked) const
{
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
    head += std::string_view(http::obsolete_reason(static_cast<http::status>(reply.status)));
    head += "\r\nContent-Type: " + reply.type;
    if (chunked)
        head += "\r\nTransfer-Encoding: chunked";
    else if (reply.status != 204)
        head += "\r\nContent-Length: " + std::to_string(reply.body.size());
    for (const auto& [name, value] : reply.headers) head += "\r\n" + name + ": " + value;
    if (!m_keepAlive) head += "\r\nConnection: close";
    return head + "\r\n\r\n";
}

void HttpConnection::deliver(Reply reply)
{
    const auto self = shared_from_this();
    const std::size_t half = reply.body.size() / 2;
    switch (reply.delivery) {
    case Delivery::Whole:
        send(headOf(reply, false) + reply.body, [self] { self->sent("answered"); });
        break;
    case Delivery::Nothing:
        finishCall("never answered");
        break;
    case Delivery::ResetBeforeByte:
        reset("reset by fault before a byte", 0);
        break;
    case Delivery::ResetAfterHeaders:
        send(headOf(reply, false), [self] { self->reset("reset by fault after the headers", kResetPatience); });
        break;
    case Delivery::ResetMidBody:
        send(headOf(reply, false) + reply.body.substr(0, half),
             [self] { self->reset("reset by fault within the body", kResetPatience); });
        break;
    case Delivery::ResetAfterBody:
        send(headOf(reply, false) + reply.body,
             [self] { self->reset("reset by fault after the body", kResetPatience); });
        break;
    case Delivery::CloseMidBody:
        send(headOf(reply, false) + reply.body.substr(0, half), [self] {
            self->finishCall("closed by fault within the body");
            self->close();
        });
        break;
    case Delivery::Drip:
        finishCall("endless drip");
        send(headOf(reply, true), [self] { self->drip(); });
        break;
    case Delivery::Flood:
        finishCall("endless flood");
        send(headOf(reply, true), [self] { self->flood(kFlood); });
        break;
    }
}

void HttpConnection::send(std::string bytes, std::function<void()> then)
{
    const ssize_t count = ::send(m_socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count == static_cast<ssize_t>(bytes.size())) {
        then();
        return;
    }
    const auto rest = std::make_shared<std::string>(count > 0 ? bytes.substr(static_cast<std::size_t>(count)) : bytes);
    asio::async_write(m_socket, asio::buffer(*rest),
                      [self = shared_from_this(), rest, then = std::move(then)](ErrorCode error, std::size_t) {
                          if (error)
                              self->lost();
                          else if (!self->m_closed)
                              then();
                      });
}

void HttpConnection::sent(const std::string& ending)
{
    finishCall(ending);
    if (m_keepAlive)
        nextRequest();
    else
        close();
}

void HttpConnection::nextRequest()
{
    m_busy = false;
    wait();
    // By the agenda, so that a heap of requests sent at once does not become a heap of calls.
    if (!m_input.empty())
        m_loop.at(ServerLoop::now(), [self = shared_from_this()] {
            if (!self->m_busy && !self->m_closed) self->parse();
        });
}

void HttpConnection::drip()
{
    if (m_closed) return;
    send("1\r\n \r\n",
         [self = shared_from_this()] { self->m_loop.at(ServerLoop::now() + kDripEveryNs, [self] { self->drip(); }); });
}

void HttpConnection::flood(std::int64_t left)
{
    if (m_closed) return;
    if (left <= 0) {
        send("0\r\n\r\n", [self = shared_from_this()] { self->close(); });
        return;
    }
    constexpr std::int64_t kPiece = 0x10000;
    std::string piece = "10000\r\n" + std::string(kPiece, ' ') + "\r\n";
    send(std::move(piece), [self = shared_from_this(), left] {
        // By the agenda, so that a fast reader does not keep the others waiting.
        self->m_loop.at(ServerLoop::now(), [self, left] { self->flood(left - kPiece); });
    });
}

// Once the other side's kernel has all that was sent, the connection ends with an RST.
void HttpConnection::reset(const std::string& ending, int patience)
{
    if (m_closed) return;
    int unsent = 0;
    if (patience > 0 && ::ioctl(m_socket.native_handle(), SIOCOUTQ, &unsent) == 0 && unsent > 0) {
        m_loop.at(ServerLoop::now() + 5 * kMsNs,
                  [self = shared_from_this(), ending, patience] { self->reset(ending, patience - 1); });
        return;
    }
    finishCall(ending);
    ErrorCode ignored;
    m_socket.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

// The other side is gone; the work goes on.
void HttpConnection::lost()
{
    const bool answerWasLeaving = m_busy && m_call && m_call->entry.status != 0;
    close();
    if (answerWasLeaving) finishCall("client closed");
}

void HttpConnection::close()
{
    m_closed = true;
    m_input = {};
    m_parser.reset();
    ErrorCode ignored;
    m_socket.close(ignored);
}

} // namespace aiflow
