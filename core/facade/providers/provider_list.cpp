#include "aiflow/providers.h"
#include "core/base/text.h"
#include "core/facade/providers/limit_text.h"
#include "core/facade/providers/remote_services.h"
#include "core/facade/workbench.h"

#include <fmt/format.h>

namespace aiflow {

namespace {

std::string protocolName(ProtocolKind kind)
{
    static constexpr const char* kNames[] = {"openai", "gemini", "anthropic", "remote-job", "model-service", "offline"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string afterCrash(CapabilityClass capability)
{
    switch (capability) {
    case CapabilityClass::A:
        return "open calls are repeated under their idempotency key and not paid twice";
    case CapabilityClass::B:
        return "open calls are found again by our reference and not paid twice";
    case CapabilityClass::C:
        return "open calls go on by the service's id; one whose id had not come yet may be paid twice";
    case CapabilityClass::D:
        break;
    }
    return "the outcome of open calls is unknown; `on_unknown` says what becomes of them";
}

ProviderAccountLine lineOf(const AccountSettings& account)
{
    ProviderAccountLine line;
    line.name = account.name;
    line.keySource = account.keySource;
    line.limits = limitsText(account.limits);
    line.organisation = account.organisation;
    line.baseUrl = account.baseUrl;
    if (account.keySource.empty()) return line;
    // Loaded only to see whether it can be; it is wiped at once.
    const auto key = Secret::load(account.name, account.keySource);
    line.key = key ? KeyState::Found : KeyState::Missing;
    if (!key) line.problem = key.error();
    return line;
}

ProviderLine lineOf(const ProviderSettings& provider)
{
    ProviderLine line{provider.name,
                      provider.title,
                      protocolName(provider.protocol),
                      provider.baseUrl,
                      afterCrash(provider.capability),
                      limitsText(provider.limits),
                      {}};
    for (const AccountSettings& account : provider.accounts) line.accounts.push_back(lineOf(account));
    return line;
}

std::string ruleOf(const RouteSettings& route)
{
    if (route.weighted) {
        std::vector<std::string> weights;
        for (const RouteChoice& choice : route.choices) weights.push_back(fmt::format("{:g}", choice.weight));
        return join(weights, " : ");
    }
    if (route.canaryPercent > 0) return fmt::format("{:g} % of items go to the last first", route.canaryPercent);
    return route.choices.size() > 1 ? "in this order" : "";
}

RouteLine lineOf(const RouteSettings& route, const ApiSettings& settings)
{
    static constexpr const char* kKinds[] = {"text", "image", "embedding", "model"};
    RouteLine line{route.name, kKinds[static_cast<std::size_t>(route.kind)], {}, ruleOf(route)};
    for (const RouteChoice& choice : route.choices) line.models.push_back(settings.models[choice.model].name);
    return line;
}

} // namespace

Result<ProviderList> listProviders(const Surroundings& surroundings)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    const ApiSettings& settings = (*bench)->tools->services().settings();
    ProviderList list;
    list.offline = (*bench)->configuration.offline;
    for (const ProviderSettings& provider : settings.providers) list.providers.push_back(lineOf(provider));
    for (const ApiModel& model : settings.models)
        list.models.push_back({model.name, settings.providers[model.provider].name, model.remoteName,
                               priceText(model.price), model.contextTokens, model.maxOutputTokens,
                               limitsText(model.limits)});
    for (const RouteSettings& route : settings.routes) list.routes.push_back(lineOf(route, settings));
    for (const OrganisationSettings& organisation : settings.organisations)
        list.organisations.push_back(organisation.name + ": " + limitsText(organisation.limits));
    return list;
}

} // namespace aiflow
