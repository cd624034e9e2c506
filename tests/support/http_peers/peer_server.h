// A listening socket on loopback with a thread for each connection: what the test's servers have in common.
#pragma once

#include "tests/support/http_peers/peer_stream.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace aiflow::peers {

class PeerServer {
public:
    using Serve = std::function<void(PeerStream&, int connection)>;
    // Serves on threads of its own until stop().
    void listen(Serve serve, const TlsContext* tls);
    void stop();
    ~PeerServer() { stop(); }
    int port() const noexcept { return m_port; }
    int connections() const noexcept { return m_connections; }

private:
    void accept(const TlsContext* tls);

    Serve m_serve;
    int m_listener = -1;
    int m_stop = -1;
    int m_port = 0;
    std::atomic<int> m_connections{0};
    std::thread m_acceptor;
    std::vector<std::thread> m_threads; // the acceptor's, then stop()'s
};

} // namespace aiflow::peers
