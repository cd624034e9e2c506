#include "tests/support/http_peers/scripted_server.h"

#include <algorithm>
#include <cctype>

namespace aiflow::peers {

namespace {

std::size_t announcedBody(std::string head)
{
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    const auto at = head.find("\r\ncontent-length:");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 17));
}

} // namespace

void PeerExchange::readBody()
{
    const std::size_t size = announcedBody(m_request.head);
    while (m_unread.size() < size) {
        const std::string more = m_stream.read();
        if (more.empty()) break;
        m_unread += more;
    }
    m_request.body = m_unread.substr(0, size);
    m_unread.erase(0, size);
}

void PeerExchange::answer(int status, std::string_view body, std::string_view moreHeaders)
{
    send("HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(moreHeaders) + "\r\n" + std::string(body));
}

ScriptedServer::ScriptedServer(Script script, Options options) : m_script(std::move(script)), m_options(options)
{
    m_server.listen([this](PeerStream& stream, int connection) { serve(stream, connection); }, options.tls);
}

std::string ScriptedServer::url(std::string_view path, std::string_view host) const
{
    return (m_options.tls != nullptr ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port()) +
           std::string(path);
}

std::vector<SeenRequest> ScriptedServer::executed() const
{
    const std::lock_guard lock(m_mutex);
    return m_executed;
}

void ScriptedServer::serve(PeerStream& stream, int connection)
{
    std::string unread;
    for (int number = 0; stream.good(); ++number) {
        std::size_t end = 0;
        while ((end = unread.find("\r\n\r\n")) == std::string::npos) {
            const std::string more = stream.read();
            if (more.empty()) return;
            unread += more;
        }
        PeerExchange exchange(stream, {unread.substr(0, end + 2), {}, connection, number}, unread);
        unread.erase(0, end + 4);
        if (!m_options.headsOnly) exchange.readBody();
        const bool whole = exchange.request().body.size() == announcedBody(exchange.request().head);
        if (whole) {
            const std::lock_guard lock(m_mutex);
            m_executed.push_back(exchange.request());
        }
        m_script(exchange);
    }
}

} // namespace aiflow::peers
