#include "core/api/transport/curl_library.h"

#include <curl/curl.h>

namespace aiflow::curl {

struct MultiHandle::State {
    CURLM* multi = curl_multi_init();
    SocketWatcher* watcher = nullptr;
    MultiHandle* owner = nullptr;
    std::optional<std::chrono::steady_clock::time_point> due;
    std::vector<std::pair<CURL*, CURLcode>> over; // used by drain() alone

    ~State() { curl_multi_cleanup(multi); }

    static int watch(CURL*, curl_socket_t fd, int what, void* data, void*)
    {
        State& state = *static_cast<State*>(data);
        if (what == CURL_POLL_REMOVE)
            state.watcher->forget(fd);
        else
            state.watcher->watch(fd, *state.owner, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
        return 0;
    }

    static int setTimer(CURLM*, long milliseconds, void* data)
    {
        State& state = *static_cast<State*>(data);
        state.due.reset();
        if (milliseconds >= 0) state.due = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
        return 0;
    }
};

MultiHandle::MultiHandle(std::unique_ptr<State> state) : m_state(std::move(state)) { m_state->owner = this; }
MultiHandle::~MultiHandle() = default;

std::unique_ptr<MultiHandle> MultiHandle::create(SocketWatcher& watcher, const MultiLimits& limits)
{
    auto state = std::make_unique<State>();
    if (state->multi == nullptr) return nullptr;
    CURLM* const multi = state->multi;
    state->watcher = &watcher;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, state.get());
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::setTimer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, state.get());
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, limits.multiplex ? long{CURLPIPE_MULTIPLEX} : long{CURLPIPE_NOTHING});
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(limits.connectionsPerHost));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(limits.connectionsKept));
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000L);
    return std::unique_ptr<MultiHandle>(new MultiHandle(std::move(state)));
}

Result<void> MultiHandle::add(EasyHandle& easy)
{
    const CURLMcode code = curl_multi_add_handle(m_state->multi, easy.raw());
    if (code != CURLM_OK) return fail(Reason::Internal, std::string("libcurl: ") + curl_multi_strerror(code));
    return {};
}

void MultiHandle::remove(EasyHandle& easy) { curl_multi_remove_handle(m_state->multi, easy.raw()); }

void MultiHandle::socketReady(int socket, bool reads, bool writes, bool failed)
{
    const int what = (reads ? CURL_CSELECT_IN : 0) | (writes ? CURL_CSELECT_OUT : 0) | (failed ? CURL_CSELECT_ERR : 0);
    int running = 0;
    curl_multi_socket_action(m_state->multi, socket, what, &running);
}

std::optional<std::chrono::steady_clock::time_point> MultiHandle::due() const { return m_state->due; }

void MultiHandle::tick()
{
    m_state->due.reset();
    int running = 0;
    curl_multi_socket_action(m_state->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void MultiHandle::drain(const Ended& ended)
{
    // All messages first: libcurl looks through those that wait for every handle that is removed.
    auto& over = m_state->over;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(m_state->multi, &left))
        if (message->msg == CURLMSG_DONE) over.emplace_back(message->easy_handle, message->data.result);
    for (std::size_t i = 0; i < over.size(); ++i) {
        const auto [easy, code] = over[i];
        char* data = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &data);
        curl_multi_remove_handle(m_state->multi, easy);
        WireEvents& events = reinterpret_cast<EasyHandle*>(data)->noteEnd(code);
        ended(events, code == CURLE_OK, code == CURLE_OPERATION_TIMEDOUT);
    }
    over.clear();
}

} // namespace aiflow::curl
