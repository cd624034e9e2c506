// An HTTP/2 server for tests that ends requests in every way that real services do.
#pragma once

#include "tests/support/http_peers/peer_server.h"

namespace aiflow::peers {

enum class Http2Act : std::uint8_t {
    Answer,          // 200 with "hello"
    Hang,            // never
    ResetStream,     // RST_STREAM(INTERNAL_ERROR)
    RefuseStream,    // RST_STREAM(REFUSED_STREAM)
    GoAwayUnseen,    // GOAWAY that claims to have seen nothing, then FIN
    GoAwaySeen,      // GOAWAY that names the request, then FIN
    CutBeforeAnswer, // RST of the connection
    CutAfterHeaders,
    CutInBody,
    CutAfterAnswer, // the whole answer, then RST
    CloseBeforeAnswer,
    ResetInBody, // RST_STREAM in the middle of the body
};

// Threads: every method, from any; the script runs on the connections' threads.
class Http2Server {
public:
    struct Request {
        int number = 0; // from 0
        int connection = 0;
        int onConnection = 0;
        std::string path;
    };
    using Script = std::function<Http2Act(const Request&)>;
    struct Options {
        const TlsContext* tls = nullptr;
        std::uint32_t maxStreams = 100;
    };
    explicit Http2Server(Script script) : Http2Server(std::move(script), Options{}) {}
    Http2Server(Script script, Options options);
    ~Http2Server() { m_server.stop(); }

    int port() const noexcept { return m_server.port(); }
    std::string url(std::string_view path = "/") const;
    int executions() const noexcept { return m_executions; } // requests that arrived whole
    int connections() const noexcept { return m_server.connections(); }
    std::int64_t bodyBytes() const noexcept { return m_bodyBytes; }

private:
    friend class Http2Connection;
    Script m_script;
    Options m_options;
    std::atomic<int> m_executions{0};
    std::atomic<std::int64_t> m_bodyBytes{0};
    PeerServer m_server;
};

} // namespace aiflow::peers
