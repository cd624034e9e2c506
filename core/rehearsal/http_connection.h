// One connection of the simulated services' server: reads requests, waits while work goes on, lets answers leave as
// they are meant to.
#pragma once

#include "core/rehearsal/service_desk.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <map>
#include <memory>

namespace aiflow {

// What all connections of a server share. Threads: the server's alone, but for the desk.
class ServerLoop {
public:
    explicit ServerLoop(ServiceDesk& servedDesk) : desk(servedDesk), m_timer(context) {}
    static std::int64_t now() noexcept; // monotonic nanoseconds
    void at(std::int64_t timeNs, std::function<void()> act);
    // Posts the news to its address, once; nobody waits for what comes back.
    void call(const Callback& callback);

    ServiceDesk& desk;
    boost::asio::io_context context{1};
    std::array<char, 64 * 1024> buffer{};

private:
    void arm();
    void runDue();

    boost::asio::steady_timer m_timer;
    std::multimap<std::int64_t, std::function<void()>> m_agenda;
    std::int64_t m_armedFor = 0; // 0: not
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
public:
    HttpConnection(boost::asio::ip::tcp::socket socket, ServerLoop& loop);
    ~HttpConnection();
    void start();

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    void wait();
    void readable();
    void take(std::string_view bytes);
    void parse();
    void begin(WireRequest request);
    void workDone();
    void waitForJob(const std::string& jobId);

    void deliver(Reply reply);
    std::string headOf(const Reply& reply, bool chunked) const;
    void send(std::string bytes, std::function<void()> then);
    void sent(const std::string& ending);
    void nextRequest();
    void drip();
    void flood(std::int64_t left);
    void reset(const std::string& ending, int patience);
    void finishCall(const std::string& ending);
    void lost();
    void close();

    ServerLoop& m_loop;
    boost::asio::ip::tcp::socket m_socket;
    std::unique_ptr<Parser> m_parser;
    std::string m_input;
    std::int64_t m_arrivedNs = 0; // of the last bytes read, by the kernel
    std::unique_ptr<ServedCall> m_call;
    bool m_waiting = false;
    bool m_busy = false; // a call is open or an answer is leaving
    bool m_closed = false;
    bool m_keepAlive = true;
    bool m_toldToContinue = false;
};

} // namespace aiflow
