// The one place that names libcurl: URLs, transfers and the multi handle, in the words of this folder.
#pragma once

#include "aiflow/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace aiflow::curl {

struct Url {
    std::string text;   // as it will be requested: numeric hosts in their usual form
    std::string scheme; // lower case
    std::string host;   // lower case, without brackets and without the dot at its end
    int port = 0;
};
// `relative` is resolved against `base` when one is given. Error: InputFieldBad, without the URL's query.
Result<Url> parseUrl(const std::string& text, const std::string& base = {});

// What a transfer asks and tells while it runs. Threads: the loop's; nothing of the multi handle may be called.
class WireEvents {
public:
    // A connection to this address is about to be opened.
    virtual bool mayConnect(const sockaddr& address) = 0;
    // Connected, and the request's first byte is about to leave. False: it must not.
    virtual bool aboutToSend(std::string_view address, bool http2) = 0;
    // 0: the end. Nothing: the body cannot be read, give up.
    virtual std::optional<std::size_t> readBody(std::span<std::byte> into) = 0;
    // `headBytes` and `bodyBytes` of the request are with the system.
    virtual void sentSoFar(std::int64_t headBytes, std::int64_t bodyBytes) = 0;
    virtual bool headerLine(std::string_view line) = 0;             // with its line end; false: give up
    virtual bool answerBytes(std::span<const std::byte> bytes) = 0; // decompressed; false: give up
    virtual bool wantsSentSoFar() const = 0;                        // false: sentSoFar() is not needed (again)

protected:
    ~WireEvents() = default;
};

enum class HttpVersion : std::uint8_t { One, Two, TwoPriorKnowledge };

struct Setup {
    std::string_view method;
    const std::string* url = nullptr;
    const std::vector<std::string>* headers = nullptr; // "Name: value"; the handle's copies are wiped by reset()
    std::int64_t bodySize = -1;                        // -1: no body
    HttpVersion version = HttpVersion::One;
    std::string caFile;
    std::string proxy;
    std::chrono::milliseconds connectTimeout{0};
};

// A connection's end on this machine.
struct LocalEnd {
    bool six = false; // IPv6
    int port = 0;
};

// Told which sockets to watch, on the loop's thread.
class MultiHandle;
class SocketWatcher {
public:
    virtual void watch(int socket, MultiHandle& owner, bool reads, bool writes) = 0;
    virtual void forget(int socket) = 0;
    virtual void opened(int socket) = 0;
    virtual void closing(int socket) = 0;
    // The open socket with this local end, one of `candidates` if it was not asked for before; -1: not known.
    virtual int socketAt(LocalEnd end, std::span<const int> candidates) = 0;

protected:
    ~SocketWatcher() = default;
};

// DNS answers and TLS sessions that several multi handles of one thread have in common.
class Share {
public:
    Share();
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    void* raw() const noexcept { return m_share; }

private:
    void* m_share = nullptr;
};

// One transfer's handle; used again for the next after a good end.
class EasyHandle {
public:
    // Null when there is no memory.
    static std::unique_ptr<EasyHandle> create(const Share& share, SocketWatcher& watcher);
    ~EasyHandle();
    EasyHandle(const EasyHandle&) = delete;
    EasyHandle& operator=(const EasyHandle&) = delete;

    Result<void> prepare(const Setup& setup, WireEvents& events);
    void reset() noexcept;              // forgets headers and events
    const std::string& problem() const; // the library's words after a bad end

private:
    friend class MultiHandle;
    struct State;
    void* raw() const noexcept;
    WireEvents& noteEnd(int code);
    explicit EasyHandle(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

struct MultiLimits {
    std::int64_t connectionsPerHost = 0; // 0: any number
    std::int64_t connectionsKept = 0;
    bool multiplex = false;
};

class MultiHandle {
public:
    using Ended = std::function<void(WireEvents&, bool good, bool timedOut)>;
    // Null when libcurl cannot be set up.
    static std::unique_ptr<MultiHandle> create(SocketWatcher& watcher, const MultiLimits& limits);
    ~MultiHandle();
    MultiHandle(const MultiHandle&) = delete;
    MultiHandle& operator=(const MultiHandle&) = delete;

    Result<void> add(EasyHandle& easy);
    void remove(EasyHandle& easy);
    void socketReady(int socket, bool reads, bool writes, bool failed);
    // When tick() wants to be called.
    std::optional<std::chrono::steady_clock::time_point> due() const;
    void tick();
    // Calls `ended` for each transfer that is over; it is removed already.
    void drain(const Ended& ended);

private:
    struct State;
    explicit MultiHandle(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

// Once in a process; from any thread. False: libcurl cannot be used.
bool setUpLibrary();

} // namespace aiflow::curl
