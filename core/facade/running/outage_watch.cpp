#include "core/facade/running/outage_watch.h"

#include <algorithm>

namespace aiflow {

OutageWatch::OutageWatch(const ApiSettings& settings, const std::set<std::string>& routes, OutagePatience patience,
                         const Clock& clock, std::function<void()> stop)
    : m_patience(patience), m_clock(clock), m_stop(std::move(stop))
{
    for (const RouteSettings& route : settings.routes) {
        if (!routes.contains(route.name)) continue;
        Route& needed = m_routes.emplace_back(Route{route.name, {}});
        for (const RouteChoice& choice : route.choices) needed.providers.insert(settings.providerOf(choice.model).name);
    }
    for (const ProviderSettings& provider : settings.providers)
        for (const AccountSettings& account : provider.accounts) m_accounts[provider.name].insert(account.name);
    m_thread = std::thread([this] { watch(); });
}

OutageWatch::~OutageWatch()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

void OutageWatch::paused(const std::string& who, Reason reason, const std::string& detail)
{
    const std::lock_guard lock(m_mutex);
    m_pauses[who] = {reason, detail};
    look();
}

void OutageWatch::resumed(const std::string& who)
{
    const std::lock_guard lock(m_mutex);
    m_pauses.erase(who);
    look();
}

std::optional<Error> OutageWatch::cause() const
{
    const std::lock_guard lock(m_mutex);
    return m_cause;
}

bool OutageWatch::isAway(const std::string& provider) const
{
    if (m_pauses.contains(provider)) return true;
    const auto accounts = m_accounts.find(provider);
    return accounts != m_accounts.end() && !accounts->second.empty() &&
           std::ranges::all_of(accounts->second, [this](const auto& name) { return m_pauses.contains(name); });
}

bool OutageWatch::isRefused(const std::string& provider) const
{
    const auto refused = [this](const std::string& name) {
        const auto pause = m_pauses.find(name);
        return pause != m_pauses.end() && pause->second.reason == Reason::ProviderAuth;
    };
    if (m_pauses.contains(provider)) return refused(provider);
    return isAway(provider) && std::ranges::all_of(m_accounts.at(provider), refused);
}

const OutageWatch::Route* OutageWatch::routeWhose(bool (OutageWatch::*every)(const std::string&) const) const
{
    const auto found = std::ranges::find_if(m_routes, [&](const Route& route) {
        return !route.providers.empty() &&
               std::ranges::all_of(route.providers, [&](const auto& provider) { return (this->*every)(provider); });
    });
    return found == m_routes.end() ? nullptr : &*found;
}

void OutageWatch::look()
{
    const bool held = routeWhose(&OutageWatch::isAway) != nullptr;
    const bool refused = routeWhose(&OutageWatch::isRefused) != nullptr;
    if (held == m_heldSince.has_value() && refused == m_refused) return;
    m_refused = refused;
    if (held != m_heldSince.has_value()) m_heldSince = held ? std::optional(m_clock.monotonic()) : std::nullopt;
    m_wake.notify_all();
}

void OutageWatch::watch()
{
    std::unique_lock lock(m_mutex);
    while (!m_ending && !m_cause) {
        // A key that is refused stays so for as long as this process holds it: there is nothing to wait for.
        if (const Route* refused = m_refused ? routeWhose(&OutageWatch::isRefused) : nullptr) {
            give(*refused);
            continue;
        }
        if (!m_heldSince || (!m_patience.stopAtOnce && !m_patience.maxWait)) {
            m_wake.wait(lock);
            continue;
        }
        const auto waited = m_clock.monotonic() - *m_heldSince;
        if (m_patience.stopAtOnce || waited >= *m_patience.maxWait)
            give(*routeWhose(&OutageWatch::isAway));
        else
            m_wake.wait_for(lock, *m_patience.maxWait - waited);
    }
    const bool stops = m_cause.has_value();
    lock.unlock();
    if (stops) m_stop();
}

void OutageWatch::give(const Route& route)
{
    // The route's own pause, or that of one of its accounts.
    const auto why = std::ranges::find_if(m_pauses, [&](const auto& pause) {
        return std::ranges::any_of(route.providers, [&](const std::string& provider) {
            return pause.first == provider || pause.first.starts_with(provider + "/");
        });
    });
    std::string message = "stopped early: nobody answers the route \"" + route.name + "\"";
    if (why != m_pauses.end())
        message += " (" + why->first + (why->second.detail.empty() ? "" : ": ") + why->second.detail + ")";
    const char* const hint =
        m_refused ? "set a key that works, see aiflow-cli providers test; then aiflow-cli resume"
                  : "go on when it is back: aiflow-cli resume; without --on-outage stop and --max-wait a job waits";
    m_cause = Error{why == m_pauses.end() ? Reason::ProviderOutage : why->second.reason, std::move(message), hint,
                    std::nullopt};
}

} // namespace aiflow
