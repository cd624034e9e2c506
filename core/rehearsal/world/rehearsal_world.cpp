#include "core/api/settings/usual_latency.h"
#include "core/base/json.h"
#include "core/rehearsal/simulated_provider.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::string_view kRehearsalScope = "rehearsal#";

SimulatedModel simulated(const ApiSettings& settings, std::size_t index)
{
    const ApiModel& model = settings.models[index];
    SimulatedModel made;
    made.name = model.remoteName.empty() ? model.name : model.remoteName;
    made.price = model.price;
    made.limits = model.limits;
    made.outputTokens = std::clamp<std::int64_t>(model.maxOutputTokens / 4, 1, 400);
    made.makesPictures = kindOf(settings, index) == RouteKind::Image;
    made.picturesByUrl = settings.providerOf(index).protocol == ProtocolKind::RemoteJob;
    const UsualLatency latency = usualLatency(settings, index);
    made.latency.median = latency.median;
    made.latency.sigma = latency.sigma;
    return made;
}

SimulatedService simulated(const ApiSettings& settings, const ProviderSettings& provider)
{
    SimulatedService service;
    service.name = provider.name;
    service.protocol = provider.protocol;
    service.capability = provider.capability;
    service.limits = provider.limits;
    const bool wantsKeys = std::ranges::any_of(
        provider.accounts, [](const AccountSettings& account) { return !account.keySource.empty(); });
    for (const AccountSettings& account : provider.accounts) {
        const bool hasKey = wantsKeys || provider.protocol != ProtocolKind::ModelService;
        service.accounts.push_back(
            {account.name, hasKey ? "rehearsal-" + account.name : std::string(), account.limits, account.organisation});
    }
    for (const OrganisationSettings& organisation : settings.organisations)
        service.organisations[organisation.name] = organisation.limits;
    return service;
}

// What would make the product speak to other paths, fields or headers than the simulated service has.
void straighten(std::shared_ptr<const Json>& options, const ProviderSettings& provider)
{
    Json plain = options && options->is_object() ? *options : Json::object();
    for (const char* name : {"key_header",
                             "key_prefix",
                             "idempotency_header",
                             "reference_header",
                             "probe",
                             "chat_path",
                             "images_path",
                             "edits_path",
                             "embeddings_path",
                             "submit",
                             "poll",
                             "fetch",
                             "lookup",
                             "id",
                             "status",
                             "result",
                             "files",
                             "error",
                             "lookup_id",
                             "input_tokens",
                             "output_tokens",
                             "done",
                             "failed",
                             "running",
                             "reference",
                             "webhook",
                             "webhook_url",
                             "body",
                             "path",
                             "form"})
        plain.erase(name);
    if (provider.protocol == ProtocolKind::RemoteJob) {
        plain.emplace("interval_ms", 2'000);
        plain.emplace("longest_interval_ms", 15'000);
    }
    if (provider.capability == CapabilityClass::A) plain["idempotency_header"] = "Idempotency-Key";
    if (provider.capability == CapabilityClass::B) {
        plain["reference"] = "reference";
        plain["lookup"] = "/jobs?reference={reference}";
    }
    options = std::make_shared<const Json>(std::move(plain));
}

} // namespace

SimulatedWorld worldOf(const ApiSettings& settings, double speed, std::uint64_t seed)
{
    SimulatedWorld world;
    world.speed = speed;
    world.seed = seed;
    for (std::size_t p = 0; p < settings.providers.size(); ++p) {
        if (settings.providers[p].protocol == ProtocolKind::Offline) continue;
        SimulatedService& service = world.services.emplace_back(simulated(settings, settings.providers[p]));
        for (std::size_t m = 0; m < settings.models.size(); ++m)
            if (settings.models[m].provider == p) service.models.push_back(simulated(settings, m));
    }
    return world;
}

ApiSettings redirected(ApiSettings settings, const SimulatedWorld& world, const SimulatedProvider& provider)
{
    for (std::size_t p = 0; p < settings.providers.size(); ++p) {
        ProviderSettings& real = settings.providers[p];
        const auto service = std::ranges::find(world.services, real.name, &SimulatedService::name);
        if (service == world.services.end()) continue;
        real.baseUrl = provider.baseUrl(real.name);
        real.proxy.clear();
        real.caFile.clear();
        real.httpVersion = "1.1";
        real.fetchHosts = {"127.0.0.1:" + std::to_string(provider.port())};
        straighten(real.options, real);
        for (std::size_t a = 0; a < real.accounts.size(); ++a) {
            AccountSettings& account = real.accounts[a];
            const auto known = std::ranges::find(service->accounts, account.name, &SimulatedAccount::name);
            const std::string key = known == service->accounts.end() ? std::string() : known->key;
            account.key = key.empty() ? nullptr : std::make_shared<const Secret>(account.name, key);
            account.keySource.clear();
            account.scope = std::string(kRehearsalScope) + std::to_string(provider.port()) + '/' + account.name;
            if (real.protocol == ProtocolKind::ModelService)
                account.baseUrl = real.baseUrl + '/' + std::to_string(a);
            else
                account.baseUrl.clear();
        }
    }
    for (ApiModel& model : settings.models)
        if (model.options) straighten(model.options, settings.providers[model.provider]);
    return settings;
}

} // namespace aiflow
