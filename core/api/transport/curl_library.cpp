#include "core/api/transport/curl_library.h"

#include "aiflow/version.h"
#include "core/base/tls/tls_session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiflow::curl {

bool setUpLibrary()
{
    static const bool good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return good;
}

Share::Share() : m_share(curl_share_init())
{
    curl_share_setopt(static_cast<CURLSH*>(m_share), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(static_cast<CURLSH*>(m_share), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

Share::~Share() { curl_share_cleanup(static_cast<CURLSH*>(m_share)); }

namespace {

constexpr std::int64_t kSmallBody = std::int64_t{64} * 1024;

// The macro of this name checks types of literals only.
template <typename Value> void set(CURL* easy, CURLoption option, Value value)
{
    [[maybe_unused]] const CURLcode code = (curl_easy_setopt)(easy, option, value);
    assert(code == CURLE_OK);
}

std::string knownPath(CURL* easy, CURLINFO which)
{
    char* path = nullptr;
    return curl_easy_getinfo(easy, which, &path) == CURLE_OK && path != nullptr ? path : std::string();
}

} // namespace

struct EasyHandle::State {
    CURL* easy = nullptr;
    SocketWatcher* watcher = nullptr;
    WireEvents* events = nullptr;
    curl_slist* headers = nullptr;
    std::array<char, CURL_ERROR_SIZE> words{};
    std::string problem, systemCaFile, systemCaFolder;
    // What the handle is set to now.
    std::string method, url, caFile, proxy;
    bool hasBody = false;
    std::optional<HttpVersion> version;
    long uploadBuffer = 0;
    std::chrono::milliseconds connectTimeout{-1};
    std::int64_t bodySize = -1;
    std::vector<int> opened; // sockets of this transfer
    int corked = -1;         // the socket whose small packets are held back
    int headsSent = 0;       // counted in developer builds alone

    ~State()
    {
        forgetHeaders();
        curl_easy_cleanup(easy);
    }

    void forgetHeaders() noexcept
    {
        for (curl_slist* at = headers; at != nullptr; at = at->next) explicit_bzero(at->data, std::strlen(at->data));
        curl_slist_free_all(headers);
        headers = nullptr;
    }

    void setConstants(const Share& share);
    void setCallbacks();
    void setSecurity();
    void setMethod(const Setup& setup);
    void setBody(const Setup& setup);
    void setVersion(const Setup& setup);
    bool setUrl(const Setup& setup);
    bool setHeaders(const Setup& setup);
    void setPeers(const Setup& setup);

    static State& of(void* data) { return *static_cast<State*>(data); }
    static curl_socket_t openSocket(void* data, curlsocktype, curl_sockaddr* address);
    static int closeSocket(void* data, curl_socket_t fd);
    static int beforeSending(void* data, char* address, char*, int, int);
    static std::size_t readBody(char* into, std::size_t size, std::size_t count, void* data);
    static std::size_t writeAnswer(char* from, std::size_t size, std::size_t count, void* data);
    static std::size_t headerLine(char* from, std::size_t size, std::size_t count, void* data);
    static int progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent);
    static int listen(CURL*, curl_infotype kind, char* from, std::size_t size, void* data);
    bool speaksHttp2() const;
    void cork(const char* localAddress, int localPort);
    void uncork();
};

curl_socket_t EasyHandle::State::openSocket(void* data, curlsocktype, curl_sockaddr* address)
{
    // This is the address that is really connected to, whatever the name was resolved to before.
    if (!of(data).events->mayConnect(address->addr)) return CURL_SOCKET_BAD;
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    of(data).watcher->opened(fd);
    of(data).opened.push_back(fd);
    return fd;
}

int EasyHandle::State::closeSocket(void* data, curl_socket_t fd)
{
    static_cast<SocketWatcher*>(data)->closing(fd);
    return ::close(fd);
}

bool EasyHandle::State::speaksHttp2() const
{
    curl_tlssessioninfo* session = nullptr;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr) return false;
    if (session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr) return false;
    return negotiatedProtocol(session->internals) == "h2";
}

int EasyHandle::State::beforeSending(void* data, char* address, char* localAddress, int, int localPort)
{
    State& state = of(data);
    const bool http2 = state.version == HttpVersion::TwoPriorKnowledge || state.speaksHttp2();
    if (!state.events->aboutToSend(address == nullptr ? "" : address, http2)) return CURL_PREREQFUNC_ABORT;
    if (!http2 && state.bodySize > 0 && state.bodySize <= kSmallBody && localAddress != nullptr)
        state.cork(localAddress, localPort);
    return CURL_PREREQFUNC_OK;
}

// libcurl sends head and body apart when it has to ask for the body: one packet and one wake-up of the peer too many.
void EasyHandle::State::cork(const char* localAddress, int localPort)
{
    const LocalEnd end{std::string_view(localAddress).find(':') != std::string_view::npos, localPort};
    corked = watcher->socketAt(end, opened);
    const int on = 1;
    if (corked >= 0) ::setsockopt(corked, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void EasyHandle::State::uncork()
{
    const int off = 0;
    if (corked >= 0) ::setsockopt(corked, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
    corked = -1;
}

std::size_t EasyHandle::State::readBody(char* into, std::size_t size, std::size_t count, void* data)
{
    const auto read = of(data).events->readBody(std::as_writable_bytes(std::span(into, size * count)));
    return read ? *read : CURL_READFUNC_ABORT;
}

std::size_t EasyHandle::State::writeAnswer(char* from, std::size_t size, std::size_t count, void* data)
{
    return of(data).events->answerBytes(std::as_bytes(std::span(from, size * count))) ? size * count : 0;
}

std::size_t EasyHandle::State::headerLine(char* from, std::size_t size, std::size_t count, void* data)
{
    return of(data).events->headerLine({from, size * count}) ? size * count : 0;
}

int EasyHandle::State::progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent)
{
    State& state = of(data);
    if (!state.events->wantsSentSoFar()) return 0;
    long head = 0;
    curl_easy_getinfo(state.easy, CURLINFO_REQUEST_SIZE, &head);
    state.events->sentSoFar(head, sent);
    if (!state.events->wantsSentSoFar()) state.uncork();
    return 0;
}

// Only in developer builds: a request's head that leaves twice would be a call paid twice.
int EasyHandle::State::listen(CURL*, curl_infotype kind, char* from, std::size_t size, void* data)
{
    State& state = of(data);
    const std::string_view text(from, size);
    if (kind == CURLINFO_HEADER_OUT && text.starts_with(state.method + " ")) ++state.headsSent;
    assert(state.headsSent <= 1);
    return 0;
}

void EasyHandle::State::setCallbacks()
{
    set(easy, CURLOPT_ERRORBUFFER, words.data());
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &State::openSocket);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &State::closeSocket);
    set(easy, CURLOPT_CLOSESOCKETDATA, watcher);
    set(easy, CURLOPT_PREREQFUNCTION, &State::beforeSending);
    set(easy, CURLOPT_PREREQDATA, this);
    // No SEEKFUNCTION: what was read once cannot be sent again.
    set(easy, CURLOPT_READFUNCTION, &State::readBody);
    set(easy, CURLOPT_READDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &State::writeAnswer);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_HEADERFUNCTION, &State::headerLine);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_XFERINFOFUNCTION, &State::progress);
    set(easy, CURLOPT_XFERINFODATA, this);
#ifndef NDEBUG
    set(easy, CURLOPT_VERBOSE, 1L);
    set(easy, CURLOPT_DEBUGFUNCTION, &State::listen);
    set(easy, CURLOPT_DEBUGDATA, this);
#endif
}

void EasyHandle::State::setSecurity()
{
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https"); // which of them, a request's check decides
    set(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
    set(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy, CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE});
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    // Empty, so that the environment is not asked.
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_NOPROXY, "");
    // Without a folder the parsed store is kept between connections.
    systemCaFile = knownPath(easy, CURLINFO_CAINFO);
    systemCaFolder = knownPath(easy, CURLINFO_CAPATH);
    if (!systemCaFile.empty()) set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

void EasyHandle::State::setConstants(const Share& share)
{
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_SHARE, static_cast<CURLSH*>(share.raw()));
    set(easy, CURLOPT_USERAGENT, (std::string("aiflow/") + kVersion).c_str());
    set(easy, CURLOPT_ACCEPT_ENCODING, "");
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_MAXAGE_CONN, 20L);
    set(easy, CURLOPT_MAXLIFETIME_CONN, 3600L);
    set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 300L);
    set(easy, CURLOPT_PIPEWAIT, 1L);
    set(easy, CURLOPT_BUFFERSIZE, 16L * 1024);
    setCallbacks();
    setSecurity();
}

void EasyHandle::State::setMethod(const Setup& setup)
{
    const bool body = setup.bodySize >= 0;
    if (method == setup.method && hasBody == body) return;
    method = setup.method;
    hasBody = body;
    const bool post = method == "POST";
    set(easy, CURLOPT_UPLOAD, 0L);
    set(easy, CURLOPT_HTTPGET, 1L);
    if (method == "HEAD") set(easy, CURLOPT_NOBODY, 1L);
    if (body && !post) set(easy, CURLOPT_UPLOAD, 1L);
    if (post) set(easy, CURLOPT_POST, 1L);
    const bool usual = post || method == "HEAD" || method == "GET";
    set(easy, CURLOPT_CUSTOMREQUEST, usual ? static_cast<const char*>(nullptr) : method.c_str());
}

void EasyHandle::State::setBody(const Setup& setup)
{
    bodySize = setup.bodySize;
    set(easy, method == "POST" ? CURLOPT_POSTFIELDSIZE_LARGE : CURLOPT_INFILESIZE_LARGE,
        static_cast<curl_off_t>(std::max<std::int64_t>(bodySize, 0)));
    const long wished = bodySize > 4 * kSmallBody ? 64L * 1024 : 16L * 1024;
    if (wished != uploadBuffer) set(easy, CURLOPT_UPLOAD_BUFFERSIZE, wished);
    uploadBuffer = wished;
}

bool EasyHandle::State::setHeaders(const Setup& setup)
{
    forgetHeaders();
    const auto append = [&](const char* line) {
        curl_slist* const longer = curl_slist_append(headers, line);
        if (longer != nullptr) headers = longer;
        return longer != nullptr;
    };
    bool good = append("Expect:");
    for (const std::string& header : *setup.headers) good = good && append(header.c_str());
    set(easy, CURLOPT_HTTPHEADER, headers);
    return good;
}

void EasyHandle::State::setPeers(const Setup& setup)
{
    if (caFile != setup.caFile) {
        // A file of our own stands beside the system's folder of authorities; without one, the system's file is enough.
        const bool own = !setup.caFile.empty();
        const std::string& file = own ? setup.caFile : systemCaFile;
        const bool folder = own || systemCaFile.empty();
        set(easy, CURLOPT_CAINFO, file.empty() ? static_cast<const char*>(nullptr) : file.c_str());
        set(easy, CURLOPT_CAPATH,
            folder && !systemCaFolder.empty() ? systemCaFolder.c_str() : static_cast<const char*>(nullptr));
        caFile = setup.caFile;
    }
    if (proxy != setup.proxy) {
        set(easy, CURLOPT_PROXY, setup.proxy.c_str());
        proxy = setup.proxy;
    }
    if (connectTimeout != setup.connectTimeout)
        set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(setup.connectTimeout.count()));
    connectTimeout = setup.connectTimeout;
}

void EasyHandle::State::setVersion(const Setup& setup)
{
    if (version == setup.version) return;
    version = setup.version;
    const long number = version == HttpVersion::One   ? long{CURL_HTTP_VERSION_1_1}
                        : version == HttpVersion::Two ? long{CURL_HTTP_VERSION_2TLS}
                                                      : long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE};
    set(easy, CURLOPT_HTTP_VERSION, number);
    // curl/curl#10634: before 8.0 a plain HTTP/2 connection breaks when it is used again.
    const bool old = curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
    const bool alone = version == HttpVersion::TwoPriorKnowledge && old;
    set(easy, CURLOPT_FRESH_CONNECT, alone ? 1L : 0L);
    set(easy, CURLOPT_FORBID_REUSE, alone ? 1L : 0L);
}

bool EasyHandle::State::setUrl(const Setup& setup)
{
    if (url == *setup.url) return true;
    url = *setup.url;
    return (curl_easy_setopt)(easy, CURLOPT_URL, url.c_str()) == CURLE_OK;
}

EasyHandle::EasyHandle(std::unique_ptr<State> state) : m_state(std::move(state)) {}
EasyHandle::~EasyHandle() = default;

std::unique_ptr<EasyHandle> EasyHandle::create(const Share& share, SocketWatcher& watcher)
{
    auto state = std::make_unique<State>();
    state->easy = curl_easy_init();
    if (state->easy == nullptr) return nullptr;
    state->watcher = &watcher;
    state->setConstants(share);
    std::unique_ptr<EasyHandle> handle(new EasyHandle(std::move(state)));
    set(static_cast<CURL*>(handle->raw()), CURLOPT_PRIVATE, handle.get());
    return handle;
}

Result<void> EasyHandle::prepare(const Setup& setup, WireEvents& events)
{
    State& state = *m_state;
    state.events = &events;
    state.words[0] = '\0';
    state.headsSent = 0;
    state.opened.clear();
    state.setMethod(setup);
    state.setBody(setup);
    state.setPeers(setup);
    state.setVersion(setup);
    const bool headers = state.setHeaders(setup);
    if (!headers || !state.setUrl(setup)) return fail(Reason::Internal, "no memory for a request");
    return {};
}

void EasyHandle::reset() noexcept
{
    set(m_state->easy, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
    m_state->forgetHeaders();
    m_state->events = nullptr;
}

void* EasyHandle::raw() const noexcept { return m_state->easy; }

WireEvents& EasyHandle::noteEnd(int code)
{
    const auto words = static_cast<CURLcode>(code);
    m_state->uncork();
    m_state->problem = words == CURLE_OK           ? ""
                       : m_state->words[0] != '\0' ? m_state->words.data()
                                                   : curl_easy_strerror(words);
    return *m_state->events;
}

const std::string& EasyHandle::problem() const { return m_state->problem; }

} // namespace aiflow::curl
