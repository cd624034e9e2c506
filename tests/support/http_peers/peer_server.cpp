#include "tests/support/http_peers/peer_server.h"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiflow::peers {

void PeerServer::listen(Serve serve, const TlsContext* tls)
{
    std::signal(SIGPIPE, SIG_IGN);
    m_stop = ::eventfd(0, EFD_CLOEXEC);
    m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(m_listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size);
    m_port = ntohs(address.sin_port);
    ::listen(m_listener, 1024);
    m_serve = std::move(serve);
    m_acceptor = std::thread([this, tls] { accept(tls); });
}

void PeerServer::accept(const TlsContext* tls)
{
    while (true) {
        std::array<pollfd, 2> polled = {pollfd{m_listener, POLLIN, 0}, pollfd{m_stop, POLLIN, 0}};
        ::poll(polled.data(), polled.size(), -1);
        if (polled[1].revents != 0) return;
        const int socket = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        const int number = m_connections++;
        m_threads.emplace_back([this, tls, socket, number] {
            PeerStream stream(socket, m_stop, tls);
            if (stream.good()) m_serve(stream, number);
        });
    }
}

void PeerServer::stop()
{
    if (!m_acceptor.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(m_stop, &one, sizeof one);
    m_acceptor.join();
    for (std::thread& thread : m_threads) thread.join();
    ::close(m_listener);
    ::close(m_stop);
}

} // namespace aiflow::peers
