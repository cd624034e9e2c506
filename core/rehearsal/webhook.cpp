#include "core/rehearsal/http_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace aiflow {

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

struct Visit {
    explicit Visit(asio::io_context& context) : socket(context) {}
    Tcp::socket socket;
    std::string request;
    std::array<char, 512> answer{};
};

// Only this machine is ever called: "http://127.0.0.1:PORT/PATH" or "http://localhost:PORT/PATH".
std::optional<std::pair<Tcp::endpoint, std::string>> placeOf(std::string_view url)
{
    for (const std::string_view host : {"http://127.0.0.1:", "http://localhost:"}) {
        if (!url.starts_with(host)) continue;
        url.remove_prefix(host.size());
        const std::size_t slash = std::min(url.find('/'), url.size());
        std::uint16_t port = 0;
        if (std::from_chars(url.data(), url.data() + slash, port).ec != std::errc()) return std::nullopt;
        const std::string path(slash < url.size() ? url.substr(slash) : "/");
        return std::pair(Tcp::endpoint(asio::ip::address_v4::loopback(), port), path);
    }
    return std::nullopt;
}

} // namespace

void ServerLoop::call(const Callback& callback)
{
    const auto place = placeOf(callback.url);
    if (!place) return;
    const auto visit = std::make_shared<Visit>(context);
    visit->request = "POST " + place->second + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(place->first.port()) +
                     "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(callback.body.size()) + "\r\n\r\n" + callback.body;
    visit->socket.async_connect(place->first, [visit](ErrorCode refused) {
        if (refused) return;
        asio::async_write(visit->socket, asio::buffer(visit->request), [visit](ErrorCode lost, std::size_t) {
            if (lost) return;
            visit->socket.async_read_some(asio::buffer(visit->answer), [visit](ErrorCode, std::size_t) {});
        });
    });
}

} // namespace aiflow
