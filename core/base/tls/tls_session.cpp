#include "core/base/tls/tls_session.h"

#include <openssl/ssl.h>

namespace aiflow {

std::string_view negotiatedProtocol(const void* openSslSession) noexcept
{
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(static_cast<const SSL*>(openSslSession), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

} // namespace aiflow
