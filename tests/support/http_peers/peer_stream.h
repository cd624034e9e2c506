// One connection of a test's server, plain or TLS, with every way to end it.
#pragma once

#include "tests/support/http_peers/certificates.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow::peers {

// A server's side of TLS. Threads: any.
class TlsContext {
public:
    // `protocols`: what it agrees to, best first, as "h2,http/1.1"; empty: it does not negotiate.
    TlsContext(const Identity& identity, const std::string& protocols);
    ~TlsContext();
    void* raw() const noexcept { return m_context; }

private:
    void* m_context;
    std::string m_protocols;
};

// Threads: one, the connection's. Reading ends when `stop` (a file descriptor) becomes readable.
class PeerStream {
public:
    PeerStream(int socket, int stop, const TlsContext* tls);
    ~PeerStream();
    PeerStream(const PeerStream&) = delete;
    PeerStream& operator=(const PeerStream&) = delete;

    bool good() const noexcept { return m_socket >= 0; } // false: closed by us, or no handshake
    std::string negotiated() const;
    // What came; empty: the end, or the server stops.
    std::string read();
    bool write(std::string_view bytes);
    void reset();     // RST
    void halfClose(); // FIN: we send no more
    void close();     // FIN, or RST where something is unread
    // Until the other side closes, the server stops, or `limit` is over. True: closed by the other side.
    bool awaitEnd(std::chrono::milliseconds limit);

private:
    bool awaitInput(int milliseconds);
    void end();
    int m_socket;
    int m_stop;
    void* m_tls = nullptr;
};

} // namespace aiflow::peers
