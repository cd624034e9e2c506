// The transport on loopback: what 10,000 open calls cost, and how its calls compare with a bare libcurl multi loop's.
#include "core/api/transport/http_transport.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <curl/curl.h>
#include <fcntl.h>
#include <malloc.h>
#include <mutex>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unordered_map>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 121\r\n\r\n"
    R"({"choices":[{"message":{"content":"A light summer dress with a round neck."}}],"usage":{"input":212,"output":11}}        )";
const std::string kBody =
    R"({"model":"small","messages":[{"role":"user","content":"Write one sentence about the dress in row 20931."}]})";

// Answers every POST with the same bytes; "/hold" requests only once `holdUntil` of them are there.
class CannedServer {
public:
    explicit CannedServer(int holdUntil) : m_holdUntil(holdUntil) {}
    int listen()
    {
        m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(m_listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
        socklen_t size = sizeof address;
        ::getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size);
        ::listen(m_listener, 65'535);
        return ntohs(address.sin_port);
    }
    void run()
    {
        m_epoll = ::epoll_create1(0);
        watch(m_listener);
        std::array<epoll_event, 512> events{};
        while (true) {
            const int count = ::epoll_wait(m_epoll, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (fd == m_listener)
                    acceptAll();
                else
                    serve(fd);
            }
        }
    }

private:
    void watch(int fd) const
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        ::epoll_ctl(m_epoll, EPOLL_CTL_ADD, fd, &event);
    }
    void acceptAll() const
    {
        int fd = -1;
        while ((fd = ::accept4(m_listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(fd);
        }
    }
    void serve(int fd)
    {
        std::array<char, 16'384> bytes;
        const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            m_partial.erase(fd);
            ::close(fd);
            return;
        }
        std::string& partial = m_partial[fd];
        partial.append(bytes.data(), static_cast<std::size_t>(count));
        const auto end = partial.find("\r\n\r\n");
        // Every body of this benchmark is the same.
        if (end == std::string::npos || partial.size() < end + 4 + kBody.size()) return;
        const bool hold = partial.starts_with("POST /hold");
        partial.clear();
        if (hold)
            m_held.push_back(fd);
        else
            answer(fd);
        if (static_cast<int>(m_held.size()) < m_holdUntil) return;
        for (const int held : m_held) answer(held);
        m_held.clear();
    }
    static void answer(int fd)
    {
        [[maybe_unused]] const ssize_t sent = ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    }

    int m_holdUntil;
    int m_listener = -1;
    int m_epoll = -1;
    std::unordered_map<int, std::string> m_partial;
    std::vector<int> m_held;
};

double cpuSeconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t residentBytes()
{
    long pages = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * ::sysconf(_SC_PAGESIZE);
}

struct Speed {
    double callsPerSecond = 0;
    double cpuMicroseconds = 0;
    int bad = 0;
};

template <typename Run> Speed measured(int calls, Run run)
{
    const double cpu = cpuSeconds();
    const auto begin = std::chrono::steady_clock::now();
    const int bad = run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return {calls / took.count(), (cpuSeconds() - cpu) * 1e6 / calls, bad};
}

HttpRequest request(const std::string& url)
{
    HttpRequest request;
    request.url = url;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = textBody(kBody);
    request.plainAllowed = true;
    return request;
}

// Keeps `inFlight` calls open until `calls` are done.
class OurRun {
public:
    OurRun(HttpTransport& transport, std::string url, int calls, int inFlight)
        : m_transport(transport), m_url(std::move(url)), m_left(calls), m_open(inFlight)
    {
        m_left -= inFlight;
    }
    int run()
    {
        const int first = m_open;
        for (int i = 0; i < first; ++i) next();
        std::unique_lock lock(m_mutex);
        m_done.wait(lock, [&] { return m_open == 0; });
        return m_bad;
    }

private:
    void next()
    {
        HttpListener listener;
        listener.onWire = [](HttpId, BootTime) {};
        listener.ended = [this](HttpId, HttpEnd end) {
            const std::lock_guard lock(m_mutex);
            if (end.ending != HttpEnding::Complete || end.status != 200 || end.body.empty()) ++m_bad;
            if (m_left > 0) {
                --m_left;
                next();
            } else if (--m_open == 0) {
                m_done.notify_all();
            }
        };
        m_transport.start(request(m_url), std::move(listener));
    }

    HttpTransport& m_transport;
    std::string m_url;
    std::mutex m_mutex;
    std::condition_variable m_done;
    int m_left;
    int m_open;
    int m_bad = 0;
};

// The same with libcurl alone, as its manual shows it: handles used again, perform and poll. Its bodies are read by a
// callback, as a client's must be that may send nothing twice; or handed over as a field, which libcurl would send
// again by itself when a connection dies.
class BareRun {
public:
    BareRun(const std::string& url, bool resendable) : m_url(url), m_resendable(resendable)
    {
        curl_multi_setopt(m_multi, CURLMOPT_MAXCONNECTS, 10'000L);
        m_headers = curl_slist_append(nullptr, "Content-Type: application/json");
    }
    ~BareRun()
    {
        for (CURL* easy : m_easies) curl_easy_cleanup(easy);
        curl_multi_cleanup(m_multi);
        curl_slist_free_all(m_headers);
    }
    BareRun(const BareRun&) = delete;
    BareRun& operator=(const BareRun&) = delete;

    int run(int calls, int inFlight)
    {
        while (static_cast<int>(m_easies.size()) < inFlight) m_easies.push_back(makeEasy());
        for (int i = 0; i < inFlight; ++i) curl_multi_add_handle(m_multi, m_easies[static_cast<std::size_t>(i)]);
        int left = calls - inFlight;
        int running = inFlight;
        int bad = 0;
        while (running > 0) {
            curl_multi_perform(m_multi, &running);
            int waiting = 0;
            while (const CURLMsg* message = curl_multi_info_read(m_multi, &waiting)) {
                CURL* const easy = message->easy_handle;
                long status = 0;
                curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
                if (message->data.result != CURLE_OK || status != 200) ++bad;
                curl_multi_remove_handle(m_multi, easy);
                m_calls[easy] = {};
                if (left <= 0) continue;
                --left;
                curl_multi_add_handle(m_multi, easy);
                ++running;
            }
            if (running > 0) curl_multi_poll(m_multi, nullptr, 0, 1000, nullptr);
        }
        return bad;
    }

private:
    static std::size_t write(char* from, std::size_t size, std::size_t count, void* data)
    {
        static_cast<Call*>(data)->answer.append(from, size * count);
        return size * count;
    }
    static std::size_t read(char* into, std::size_t size, std::size_t count, void* data)
    {
        std::size_t& from = static_cast<Call*>(data)->read;
        const std::size_t part = std::min(size * count, kBody.size() - from);
        std::memcpy(into, kBody.data() + from, part);
        from += part;
        return part;
    }
    CURL* makeEasy()
    {
        CURL* const easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, m_url.c_str());
        if (m_resendable) {
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, kBody.c_str());
        } else {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(kBody.size()));
            curl_easy_setopt(easy, CURLOPT_READFUNCTION, &BareRun::read);
            curl_easy_setopt(easy, CURLOPT_READDATA, &m_calls[easy]);
        }
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, m_headers);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &BareRun::write);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &m_calls[easy]);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        return easy;
    }

    std::string m_url;
    bool m_resendable;
    CURLM* m_multi = curl_multi_init();
    curl_slist* m_headers = nullptr;
    std::vector<CURL*> m_easies;
    struct Call {
        std::string answer;
        std::size_t read = 0;
    };
    std::unordered_map<CURL*, Call> m_calls;
};

struct Held {
    int answered = 0;
    double bytesPerCall = 0;
    double cpuMicroseconds = 0;
};

// All calls on the wire at once, on the transport's one thread, then all answered.
Held holdOpen(HttpTransport& transport, const std::string& url, int calls)
{
    std::mutex mutex;
    std::condition_variable changed;
    int wired = 0, ended = 0;
    std::int64_t most = 0;
    Held held;
    ::malloc_trim(0);
    const std::int64_t before = residentBytes();
    const double cpu = cpuSeconds();
    for (int i = 0; i < calls; ++i) {
        HttpListener listener;
        listener.onWire = [&](HttpId, BootTime) {
            const std::lock_guard lock(mutex);
            if (++wired == calls) most = residentBytes();
        };
        listener.ended = [&](HttpId, HttpEnd end) {
            const std::lock_guard lock(mutex);
            if (end.ending == HttpEnding::Complete && end.status == 200)
                ++held.answered;
            else if (ended == held.answered)
                std::printf("a call failed: %s\n", end.error.c_str());
            ++ended;
            changed.notify_all();
        };
        HttpRequest call = request(url);
        call.connectTimeout = 60s;
        transport.start(std::move(call), std::move(listener));
    }
    std::unique_lock lock(mutex);
    changed.wait_for(lock, 120s, [&] { return ended == calls; });
    held.bytesPerCall = static_cast<double>(most - before) / calls;
    held.cpuMicroseconds = (cpuSeconds() - cpu) * 1e6 / calls;
    return held;
}

struct Comparison {
    Speed ours, bare, resendable;
    double ratio = 0;    // of calls per second, the median of rounds
    double cpuRatio = 0; // the bare loop's CPU per call by ours
    double resendableRatio = 0;
};

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// One after the other in turns, so that what else the machine does hits both.
Comparison compared(HttpTransport& transport, const std::string& url, int calls, int inFlight)
{
    BareRun bare(url, false), resendable(url, true);
    std::vector<double> ratios, cpuRatios, resendableRatios;
    Comparison best;
    const auto keep = [](Speed& fastest, const Speed& now) {
        const int bad = fastest.bad + now.bad;
        if (now.callsPerSecond > fastest.callsPerSecond) fastest = now;
        fastest.bad = bad;
    };
    for (int round = 0; round < 8; ++round) {
        const Speed ours = measured(calls, [&] { return OurRun(transport, url, calls, inFlight).run(); });
        const Speed theirs = measured(calls, [&] { return bare.run(calls, inFlight); });
        const Speed field = measured(calls, [&] { return resendable.run(calls, inFlight); });
        std::printf("%5d in flight: ours %6.0f calls/s %5.1f us, bare %6.0f calls/s %5.1f us, with a body that libcurl "
                    "may send again %6.0f calls/s %5.1f us\n",
                    inFlight, ours.callsPerSecond, ours.cpuMicroseconds, theirs.callsPerSecond, theirs.cpuMicroseconds,
                    field.callsPerSecond, field.cpuMicroseconds);
        std::fflush(stdout);
        if (round == 0) continue; // connections are opened
        ratios.push_back(ours.callsPerSecond / theirs.callsPerSecond);
        cpuRatios.push_back(theirs.cpuMicroseconds / ours.cpuMicroseconds);
        resendableRatios.push_back(ours.callsPerSecond / field.callsPerSecond);
        keep(best.ours, ours);
        keep(best.bare, theirs);
        keep(best.resendable, field);
    }
    best.resendableRatio = median(resendableRatios);
    best.ratio = median(ratios);
    best.cpuRatio = median(cpuRatios);
    return best;
}

} // namespace

// An argument limits the comparison to that many in flight.
int main(int count, char** arguments)
{
    const int only = count > 1 ? std::atoi(arguments[1]) : 0;
    constexpr int kOpen = 10'000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    CannedServer server(kOpen);
    const int port = server.listen();
    const pid_t child = ::fork();
    if (child == 0) server.run();
    const std::string base = "http://127.0.0.1:" + std::to_string(port);

    SystemClock clock;
    Held held;
    Comparison few, many;
    {
        auto transport = makeCurlTransport({}, clock);
        if (!transport) return 1;
        if (only == 0 || only == 64) few = compared(**transport, base + "/v1", 20'000, 64);
        if (only == 0 || only == 1'000) many = compared(**transport, base + "/v1", 20'000, 1'000);
    }
    if (only == 0) {
        auto transport = makeCurlTransport({}, clock);
        if (!transport) return 1;
        held = holdOpen(**transport, base + "/hold", kOpen);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    constexpr double kBytesBar = 25 * 1024;
    constexpr double kRatioBar = 0.8;
    const bool ok = held.answered == kOpen && held.bytesPerCall <= kBytesBar && few.ratio >= kRatioBar &&
                    many.ratio >= kRatioBar && few.ours.bad + few.bare.bad + many.ours.bad + many.bare.bad == 0;
    std::printf("{\"bench\":\"transport\",\"open_calls\":%d,\"answered\":%d,\"bytes_per_open_call\":%.0f,"
                "\"bytes_bar\":%.0f,\"cpu_us_per_open_call\":%.1f,",
                kOpen, held.answered, held.bytesPerCall, kBytesBar, held.cpuMicroseconds);
    for (const auto& [name, result] : {std::pair("64", few), std::pair("1000", many)})
        std::printf("\"calls_per_s_%s\":%.0f,\"bare_calls_per_s_%s\":%.0f,\"cpu_us_%s\":%.1f,\"bare_cpu_us_%s\":%.1f,"
                    "\"ratio_%s\":%.2f,\"cpu_ratio_%s\":%.2f,\"resendable_ratio_%s\":%.2f,",
                    name, result.ours.callsPerSecond, name, result.bare.callsPerSecond, name,
                    result.ours.cpuMicroseconds, name, result.bare.cpuMicroseconds, name, result.ratio, name,
                    result.cpuRatio, name, result.resendableRatio);
    std::printf("\"ratio_bar\":%.2f,\"ok\":%s}\n", kRatioBar, ok ? "true" : "false");
    return ok ? 0 : 1;
}
