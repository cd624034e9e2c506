#include "tests/support/http_peers/peer_stream.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace aiflow::peers {

namespace {

SSL* sslOf(void* tls) { return static_cast<SSL*>(tls); }

// The list's form on the wire: each name behind its length.
std::string wireForm(const std::string& names)
{
    std::string wire;
    for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        wire += static_cast<char>(end - at);
        wire += names.substr(at, end - at);
        at = end + 1;
    }
    return wire;
}

int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned int inSize,
           void* data)
{
    const auto& ours = *static_cast<std::string*>(data);
    unsigned char* chosen = nullptr;
    const int code = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned int>(ours.size()), in, inSize);
    *out = chosen;
    return code == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

} // namespace

TlsContext::TlsContext(const Identity& identity, const std::string& protocols)
    : m_context(SSL_CTX_new(TLS_server_method())), m_protocols(wireForm(protocols))
{
    auto* const context = static_cast<SSL_CTX*>(m_context);
    BIO* const certificateText = BIO_new_mem_buf(identity.certificatePem.data(), -1);
    BIO* const keyText = BIO_new_mem_buf(identity.keyPem.data(), -1);
    X509* const certificate = PEM_read_bio_X509(certificateText, nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(keyText, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificateText);
    BIO_free(keyText);
    if (!m_protocols.empty()) SSL_CTX_set_alpn_select_cb(context, &choose, &m_protocols);
}

TlsContext::~TlsContext() { SSL_CTX_free(static_cast<SSL_CTX*>(m_context)); }

PeerStream::PeerStream(int socket, int stop, const TlsContext* tls) : m_socket(socket), m_stop(stop)
{
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls == nullptr) return;
    m_tls = SSL_new(static_cast<SSL_CTX*>(tls->raw()));
    SSL_set_fd(sslOf(m_tls), socket);
    if (SSL_accept(sslOf(m_tls)) != 1) close();
}

PeerStream::~PeerStream() { close(); }

std::string PeerStream::negotiated() const
{
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    if (m_tls != nullptr) SSL_get0_alpn_selected(sslOf(m_tls), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

bool PeerStream::awaitInput(int milliseconds)
{
    std::array<pollfd, 2> polled = {pollfd{m_socket, POLLIN, 0}, pollfd{m_stop, POLLIN, 0}};
    return ::poll(polled.data(), polled.size(), milliseconds) > 0 && polled[1].revents == 0;
}

std::string PeerStream::read()
{
    if (!good()) return {};
    const bool waiting = m_tls != nullptr && SSL_pending(sslOf(m_tls)) > 0;
    if (!waiting && !awaitInput(-1)) return {};
    std::string bytes(16'384, '\0');
    const auto count = m_tls != nullptr ? SSL_read(sslOf(m_tls), bytes.data(), static_cast<int>(bytes.size()))
                                        : ::recv(m_socket, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

bool PeerStream::write(std::string_view bytes)
{
    while (good() && !bytes.empty()) {
        const auto count = m_tls != nullptr ? SSL_write(sslOf(m_tls), bytes.data(), static_cast<int>(bytes.size()))
                                            : ::send(m_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return good();
}

void PeerStream::end()
{
    if (m_tls != nullptr) SSL_free(sslOf(std::exchange(m_tls, nullptr)));
    if (m_socket >= 0) ::close(std::exchange(m_socket, -1));
}

void PeerStream::reset()
{
    if (!good()) return;
    const linger now{1, 0};
    ::setsockopt(m_socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    end();
}

void PeerStream::halfClose()
{
    if (good()) ::shutdown(m_socket, SHUT_WR);
}

void PeerStream::close() { end(); }

bool PeerStream::awaitEnd(std::chrono::milliseconds limit)
{
    const auto until = std::chrono::steady_clock::now() + limit;
    while (good()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !awaitInput(static_cast<int>(left.count()))) return false;
        if (read().empty()) return true;
    }
    return false;
}

} // namespace aiflow::peers
