// Waits for the sockets of libcurl's multi handles and for other threads, with as few system calls as it can.
#pragma once

#include "core/api/transport/curl_library.h"

#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace aiflow {

// Threads: the loop's own; wake() from any.
class EventLoop final : public curl::SocketWatcher {
public:
    // Null when the system gives no epoll.
    static std::unique_ptr<EventLoop> create();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Waits at most `limit` (negative: for ever) and hands on what is ready.
    void wait(std::chrono::milliseconds limit);
    void wake() noexcept;

    void watch(int socket, curl::MultiHandle& owner, bool reads, bool writes) override;
    void forget(int socket) override;
    void opened(int socket) override;
    void closing(int socket) override;
    int socketAt(curl::LocalEnd end, std::span<const int> candidates) override;

private:
    struct Watched {
        curl::MultiHandle* owner = nullptr;
        std::uint32_t wanted = 0;     // what libcurl wants to hear of
        std::uint32_t registered = 0; // what the system tells
        bool ours = false;            // its closing is told, so that `registered` stays true without a call
        bool changed = false;
        int localEnd = -1; // its place in m_localEnds
    };
    EventLoop(int epoll, int wakeUp) : m_epoll(epoll), m_wakeUp(wakeUp) {}
    Watched& at(int socket);
    void note(int socket, Watched& watched, std::uint32_t wanted);
    void applyChanges();
    void apply(int socket, Watched& watched);
    void handOn(int socket, std::uint32_t events);

    int m_epoll;
    int m_wakeUp;
    std::vector<Watched> m_watched; // by socket
    std::vector<int> m_changed;
    std::unordered_map<int, int> m_localEnds; // sockets by what localEndOf() tells
};

} // namespace aiflow
