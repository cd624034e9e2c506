#include "core/api/transport/admission.h"
#include "core/api/transport/curl_library.h"
#include "core/api/transport/event_loop.h"
#include "core/api/transport/http_transport.h"
#include "core/api/transport/transfer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <pthread.h>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>

namespace aiflow {

namespace {

constexpr std::int64_t kUntrustedOpen = 256; // each may cost a thread that resolves its name
constexpr std::size_t kSpareHandles = 256;

// How many calls may be open: a socket each, and the rest of the program needs files too.
std::int64_t openFileAllowance()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    if (limit.rlim_cur < limit.rlim_max) {
        const rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    }
    const auto files = static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
    return std::max<std::int64_t>(files - std::min<std::int64_t>(files / 4, 1024), 16);
}

// Connections of one kind, with the handles that were used on them.
struct Pool {
    curl::Share* share = nullptr;
    std::unique_ptr<curl::MultiHandle> multi;
    std::vector<std::unique_ptr<curl::EasyHandle>>* spare = nullptr;
};

using Checks = std::multimap<MonotonicTime, HttpId>;

struct OpenCall {
    std::unique_ptr<Transfer> transfer;
    std::unique_ptr<curl::EasyHandle> easy; // null: it waits for its place
    Pool* pool = nullptr;
    Checks::iterator check{};
};

struct Command {
    HttpId id = 0;
    std::unique_ptr<Transfer> transfer; // null: cancel
};

class CurlTransport final : public HttpTransport, private TransferObserver {
public:
    CurlTransport(const TransportSettings& settings, const Clock& clock)
        : m_settings(settings), m_clock(clock), m_admission(settings.maxOpen, kUntrustedOpen)
    {
    }
    ~CurlTransport() override;
    bool setUp();

    HttpId start(HttpRequest request, HttpListener listener) override;
    void cancel(HttpId id) override { post({id, nullptr}); }
    std::int64_t open() const override { return m_openCount.load(std::memory_order_relaxed); }

private:
    using Calls = std::unordered_map<HttpId, OpenCall>;

    bool setUpPool(PoolKind kind, curl::Share& share, std::vector<std::unique_ptr<curl::EasyHandle>>& spare,
                   const curl::MultiLimits& limits);
    void post(Command command);
    void run();
    bool takeCommands();
    void arrive(std::unique_ptr<Transfer> transfer);
    void cancelNow(HttpId id);
    void openWaiting();
    void openCall(Calls::iterator call, const Admitted& admitted);
    void tickPools();
    void drainPools();
    void ended(Transfer& transfer, bool good, bool timedOut);
    bool followRedirect(OpenCall& call);
    void checkLate();
    void finish(Calls::iterator call, bool good, bool timedOut, const std::string& words);
    void putBack(OpenCall& call, bool good);
    void dropAll();
    std::chrono::milliseconds untilNext() const;
    void connected(Transfer& transfer, bool http2) override;

    TransportSettings m_settings;
    const Clock& m_clock;
    std::atomic<HttpId> m_lastId{0};
    std::atomic<std::int64_t> m_openCount{0};

    std::mutex m_mutex;
    std::vector<Command> m_commands; // guarded
    bool m_stopping = false;         // guarded

    // The loop's own. Handles end before what they point to.
    std::unique_ptr<EventLoop> m_loop;
    curl::Share m_share, m_untrustedShare;
    std::array<Pool, 3> m_pools;
    std::vector<std::unique_ptr<curl::EasyHandle>> m_spare, m_untrustedSpare;
    Calls m_calls;
    Checks m_checks;
    Admission m_admission;
    bool m_again = false; // there may be something to do before the next wait
    std::thread m_thread;
};

bool CurlTransport::setUpPool(PoolKind kind, curl::Share& share, std::vector<std::unique_ptr<curl::EasyHandle>>& spare,
                              const curl::MultiLimits& limits)
{
    Pool& pool = m_pools[static_cast<std::size_t>(kind)];
    pool.share = &share;
    pool.spare = &spare;
    pool.multi = curl::MultiHandle::create(*m_loop, limits);
    return pool.multi != nullptr;
}

bool CurlTransport::setUp()
{
    m_loop = EventLoop::create();
    if (m_loop == nullptr) return false;
    const curl::MultiLimits single{0, m_settings.maxOpen, false};
    const curl::MultiLimits multiplexed{m_settings.connectionsPerHostHttp2, m_settings.maxOpen, true};
    const curl::MultiLimits untrusted{0, kUntrustedOpen, false};
    if (!setUpPool(PoolKind::Single, m_share, m_spare, single) ||
        !setUpPool(PoolKind::Multiplexed, m_share, m_spare, multiplexed) ||
        !setUpPool(PoolKind::Untrusted, m_untrustedShare, m_untrustedSpare, untrusted))
        return false;
    m_thread = std::thread([this] { run(); });
    return true;
}

CurlTransport::~CurlTransport()
{
    if (!m_thread.joinable()) return;
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_loop->wake();
    m_thread.join();
}

HttpId CurlTransport::start(HttpRequest request, HttpListener listener)
{
    const HttpId id = ++m_lastId;
    m_openCount.fetch_add(1, std::memory_order_relaxed);
    post({id, std::make_unique<Transfer>(id, std::move(request), std::move(listener))});
    return id;
}

void CurlTransport::post(Command command)
{
    bool first = false;
    {
        const std::lock_guard lock(m_mutex);
        first = m_commands.empty();
        m_commands.push_back(std::move(command));
    }
    if (std::this_thread::get_id() == m_thread.get_id())
        m_again = true;
    else if (first)
        m_loop->wake();
}

void CurlTransport::run()
{
    // Signals are the program's; a peer that is gone is an error of its call, not one of them.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "aiflow-http");
    while (takeCommands()) {
        openWaiting();
        tickPools();
        drainPools();
        checkLate();
        m_loop->wait(untilNext());
        drainPools();
    }
    dropAll();
}

bool CurlTransport::takeCommands()
{
    std::vector<Command> commands;
    {
        const std::lock_guard lock(m_mutex);
        if (m_stopping) return false;
        m_again = false;
        commands.swap(m_commands);
    }
    for (Command& command : commands) {
        if (command.transfer != nullptr)
            arrive(std::move(command.transfer));
        else
            cancelNow(command.id);
    }
    return true;
}

void CurlTransport::arrive(std::unique_ptr<Transfer> transfer)
{
    const HttpId id = transfer->id();
    const bool refused = transfer->refusal().has_value();
    CallWish wish{id, {}, transfer->request().version, false, transfer->request().untrusted};
    if (!refused) {
        const curl::Url& url = transfer->url();
        wish.https = url.scheme == "https";
        wish.origin = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
    }
    const auto call = m_calls.emplace(id, OpenCall{std::move(transfer), nullptr, nullptr, m_checks.end()}).first;
    if (refused)
        finish(call, false, false, {});
    else
        m_admission.arrive(std::move(wish));
}

void CurlTransport::cancelNow(HttpId id)
{
    const auto call = m_calls.find(id);
    if (call == m_calls.end()) return;
    call->second.transfer->cancel();
    finish(call, false, false, {});
}

void CurlTransport::openWaiting()
{
    while (const auto admitted = m_admission.next()) {
        const auto call = m_calls.find(admitted->id);
        if (call == m_calls.end())
            m_admission.ended(admitted->id); // cancelled while it waited
        else
            openCall(call, *admitted);
    }
}

void CurlTransport::openCall(Calls::iterator call, const Admitted& admitted)
{
    OpenCall& open = call->second;
    open.pool = &m_pools[static_cast<std::size_t>(admitted.pool)];
    auto& spare = *open.pool->spare;
    if (spare.empty()) {
        open.easy = curl::EasyHandle::create(*open.pool->share, *m_loop);
    } else {
        open.easy = std::move(spare.back());
        spare.pop_back();
    }
    Transfer& transfer = *open.transfer;
    transfer.begin(m_clock, *this, m_settings.stallTimeout);
    const MonotonicTime now = m_clock.monotonic();
    open.check = m_checks.emplace(transfer.nextCheck(now), transfer.id());
    if (open.easy == nullptr) return finish(call, false, false, "no memory for another call");
    auto ready = open.easy->prepare(transfer.setup(admitted.version), transfer);
    if (ready) ready = open.pool->multi->add(*open.easy);
    if (ready) return;
    open.easy.reset();
    finish(call, false, false, ready.error().message);
}

void CurlTransport::tickPools()
{
    for (Pool& pool : m_pools) {
        const auto due = pool.multi->due();
        if (due && *due <= std::chrono::steady_clock::now()) pool.multi->tick();
    }
}

void CurlTransport::drainPools()
{
    for (Pool& pool : m_pools) {
        pool.multi->drain([this](curl::WireEvents& events, bool good, bool timedOut) {
            ended(static_cast<Transfer&>(events), good, timedOut);
        });
    }
}

void CurlTransport::ended(Transfer& transfer, bool good, bool timedOut)
{
    const auto call = m_calls.find(transfer.id());
    if (call == m_calls.end()) return;
    if (good && followRedirect(call->second)) return;
    const std::string words = call->second.easy->problem();
    putBack(call->second, good);
    finish(call, good, timedOut, words);
}

bool CurlTransport::followRedirect(OpenCall& call)
{
    Transfer& transfer = *call.transfer;
    if (!transfer.followRedirect()) return false;
    transfer.begin(m_clock, *this, m_settings.stallTimeout);
    m_again = true;
    return call.easy->prepare(transfer.setup(curl::HttpVersion::One), transfer) && call.pool->multi->add(*call.easy);
}

void CurlTransport::putBack(OpenCall& call, bool good)
{
    // After a bad end libcurl's handle may still want to rewind a body: it is not used again.
    if (good && call.pool->spare->size() < kSpareHandles) {
        call.easy->reset();
        call.pool->spare->push_back(std::move(call.easy));
    }
    call.easy.reset();
}

void CurlTransport::checkLate()
{
    const MonotonicTime now = m_clock.monotonic();
    while (!m_checks.empty() && m_checks.begin()->first <= now) {
        const HttpId id = m_checks.begin()->second;
        m_checks.erase(m_checks.begin());
        const auto call = m_calls.find(id);
        OpenCall& open = call->second;
        open.check = m_checks.end();
        const bool patient = !open.transfer->hasSocket() && m_admission.isKnown(id);
        if (open.transfer->isLate(now, patient))
            finish(call, false, true, {});
        else
            open.check = m_checks.emplace(open.transfer->nextCheck(now), id);
    }
}

void CurlTransport::finish(Calls::iterator call, bool good, bool timedOut, const std::string& words)
{
    OpenCall open = std::move(call->second);
    m_calls.erase(call);
    if (open.check != m_checks.end()) m_checks.erase(open.check);
    if (open.easy != nullptr) open.pool->multi->remove(*open.easy);
    open.easy.reset();
    m_admission.ended(open.transfer->id());
    m_openCount.fetch_sub(1, std::memory_order_relaxed);
    m_again = true;
    open.transfer->end(m_clock, good, timedOut, words);
}

void CurlTransport::dropAll()
{
    std::vector<Command> commands;
    {
        const std::lock_guard lock(m_mutex);
        commands.swap(m_commands);
    }
    for (Command& command : commands)
        if (command.transfer != nullptr) arrive(std::move(command.transfer));
    while (!m_calls.empty()) cancelNow(m_calls.begin()->first);
}

std::chrono::milliseconds CurlTransport::untilNext() const
{
    using std::chrono::milliseconds;
    if (m_again) return milliseconds(0);
    milliseconds wait(1000);
    const auto shorten = [&](auto until) {
        // Rounded up: waking early would only mean to wait again.
        wait = std::min(wait, std::chrono::ceil<milliseconds>(until));
    };
    if (!m_checks.empty()) shorten(m_checks.begin()->first - m_clock.monotonic());
    for (const Pool& pool : m_pools)
        if (const auto due = pool.multi->due()) shorten(*due - std::chrono::steady_clock::now());
    return std::max(wait, milliseconds(0));
}

void CurlTransport::connected(Transfer& transfer, bool http2)
{
    m_admission.connected(transfer.id(), http2);
    m_again = true;
}

} // namespace

Result<std::unique_ptr<HttpTransport>> makeCurlTransport(const TransportSettings& settings, const Clock& clock)
{
    if (!curl::setUpLibrary()) return fail(Reason::Internal, "libcurl cannot be set up", "run: aiflow-cli doctor");
    TransportSettings allowed = settings;
    allowed.maxOpen = std::clamp<std::int64_t>(settings.maxOpen, 1, openFileAllowance());
    auto transport = std::make_unique<CurlTransport>(allowed, clock);
    if (!transport->setUp())
        return fail(Reason::Internal, "libcurl's multi handle or epoll cannot be set up", "check ulimit -n");
    return transport;
}

} // namespace aiflow
