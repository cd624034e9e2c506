#include "core/api/transport/event_loop.h"

#include <array>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

int numberOf(curl::LocalEnd end) { return (end.six ? 1 << 16 : 0) | end.port; }

int localEndOf(int socket)
{
    sockaddr_in6 address{}; // IPv4's port stands at the same place
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
    return numberOf({address.sin6_family == AF_INET6, ntohs(address.sin6_port)});
}

} // namespace

std::unique_ptr<EventLoop> EventLoop::create()
{
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    const int wakeUp = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::unique_ptr<EventLoop> loop(new EventLoop(epoll, wakeUp));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wakeUp;
    if (epoll < 0 || wakeUp < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event) != 0) return nullptr;
    return loop;
}

EventLoop::~EventLoop()
{
    if (m_wakeUp >= 0) ::close(m_wakeUp);
    if (m_epoll >= 0) ::close(m_epoll);
}

void EventLoop::wake() noexcept
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(m_wakeUp, &one, sizeof one);
}

EventLoop::Watched& EventLoop::at(int socket)
{
    const auto index = static_cast<std::size_t>(socket);
    if (index >= m_watched.size()) m_watched.resize(index + 64);
    return m_watched[index];
}

void EventLoop::note(int socket, Watched& watched, std::uint32_t wanted)
{
    watched.wanted = wanted;
    if (watched.changed) return;
    watched.changed = true;
    m_changed.push_back(socket);
}

void EventLoop::watch(int socket, curl::MultiHandle& owner, bool reads, bool writes)
{
    Watched& watched = at(socket);
    watched.owner = &owner;
    note(socket, watched, (reads ? std::uint32_t{EPOLLIN} : 0U) | (writes ? std::uint32_t{EPOLLOUT} : 0U));
}

void EventLoop::forget(int socket)
{
    Watched& watched = at(socket);
    note(socket, watched, 0);
    // Nobody tells when it is closed, and its number may come again at once.
    if (!watched.ours) apply(socket, watched);
}

void EventLoop::opened(int socket)
{
    Watched& watched = at(socket);
    watched.registered = 0;
    watched.ours = true;
}

int EventLoop::socketAt(curl::LocalEnd end, std::span<const int> candidates)
{
    const int wished = numberOf(end);
    if (const auto known = m_localEnds.find(wished); known != m_localEnds.end()) return known->second;
    for (const int socket : candidates) {
        Watched& watched = at(socket);
        if (!watched.ours || localEndOf(socket) != wished) continue;
        watched.localEnd = wished;
        m_localEnds[wished] = socket;
        return socket;
    }
    return -1;
}

void EventLoop::closing(int socket)
{
    Watched& watched = at(socket);
    if (watched.localEnd >= 0) m_localEnds.erase(std::exchange(watched.localEnd, -1));
    watched.wanted = 0;
    watched.registered = 0;
    watched.ours = false;
}

void EventLoop::apply(int socket, Watched& watched)
{
    if (watched.wanted == watched.registered) return;
    epoll_event event{};
    event.events = watched.wanted;
    event.data.fd = socket;
    const int what = watched.wanted == 0 ? EPOLL_CTL_DEL : watched.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    ::epoll_ctl(m_epoll, what, socket, &event);
    watched.registered = watched.wanted;
}

void EventLoop::applyChanges()
{
    for (const int socket : m_changed) {
        Watched& watched = at(socket);
        watched.changed = false;
        // A connection that rests stays registered: mostly it works again soon.
        if (watched.wanted != 0 || !watched.ours) apply(socket, watched);
    }
    m_changed.clear();
}

void EventLoop::handOn(int socket, std::uint32_t events)
{
    Watched& watched = at(socket);
    const std::uint32_t failed = EPOLLERR | EPOLLHUP;
    if (watched.wanted == 0) {
        apply(socket, watched); // resting, and closed by its peer
    } else if ((events & (watched.wanted | failed)) != 0) {
        watched.owner->socketReady(socket, (events & (EPOLLIN | EPOLLHUP)) != 0, (events & EPOLLOUT) != 0,
                                   (events & EPOLLERR) != 0);
    }
}

void EventLoop::wait(std::chrono::milliseconds limit)
{
    applyChanges();
    std::array<epoll_event, 256> events;
    const int count =
        ::epoll_wait(m_epoll, events.data(), static_cast<int>(events.size()), static_cast<int>(limit.count()));
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == m_wakeUp) {
            std::uint64_t times = 0;
            [[maybe_unused]] const ssize_t read = ::read(m_wakeUp, &times, sizeof times);
        } else {
            handOn(event.data.fd, event.events);
        }
    }
}

} // namespace aiflow
