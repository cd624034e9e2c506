// Ends a job early when the services that its work needs do not answer: at once, or after a while.
#pragma once

#include "aiflow/result.h"
#include "core/api/settings/api_settings.h"
#include "core/base/clock.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace aiflow {

struct OutagePatience {
    bool stopAtOnce = false;
    std::optional<std::chrono::milliseconds> maxWait; // from when work has to wait
};

// Work has to wait when nobody is left to answer one of the routes: a service that is away while another one stands in
// for it holds nothing. A route all of whose keys are refused ends the job at once, whatever the patience.
// Threads: paused() and resumed(), from any, and quick; the rest from one. Owns one thread, which calls `stop` once.
class OutageWatch {
public:
    OutageWatch(const ApiSettings& settings, const std::set<std::string>& routes, OutagePatience patience,
                const Clock& clock, std::function<void()> stop);
    ~OutageWatch();
    OutageWatch(const OutageWatch&) = delete;
    OutageWatch& operator=(const OutageWatch&) = delete;

    // `who`: a provider, or one of its accounts.
    void paused(const std::string& who, Reason reason, const std::string& detail);
    void resumed(const std::string& who);
    // Why the job was stopped; nothing when it was not.
    std::optional<Error> cause() const;

private:
    struct Pause {
        Reason reason = Reason::ProviderOutage;
        std::string detail;
    };
    struct Route {
        std::string name;
        std::set<std::string> providers;
    };

    bool isAway(const std::string& provider) const;
    bool isRefused(const std::string& provider) const; // every key of it
    const Route* routeWhose(bool (OutageWatch::*every)(const std::string&) const) const;
    void look();
    void watch();
    void give(const Route& route);

    const OutagePatience m_patience;
    const Clock& m_clock;
    const std::function<void()> m_stop;
    std::vector<Route> m_routes;
    std::map<std::string, std::set<std::string>> m_accounts; // of each provider
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::map<std::string, Pause> m_pauses;    // guarded by m_mutex, as the rest
    std::optional<MonotonicTime> m_heldSince; // of the route that is held now
    bool m_refused = false;                   // a route has no key that works
    std::optional<Error> m_cause;
    bool m_ending = false;
    std::thread m_thread; // last: it uses all of the above
};

} // namespace aiflow
