#include "tests/support/modelled_flows/lane_scenarios.h"

#include <chrono>
#include <utility>

namespace aiflow::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

ModelledStep text(std::string name, std::vector<std::size_t> needs = {})
{
    ModelledStep made;
    made.name = std::move(name);
    made.lane = ModelledStep::Lane::Api;
    made.route = "text";
    made.needs = std::move(needs);
    made.duration.median = std::chrono::seconds(15);
    made.inputTokens = 400;
    made.outputTokens = 200;
    return made;
}

LimitSet twelveAMinute() { return {{{LimitUnit::Requests, 12, minutes(1)}}, std::nullopt, {}}; }

ProviderSettings provider(const std::string& name, int accounts, const LimitSet& limits)
{
    ProviderSettings made;
    made.name = name;
    for (int i = 1; i <= accounts; ++i) {
        AccountSettings account;
        account.name = name + "/" + std::to_string(i);
        account.scope = name + "#" + std::to_string(i);
        account.limits = limits;
        made.accounts.push_back(std::move(account));
    }
    return made;
}

ApiModel model(const std::string& name, std::size_t ofProvider)
{
    ApiModel made;
    made.name = made.remoteName = name;
    made.provider = ofProvider;
    made.price.outputPerMillion = nanosOf(0.60);
    made.price.currency = "USD";
    made.maxOutputTokens = 500;
    return made;
}

RouteSettings textRoute(std::vector<RouteChoice> choices)
{
    RouteSettings route;
    route.name = "text";
    route.choices = std::move(choices);
    return route;
}

ModelledFlow flowOf(std::int64_t items, std::vector<ModelledStep> steps)
{
    ModelledFlow flow;
    flow.items = items;
    flow.cpuPlaces = 2;
    flow.steps = std::move(steps);
    return flow;
}

NamedFlow oneProvider(const std::string& name, const std::string& ofModel, std::int64_t items, ProviderSettings studio)
{
    NamedFlow made{name, flowOf(items, {text("words")}), {}};
    made.settings.providers.push_back(std::move(studio));
    // Both models are known to the services, whoever asks.
    made.settings.models = {model("express", 0), model("patient", 0)};
    made.settings.routes = {textRoute({{ofModel == "express" ? std::size_t{0} : std::size_t{1}, 1}})};
    return made;
}

} // namespace

NamedFlow stormFlow(std::int64_t items)
{
    NamedFlow made{"storm", flowOf(items, {text("draft"), text("final", {0})}), {}};
    made.settings.providers = {provider("studio", 10, twelveAMinute())};
    made.settings.models = {model("writer", 0)};
    made.settings.routes = {textRoute({{0, 1}})};
    return made;
}

NamedFlow outageFlow(std::int64_t items)
{
    NamedFlow made{"outage", flowOf(items, {text("words")}), {}};
    made.settings.providers = {provider("studio", 5, twelveAMinute()), provider("atelier", 5, twelveAMinute())};
    made.settings.models = {model("writer", 0), model("scribe", 1)};
    made.settings.routes = {textRoute({{0, 1}, {1, 1}})};
    made.settings.routes[0].weighted = true;
    return made;
}

NamedFlow sharedFlow(const std::string& ofModel, std::int64_t items)
{
    return oneProvider("shared_" + ofModel, ofModel, items, provider("studio", 10, twelveAMinute()));
}

NamedFlow placesFlow(const std::string& ofModel, std::int64_t items)
{
    LimitSet places;
    places.concurrency = 5;
    ProviderSettings studio = provider("studio", 4, places);
    studio.timeout = std::chrono::seconds(30);
    return oneProvider("places_" + ofModel, ofModel, items, std::move(studio));
}

} // namespace aiflow::test
