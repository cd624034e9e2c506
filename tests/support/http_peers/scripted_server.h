// An HTTP/1.1 server for tests that does to each request what a script says, down to the last packet.
#pragma once

#include "tests/support/http_peers/peer_server.h"

#include <map>

namespace aiflow::peers {

struct SeenRequest {
    std::string head; // request line and headers, each with its line end
    std::string body;
    int connection = 0;   // from 0
    int onConnection = 0; // from 0: above, the connection is reused
};

// One request, for the script. Threads: its connection's.
class PeerExchange {
public:
    PeerExchange(PeerStream& stream, SeenRequest request, std::string& unread)
        : m_stream(stream), m_request(std::move(request)), m_unread(unread)
    {
    }
    const SeenRequest& request() const noexcept { return m_request; }
    PeerStream& stream() noexcept { return m_stream; }
    // Reads the body that was announced; done already when the script runs, unless the server reads heads alone.
    void readBody();
    void answer(int status, std::string_view body, std::string_view moreHeaders = {});
    void send(std::string_view bytes) { m_stream.write(bytes); }

private:
    PeerStream& m_stream;
    SeenRequest m_request;
    std::string& m_unread;
};

// Threads: every method, from any; the script runs on the connections' threads.
class ScriptedServer {
public:
    using Script = std::function<void(PeerExchange&)>;
    struct Options {
        const TlsContext* tls = nullptr;
        bool headsOnly = false; // the script reads bodies itself
    };
    explicit ScriptedServer(Script script) : ScriptedServer(std::move(script), Options{}) {}
    ScriptedServer(Script script, Options options);
    ~ScriptedServer() { m_server.stop(); }

    int port() const noexcept { return m_server.port(); }
    std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const;
    // Requests that arrived whole: what a service would have executed, and charged.
    std::vector<SeenRequest> executed() const;
    int executions() const { return static_cast<int>(executed().size()); }
    int connections() const noexcept { return m_server.connections(); }
    void stop() { m_server.stop(); }

private:
    void serve(PeerStream& stream, int connection);

    Script m_script;
    Options m_options;
    mutable std::mutex m_mutex;
    std::vector<SeenRequest> m_executed; // guarded
    PeerServer m_server;
};

} // namespace aiflow::peers
