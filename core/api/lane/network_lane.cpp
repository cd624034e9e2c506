#include "core/api/lane/network_lane.h"

#include "core/api/lane/call_desk.h"
#include "core/api/lane/route_identity.h"
#include "core/api/offline_lane.h"

#include <algorithm>
#include <thread>

namespace aiflow {

namespace {

using std::chrono::milliseconds;

// Commands of the destructor: nothing more comes in, and an unanswering journal is not waited for any longer.
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kViewAge = milliseconds(200);

std::unique_ptr<ApiLane> standInsFor(const ApiSettings& settings)
{
    OfflineSettings offline;
    offline.routes.clear();
    for (const RouteSettings& route : settings.routes)
        offline.routes[route.name] = route.kind == RouteKind::Image ? OfflineKind::Image : OfflineKind::Text;
    return makeOfflineLane(std::move(offline));
}

class NetworkLane final : public ApiLane {
public:
    explicit NetworkLane(NetworkLaneParts parts)
        : m_settings(std::move(parts.settings)), m_limits(std::move(parts.limits)), m_clock(parts.clock),
          m_inbox(std::make_shared<LaneInbox>()), m_offline(standInsFor(m_settings)),
          m_transport(std::move(parts.transport)), m_desk({m_settings, *m_transport, *m_limits, *m_offline, m_clock,
                                                           parts.random, parts.log, m_inbox, m_inFlight}),
          m_thread([this] { work(); })
    {
    }

    ~NetworkLane() override
    {
        m_inbox->put(LaneCommand::Stop);
        m_thread.join();
        m_transport.reset();
    }

    bool hasRoute(std::string_view route) const override { return m_settings.findRoute(route) != nullptr; }
    std::vector<std::string> routes() const override
    {
        std::vector<std::string> names;
        for (const RouteSettings& route : m_settings.routes) names.push_back(route.name);
        return names;
    }
    std::string routeIdentity(std::string_view name) const override
    {
        const RouteSettings* route = m_settings.findRoute(name);
        if (route == nullptr) return {};
        return isOffline(m_settings, *route) ? m_offline->routeIdentity(name) : identityOf(m_settings, *route);
    }

    void serve(ApiJob job) override { m_inbox->put(JobServed{std::move(job)}); }
    void submit(ApiCall call, ApiDone done) override
    {
        m_inFlight.fetch_add(1);
        if (const RouteSettings* route = m_settings.findRoute(call.route);
            route != nullptr && isOffline(m_settings, *route)) {
            m_offline->submit(std::move(call), [this, done = std::move(done)](Result<ApiAnswer> answer) {
                done(std::move(answer));
                m_inFlight.fetch_sub(1);
            });
            return;
        }
        m_inbox->put(CallSubmitted{prepareCall(std::move(call), std::move(done), m_settings)});
    }
    void cancelWaiting() override
    {
        m_offline->cancelWaiting();
        m_inbox->put(LaneCommand::CancelWaiting);
    }
    void abortOpen() override { m_inbox->put(LaneCommand::AbortOpen); }
    void calledBack(const std::string& remoteId) override { m_inbox->put(CalledBack{remoteId}); }
    std::int64_t inFlight() const override { return m_inFlight.load(); }

    std::vector<ApiAccountView> accounts() const override
    {
        const std::lock_guard lock(m_viewsMutex);
        m_viewsWanted = true;
        return m_views;
    }

private:
    void work();
    void refreshViews();

    ApiSettings m_settings; // budgets.perJob: until the first call
    std::unique_ptr<LimitStore> m_limits;
    const Clock& m_clock;
    std::atomic<std::int64_t> m_inFlight{0};
    std::shared_ptr<LaneInbox> m_inbox;
    std::unique_ptr<ApiLane> m_offline;
    std::unique_ptr<HttpTransport> m_transport;
    mutable std::mutex m_viewsMutex;
    std::vector<ApiAccountView> m_views; // guarded by m_viewsMutex, as the next
    mutable bool m_viewsWanted = true;
    BootTime m_viewsMade{};
    CallDesk m_desk;
    std::thread m_thread; // last: it uses all of the above
};

void NetworkLane::work()
{
    std::vector<LaneEvent> events;
    std::chrono::nanoseconds wait{0};
    std::optional<BootTime> stopAsked;
    while (!stopAsked || !m_desk.empty()) {
        m_inbox->take(events, wait);
        for (LaneEvent& event : events) {
            if (const auto* command = std::get_if<LaneCommand>(&event); command && *command == LaneCommand::Stop)
                stopAsked = m_clock.boot();
            m_desk.handle(event);
        }
        wait = m_desk.work();
        refreshViews();
        if (!stopAsked) continue;
        wait = std::min<std::chrono::nanoseconds>(wait, milliseconds(100));
        if (m_clock.boot() > *stopAsked + kPatience) return m_desk.abandon();
    }
}

void NetworkLane::refreshViews()
{
    const BootTime now = m_clock.boot();
    if (now < m_viewsMade + kViewAge) return;
    {
        const std::lock_guard lock(m_viewsMutex);
        if (!m_viewsWanted) return;
        m_viewsWanted = false;
    }
    m_viewsMade = now;
    auto views = m_desk.accounts();
    const std::lock_guard lock(m_viewsMutex);
    m_views = std::move(views);
}

} // namespace

std::unique_ptr<ApiLane> makeNetworkLane(NetworkLaneParts parts)
{
    return std::make_unique<NetworkLane>(std::move(parts));
}

} // namespace aiflow
