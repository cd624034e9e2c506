// Which waiting call may be opened next, and over which pool of connections.
#pragma once

#include "core/api/transport/curl_library.h"
#include "core/api/transport/http_transport.h"

#include <deque>
#include <string>
#include <unordered_map>

namespace aiflow {

enum class PoolKind : std::uint8_t { Single, Multiplexed, Untrusted };

struct CallWish {
    HttpId id = 0;
    std::string origin; // scheme, host and port
    std::string version;
    bool https = true;
    bool untrusted = false;
};
struct Admitted {
    HttpId id = 0;
    PoolKind pool = PoolKind::Single;
    curl::HttpVersion version = curl::HttpVersion::One;
};

// First come, first served, within the number of open calls. The first call to an origin goes alone until it is
// connected: it finds the name's addresses and the HTTP version for all others, so that thousands of calls neither
// resolve the name each for itself nor open a connection each to a server that could share one.
// Threads: one.
class Admission {
public:
    Admission(std::int64_t maxOpen, std::int64_t maxUntrusted) : m_maxOpen(maxOpen), m_maxUntrusted(maxUntrusted) {}

    void arrive(CallWish wish);
    std::optional<Admitted> next();
    // A call that next() gave is connected: its origin is known.
    void connected(HttpId id, bool http2);
    // A call that next() gave is over, or was not opened after all.
    void ended(HttpId id);
    // Calls to this origin have been connected before.
    bool isKnown(HttpId id) const;

private:
    enum class Knowledge : std::uint8_t { None, BeingFound, NotFound, Http1, Http2 };
    struct Origin {
        Knowledge knowledge = Knowledge::None;
        HttpId scout = 0;
        std::deque<CallWish> waiting;
    };
    std::optional<Admitted> admit(std::deque<CallWish>& queue);
    void release(Origin& origin, Knowledge knowledge);

    std::int64_t m_maxOpen;
    std::int64_t m_maxUntrusted;
    std::int64_t m_untrustedOpen = 0;
    std::deque<CallWish> m_waiting;
    std::deque<CallWish> m_untrusted;
    std::unordered_map<HttpId, CallWish> m_open;
    std::unordered_map<std::string, Origin> m_origins;
};

} // namespace aiflow
