#include "aiflow/providers.h"
#include "core/api/protocols/protocol.h"
#include "core/api/transport/http_transport.h"
#include "core/base/secret.h"
#include "core/base/text.h"
#include "core/facade/providers/remote_services.h"
#include "core/facade/workbench.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace aiflow {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestProbe{15'000};

// Probes under way and those that came back.
class Probes {
public:
    struct Arrived {
        std::size_t number;
        HttpEnd end;
    };
    void put(std::size_t number, HttpEnd end)
    {
        {
            const std::lock_guard lock(m_mutex);
            m_arrived.push_back({number, std::move(end)});
        }
        m_wake.notify_one();
    }
    Arrived take()
    {
        std::unique_lock lock(m_mutex);
        m_wake.wait(lock, [this] { return !m_arrived.empty(); });
        Arrived first = std::move(m_arrived.front());
        m_arrived.pop_front();
        return first;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Arrived> m_arrived; // guarded by m_mutex
};

AccountTest verdict(AccountVerdict what, std::string sentence, std::string hint)
{
    return {{}, what, redact(sentence), std::move(hint), {}};
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> words)
{
    const std::string folded = foldForMatching(text);
    return std::ranges::any_of(words, [&](std::string_view word) { return folded.find(word) != std::string::npos; });
}

AccountTest judgeConnection(const HttpEnd& end)
{
    if (end.ending == HttpEnding::TimedOut)
        return verdict(AccountVerdict::TimedOut, "no answer in time" + (end.error.empty() ? "" : ": " + end.error),
                       "try again; then check base_url and the proxy");
    if (mentions(end.error, {"ssl", "tls", "certificate"}))
        return verdict(AccountVerdict::TlsFailed, "no secure connection: " + end.error,
                       "check base_url and the clock; a private authority needs ca_file");
    if (end.ending == HttpEnding::TooLarge)
        return verdict(AccountVerdict::WrongAddress, "what answers is not this service: its answer is too large",
                       "check base_url");
    return verdict(AccountVerdict::CannotConnect, "cannot connect: " + end.error,
                   "check base_url, the network and the proxy");
}

AccountTest judgeFailure(const Failure& failure)
{
    const std::string words = failure.message.empty() ? "" : ": " + failure.message;
    switch (failure.failure) {
    case FailureClass::KeyRefused:
        return verdict(AccountVerdict::KeyRefused, "the key is refused" + words, "replace the key at its source");
    case FailureClass::QuotaExhausted:
        return verdict(AccountVerdict::QuotaEmpty, "the key works, its balance or quota is used up" + words,
                       "add credit at the provider");
    case FailureClass::Throttled:
        return verdict(AccountVerdict::RateLimited, "the key works, too many requests just now" + words,
                       "wait, or lower its limits");
    case FailureClass::Outage:
    case FailureClass::ServerError:
        return verdict(AccountVerdict::Outage, "the service has trouble" + words, "try again later");
    default:
        return verdict(AccountVerdict::WrongAddress, "what answers is not this service" + words, "check base_url");
    }
}

bool looksLikeHtml(const HttpEnd& end)
{
    const std::string* type = end.header("content-type");
    return type != nullptr && type->find("html") != std::string::npos;
}

AccountTest judge(const HttpEnd& end, ProtocolKind protocol)
{
    if (end.ending != HttpEnding::Complete) return judgeConnection(end);
    if (end.status >= 300 && end.status < 400)
        return verdict(AccountVerdict::WrongAddress, "the address leads elsewhere (" + std::to_string(end.status) + ")",
                       "check base_url");
    // It was asked for a job that cannot be.
    if (end.status == 404 && protocol == ProtocolKind::RemoteJob && !looksLikeHtml(end) && !end.body.empty())
        return verdict(AccountVerdict::Good, "answers", {});
    if (end.status == 404 || looksLikeHtml(end))
        return verdict(AccountVerdict::WrongAddress,
                       "what answers is not this service (" + std::to_string(end.status) + ")", "check base_url");
    if (const auto failure = classifyAnswer(protocol, end, end.body)) return judgeFailure(*failure);
    return verdict(AccountVerdict::Good, "answers", {});
}

struct Probe {
    std::size_t provider = 0;
    std::size_t account = 0;
};

class ProbeRound {
public:
    ProbeRound(const ApiSettings& settings, HttpTransport& transport,
               const std::function<void(const AccountTest&)>& told)
        : m_settings(settings), m_transport(transport), m_told(told)
    {
    }

    void start(std::size_t provider, std::size_t account)
    {
        const ProviderSettings& asked = m_settings.providers[provider];
        if (asked.protocol == ProtocolKind::Offline)
            return note(asked.accounts[account].name, verdict(AccountVerdict::Good, "stand-ins, always there", {}));
        auto exchange = protocolOf(asked.protocol).probe(asked, account);
        if (!exchange)
            return note(asked.accounts[account].name,
                        verdict(AccountVerdict::WrongAddress, exchange.error().message, exchange.error().hint));
        exchange->http.totalTimeout = std::min(exchange->http.totalTimeout, kLongestProbe);
        const std::size_t number = m_probes.size();
        m_probes.push_back({provider, account});
        m_transport.start(std::move(exchange->http),
                          {{}, [this, number](HttpId, HttpEnd end) { m_back.put(number, std::move(end)); }});
    }

    // A key that could not be loaded.
    void note(const std::string& account, AccountTest test)
    {
        test.account = account;
        m_tests.push_back(std::move(test));
        if (m_told) m_told(m_tests.back());
    }

    std::vector<AccountTest> finish()
    {
        for (std::size_t left = m_probes.size(); left > 0; --left) {
            Probes::Arrived arrived = m_back.take();
            const Probe& probe = m_probes[arrived.number];
            const ProviderSettings& provider = m_settings.providers[probe.provider];
            AccountTest test = judge(arrived.end, provider.protocol);
            test.latency = std::chrono::duration_cast<milliseconds>(arrived.end.latency);
            note(provider.accounts[probe.account].name, std::move(test));
        }
        std::ranges::stable_sort(m_tests, {}, &AccountTest::account);
        return std::move(m_tests);
    }

private:
    const ApiSettings& m_settings;
    HttpTransport& m_transport;
    const std::function<void(const AccountTest&)>& m_told;
    std::vector<Probe> m_probes;
    std::vector<AccountTest> m_tests;
    Probes m_back;
};

Result<void> checkName(const ApiSettings& settings, const std::string& name)
{
    std::vector<std::string> names;
    for (const ProviderSettings& provider : settings.providers) names.push_back(provider.name);
    if (std::ranges::find(names, name) != names.end()) return {};
    const auto near = nearestWord(name, names);
    return fail(Reason::UsageInvalid, "no provider is called \"" + name + "\"",
                near            ? "did you mean " + *near + "?"
                : names.empty() ? "none is configured"
                                : "there are: " + join(names, ", "));
}

} // namespace

Result<std::vector<AccountTest>> testProviders(const Surroundings& surroundings,
                                               const std::optional<std::string>& provider,
                                               const std::function<void(const AccountTest&)>& told)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    const RemoteServices& services = (*bench)->tools->services();
    if (provider)
        if (auto known = checkName(services.settings(), *provider); !known) return tl::unexpected(known.error());
    std::vector<Error> missing;
    auto settings = services.settingsWithKeys(provider, missing);
    if (!settings) return tl::unexpected(settings.error());
    auto transport = makeCurlTransport({}, (*bench)->clock);
    if (!transport) return tl::unexpected(transport.error());
    ProbeRound round(*settings, **transport, told);
    for (const ProviderSettings& asked : services.settings().providers) {
        if (provider && asked.name != *provider) continue;
        for (const AccountSettings& account : asked.accounts) {
            if (account.keySource.empty()) continue;
            if (auto key = Secret::load(account.name, account.keySource); !key)
                round.note(account.name, verdict(AccountVerdict::KeyMissing, key.error().message, key.error().hint));
        }
    }
    for (std::size_t p = 0; p < settings->providers.size(); ++p) {
        if (provider && settings->providers[p].name != *provider) continue;
        for (std::size_t a = 0; a < settings->providers[p].accounts.size(); ++a) round.start(p, a);
    }
    return round.finish();
}

int exitCodeOf(const std::vector<AccountTest>& tests) noexcept
{
    bool allGood = true;
    for (const AccountTest& test : tests) {
        if (test.verdict == AccountVerdict::KeyMissing || test.verdict == AccountVerdict::KeyRefused) return 4;
        allGood = allGood && test.verdict == AccountVerdict::Good;
    }
    return allGood ? 0 : 5;
}

} // namespace aiflow
