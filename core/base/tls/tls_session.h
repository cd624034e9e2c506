// What a TLS session of the HTTP library agreed on; the one thing that library does not tell in time.
#pragma once

#include <string_view>

namespace aiflow {

// The application protocol ("h2", "http/1.1") of an OpenSSL session (SSL*); empty: none. Valid as long as the session.
std::string_view negotiatedProtocol(const void* openSslSession) noexcept;

} // namespace aiflow
