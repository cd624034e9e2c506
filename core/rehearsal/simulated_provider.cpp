#include "core/rehearsal/simulated_provider.h"

#include "core/rehearsal/http_connection.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <sys/socket.h>
#include <thread>

namespace aiflow {

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr std::int64_t kAcceptRetryNs = 100'000'000; // out of descriptors: some may be free then

// Signals belong to the program's own threads.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &m_before);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t m_before{};
};

class LoopbackProvider final : public SimulatedProvider {
public:
    LoopbackProvider(SimulatedWorld world, std::unique_ptr<CallLedger> ledger)
        : m_wantedPort(world.port), m_desk(std::move(world), std::move(ledger), ServerLoop::now()), m_loop(m_desk),
          m_work(asio::make_work_guard(m_loop.context)), m_acceptor(m_loop.context)
    {
    }
    ~LoopbackProvider() override
    {
        m_loop.context.stop();
        if (m_thread.joinable()) m_thread.join();
    }

    Result<void> listen()
    {
        ErrorCode error;
        const Tcp::endpoint here(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(m_wantedPort));
        m_acceptor.open(Tcp::v4(), error);
        if (!error) m_acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
        if (!error) m_acceptor.bind(here, error);
        if (!error) m_acceptor.listen(kBacklog, error);
        if (error)
            return fail(Reason::Internal, "the simulated services cannot listen at 127.0.0.1:" +
                                              std::to_string(m_wantedPort) + ": " + error.message());
        // Here already, so that the first bytes of a connection carry their time too.
        const int on = 1;
        ::setsockopt(m_acceptor.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        m_desk.setPort(m_acceptor.local_endpoint().port());
        accept();
        const SignalsBlocked quiet;
        m_thread = std::thread([this] { m_loop.context.run(); });
        return {};
    }

    int port() const override { return m_desk.port(); }
    std::string baseUrl(const std::string& service) const override { return m_desk.baseUrl(service); }
    std::vector<LedgerEntry> ledger() const override { return m_desk.ledger(); }
    Verdict verdict() const override { return m_desk.verdict(); }
    void addFault(const std::string& service, SimulatedFault fault) override
    {
        m_desk.addFault(service, std::move(fault));
    }
    void clearFaults() override { m_desk.clearFaults(); }
    std::int64_t open() const override { return m_desk.open(); }

private:
    void accept()
    {
        m_acceptor.async_accept([this](ErrorCode error, Tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) {
                m_loop.at(ServerLoop::now() + kAcceptRetryNs, [this] { accept(); });
                return;
            }
            std::make_shared<HttpConnection>(std::move(socket), m_loop)->start();
            accept();
        });
    }

    const int m_wantedPort;
    ServiceDesk m_desk;
    ServerLoop m_loop;
    asio::executor_work_guard<asio::io_context::executor_type> m_work;
    Tcp::acceptor m_acceptor;
    std::thread m_thread;
};

} // namespace

Result<std::unique_ptr<SimulatedProvider>> SimulatedProvider::start(SimulatedWorld world)
{
    if (!(world.speed > 0)) return fail(Reason::UsageInvalid, "the speed of simulated services must be above 0");
    auto ledger = CallLedger::open(world.ledgerFile, world.keepEntries);
    if (!ledger) return tl::unexpected(ledger.error());
    auto provider = std::make_unique<LoopbackProvider>(std::move(world), std::move(*ledger));
    if (auto listening = provider->listen(); !listening) return tl::unexpected(listening.error());
    return provider;
}

} // namespace aiflow
