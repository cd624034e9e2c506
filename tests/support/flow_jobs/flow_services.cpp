#include "tests/support/flow_jobs/flow_services.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow::test {

namespace {

// A modelled step's time is its model's.
ApiSettings withLatencies(const NamedFlow& flow)
{
    ApiSettings settings = flow.settings;
    // A model that no step asks for is not asked.
    for (ApiModel& model : settings.models) model.options = std::make_shared<const Json>(Json{{"latency_ms", 15'000}});
    for (ProviderSettings& provider : settings.providers) {
        provider.options = std::make_shared<const Json>(Json::object());
        for (AccountSettings& account : provider.accounts) account.keySource = "env:STUDIO_KEY";
    }
    for (const ModelledStep& step : flow.flow.steps) {
        if (step.lane != ModelledStep::Lane::Api) continue;
        for (const RouteChoice& choice : settings.findRoute(step.route)->choices) {
            const auto latency = std::chrono::duration_cast<std::chrono::milliseconds>(step.duration.median);
            settings.models[choice.model].options = std::make_shared<const Json>(Json{{"latency_ms", latency.count()}});
        }
    }
    return settings;
}

} // namespace

SimulatedWorld flowWorld(const NamedFlow& flow, double speed)
{
    SimulatedWorld world = worldOf(withLatencies(flow), speed, 1);
    for (SimulatedService& service : world.services) {
        for (SimulatedModel& model : service.models) {
            model.outputTokens = 200;
            model.pictureWidth = model.pictureHeight = 16;
        }
    }
    return world;
}

ApiSettings jobSettings(const NamedFlow& flow, double speed, int port)
{
    const SimulatedWorld world = flowWorld(flow, speed);
    ApiSettings settings = withLatencies(flow);
    for (ProviderSettings& provider : settings.providers) {
        const auto service = std::ranges::find(world.services, provider.name, &SimulatedService::name);
        provider.baseUrl = "http://127.0.0.1:" + std::to_string(port) + "/" + provider.name;
        for (std::size_t i = 0; i < provider.accounts.size(); ++i) {
            AccountSettings& account = provider.accounts[i];
            account.key = std::make_shared<const Secret>(account.name, service->accounts[i].key);
        }
    }
    return scaled(std::move(settings), speed);
}

} // namespace aiflow::test
