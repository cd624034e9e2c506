#include "core/facade/toolbox.h"

#include "core/api/lane/route_identity.h"
#include "core/api/offline_lane.h"
#include "core/inference/batching_lane.h"

namespace aiflow {

namespace {

std::vector<std::string> namesOf(const std::vector<const Signature*>& signatures)
{
    std::vector<std::string> names;
    for (const Signature* signature : signatures) names.push_back(signature->name);
    return names;
}

// What a stand-in can answer: texts and pictures, under the usual names and the configured ones.
OfflineSettings standInRoutes(const ApiSettings& settings)
{
    OfflineSettings offline;
    for (const RouteSettings& route : settings.routes) {
        if (route.kind == RouteKind::Text) offline.routes[route.name] = OfflineKind::Text;
        if (route.kind == RouteKind::Image) offline.routes[route.name] = OfflineKind::Image;
    }
    return offline;
}

} // namespace

Result<std::unique_ptr<Toolbox>> Toolbox::open(const InstalledFiles& files, const Configuration& configuration,
                                               const Clock& clock, Log& log)
{
    auto tools = std::make_unique<Toolbox>();
    auto ops = OpRegistry::open({files.modules});
    if (!ops) return tl::unexpected(ops.error());
    tools->m_ops = std::move(*ops);
    auto models = makeModelLane({files.models()}, {files.modules}, {}, clock, log);
    if (!models) return tl::unexpected(models.error());
    tools->m_models = std::move(*models);
    auto services = RemoteServices::read(configuration, files);
    if (!services) return tl::unexpected(services.error());
    tools->m_services = std::make_unique<RemoteServices>(std::move(*services));
    tools->m_standIns = makeOfflineLane(standInRoutes(tools->m_services->settings()));
    tools->m_offline = configuration.offline;
    return tools;
}

Result<void> Toolbox::connect(const Pipeline& pipeline, const LaneSurroundings& surroundings)
{
    const auto routes = routesOf(pipeline);
    if (m_offline || routes.empty()) return {};
    if (auto answered = checkRoutes(pipeline, m_services->settings()); !answered) return answered;
    if (m_api) return {};
    auto settings = m_services->settingsFor(routes);
    if (!settings) return tl::unexpected(std::move(settings.error()));
    auto lane = openNetworkLane(std::move(*settings), surroundings);
    if (!lane) return tl::unexpected(std::move(lane.error()));
    m_api = std::move(*lane);
    return {};
}

bool Toolbox::hasRoute(std::string_view name) const
{
    return m_standIns->hasRoute(name) || (!m_offline && m_services->settings().findRoute(name) != nullptr);
}

std::string Toolbox::routeIdentity(std::string_view name) const
{
    const ApiSettings& settings = m_services->settings();
    const RouteSettings* route = m_offline ? nullptr : settings.findRoute(name);
    return route == nullptr || isOffline(settings, *route) ? m_standIns->routeIdentity(name)
                                                           : identityOf(settings, *route);
}

std::vector<std::string> Toolbox::routeNames() const
{
    std::vector<std::string> names = m_standIns->routes();
    if (m_offline) return names;
    for (const RouteSettings& route : m_services->settings().routes)
        if (!m_standIns->hasRoute(route.name)) names.push_back(route.name);
    return names;
}

std::vector<std::string> Toolbox::opNames() const { return namesOf(m_ops->all()); }

std::vector<std::string> Toolbox::modelNames() const { return namesOf(m_models->all()); }

} // namespace aiflow
