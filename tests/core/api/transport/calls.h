// Starts calls through the real transport and waits for their ends, for this folder's tests.
#pragma once

#include "core/api/transport/http_transport.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <QtTest>

namespace aiflow {

struct Told {
    std::optional<HttpEnd> end;
    int wires = 0;
    bool wireAfterEnd = false;
    BootTime wire{};
};

class Calls {
public:
    explicit Calls(TransportSettings settings = {})
    {
        auto made = makeCurlTransport(settings, m_clock);
        if (!made) qFatal("%s", made.error().message.c_str());
        m_transport = std::move(*made);
    }
    ~Calls() { m_transport.reset(); } // before what its listeners point to

    static HttpRequest post(std::string url, std::string body = R"({"prompt":"a shoe"})")
    {
        HttpRequest request;
        request.url = std::move(url);
        request.headers = {{"Content-Type", "application/json"}};
        request.body = textBody(std::move(body));
        request.plainAllowed = true;
        request.totalTimeout = std::chrono::seconds(20);
        return request;
    }
    static HttpRequest get(std::string url)
    {
        HttpRequest request = post(std::move(url));
        request.method = "GET";
        request.headers.clear();
        request.body.reset();
        return request;
    }
    static HttpRequest fetch(std::string url, std::vector<std::string> trusted = {})
    {
        HttpRequest request = get(std::move(url));
        request.untrusted = true;
        request.plainAllowed = false;
        request.trustedHosts = std::move(trusted);
        return request;
    }

    HttpId start(HttpRequest request)
    {
        HttpListener listener;
        listener.onWire = [this](HttpId id, BootTime at) {
            const std::lock_guard lock(m_mutex);
            Told& told = m_told[id];
            ++told.wires;
            told.wire = at;
            told.wireAfterEnd = told.end.has_value();
            m_changed.notify_all();
        };
        listener.ended = [this](HttpId id, HttpEnd end) {
            const std::lock_guard lock(m_mutex);
            if (m_told[id].end) qFatal("a call ended twice");
            m_told[id].end = std::move(end);
            ++m_ended;
            m_changed.notify_all();
        };
        return m_transport->start(std::move(request), std::move(listener));
    }
    // Waits for the end, at most a minute.
    Told await(HttpId id)
    {
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait_for(lock, std::chrono::minutes(1), [&] { return m_told[id].end.has_value(); }))
            qFatal("a call did not end");
        return m_told[id];
    }
    void awaitWire(HttpId id)
    {
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait_for(lock, std::chrono::minutes(1), [&] { return m_told[id].wires > 0; }))
            qFatal("a call did not reach the wire");
    }
    bool awaitEnded(int count)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::minutes(1), [&] { return m_ended >= count; });
    }
    Told run(HttpRequest request) { return await(start(std::move(request))); }
    HttpTransport& transport() { return *m_transport; }
    void drop() { m_transport.reset(); }
    Told told(HttpId id)
    {
        const std::lock_guard lock(m_mutex);
        return m_told[id];
    }

private:
    SystemClock m_clock;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<HttpId, Told> m_told;
    int m_ended = 0;
    std::unique_ptr<HttpTransport> m_transport;
};

inline const char* nameOf(HttpEnding ending)
{
    static constexpr const char* kNames[] = {"Complete", "NotSent",    "Broken",   "TimedOut",
                                             "TooLarge", "SinkFailed", "Cancelled"};
    return kNames[static_cast<std::size_t>(ending)];
}

// Compares endings by name, so that a failure can be read.
#define COMPARE_ENDING(call, wished)                                                                                   \
    do {                                                                                                               \
        const Told comparedTold = (call);                                                                              \
        const std::string endedSo = nameOf(comparedTold.end->ending);                                                  \
        QVERIFY2(comparedTold.end->ending == (wished), (endedSo + ": " + comparedTold.end->error).c_str());            \
    } while (false)

} // namespace aiflow
