#include "core/facade/providers/remote_services.h"

#include "core/api/lane/network_lane.h"
#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/facade/providers/preset_file.h"
#include "core/store/limits/limit_database.h"

#include <algorithm>

namespace aiflow {

namespace {

struct Needed {
    std::set<std::string> routes, models, providers;
};

Needed neededBy(const std::set<std::string>& routes, const ApiSettings& settings)
{
    Needed needed;
    for (const RouteSettings& route : settings.routes) {
        if (!routes.contains(route.name)) continue;
        needed.routes.insert(route.name);
        for (const RouteChoice& choice : route.choices) {
            needed.models.insert(settings.models[choice.model].name);
            needed.providers.insert(settings.providerOf(choice.model).name);
        }
    }
    return needed;
}

void keepOnly(Json& values, const char* section, const std::set<std::string>& names)
{
    const auto found = values.find(section);
    if (found == values.end() || !found->is_object()) return;
    Json kept = Json::object();
    for (const auto& [name, value] : found->items())
        if (names.contains(name)) kept[name] = value;
    *found = std::move(kept);
}

} // namespace

Result<RemoteServices> RemoteServices::read(const Configuration& configuration, const InstalledFiles& files)
{
    RemoteServices services;
    services.m_values = configuration.values ? configuration.values : std::make_shared<const Json>(Json::object());
    auto presets = readPresets(files);
    if (!presets) return tl::unexpected(std::move(presets.error()));
    services.m_presets = std::move(*presets);
    services.m_origins = configuration.origins;
    SettingsReading reading;
    reading.loadKeys = false;
    auto settings = readApiSettings(*services.m_values, *services.m_presets, services.m_origins, reading);
    if (!settings) return tl::unexpected(std::move(settings.error()));
    services.m_settings = std::make_shared<const ApiSettings>(std::move(*settings));
    return services;
}

Result<ApiSettings> RemoteServices::settingsFor(const std::set<std::string>& routes) const
{
    const Needed needed = neededBy(routes, *m_settings);
    Json values = *m_values;
    keepOnly(values, "routes", needed.routes);
    keepOnly(values, "models", needed.models);
    keepOnly(values, "providers", needed.providers);
    return readApiSettings(values, *m_presets, m_origins, {});
}

Result<ApiSettings> RemoteServices::settingsWithKeys(const std::optional<std::string>& provider,
                                                     std::vector<Error>& missing) const
{
    SettingsReading reading;
    reading.only = provider;
    reading.missing = &missing;
    return readApiSettings(*m_values, *m_presets, m_origins, reading);
}

std::set<std::string> routesOf(const Pipeline& pipeline)
{
    std::set<std::string> routes;
    for (const Step& step : pipeline.steps)
        if (step.kind == StepKind::Api) routes.insert(step.target);
    return routes;
}

Result<void> checkRoutes(const Pipeline& pipeline, const ApiSettings& settings)
{
    for (const Step& step : pipeline.steps) {
        if (step.kind != StepKind::Api || settings.findRoute(step.target) != nullptr) continue;
        return fail(Reason::ConfigInvalid,
                    "step \"" + step.name + "\" asks the route \"" + step.target +
                        "\", and the configuration does not say who answers it",
                    "add routes." + step.target +
                        " with a model and its provider to aiflow.yaml (aiflow-cli init writes one to start from), "
                        "or run with --offline: labelled stand-ins answer then");
    }
    return {};
}

Result<std::unique_ptr<ApiLane>> openNetworkLane(ApiSettings settings, const LaneSurroundings& surroundings)
{
    auto limits = openLimitStore(surroundings.state, surroundings.clock);
    if (!limits) return tl::unexpected(std::move(limits.error()));
    auto transport = makeCurlTransport({}, surroundings.clock);
    if (!transport) return tl::unexpected(std::move(transport.error()));
    return makeNetworkLane({std::move(settings), std::move(*transport), std::move(*limits), surroundings.clock,
                            surroundings.random, surroundings.log});
}

} // namespace aiflow
