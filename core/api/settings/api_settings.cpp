#include "core/api/settings/api_settings.h"

#include "core/api/settings/readers.h"
#include "core/base/json.h"

#include <algorithm>
#include <cmath>

namespace aiflow {

namespace {

using std::chrono::milliseconds;

// Never 0, unless it was: nothing would wait any more.
milliseconds shrunk(milliseconds time, double speed)
{
    if (time.count() <= 0) return time;
    return milliseconds(std::max<std::int64_t>(1, std::llround(static_cast<double>(time.count()) / speed)));
}

void shrink(LimitSet& limits, double speed)
{
    for (WindowLimit& limit : limits.windows) limit.window = shrunk(limit.window, speed);
}

std::shared_ptr<const Json> shrunk(const std::shared_ptr<const Json>& options, double speed)
{
    if (!options || !options->is_object()) return options;
    auto made = std::make_shared<Json>(*options);
    for (auto& [name, value] : made->items())
        if (name.ends_with("_ms") && value.is_number_integer())
            value = shrunk(milliseconds(value.get<std::int64_t>()), speed).count();
    return made;
}

} // namespace

void readOrganisations(const Section& root, SettingsDraft& draft)
{
    const Section organisations = root.map("organisations");
    for (const std::string& name : organisations.keys()) {
        const Section section = organisations.map(name);
        section.allowOnly({"limits"});
        draft.settings.organisations.push_back({name, readLimits(section)});
    }
}

const RouteSettings* ApiSettings::findRoute(std::string_view name) const noexcept
{
    const auto found = std::ranges::find_if(routes, [&](const RouteSettings& route) { return route.name == name; });
    return found == routes.end() ? nullptr : &*found;
}

Result<ApiSettings> readApiSettings(const Json& values, const Json& presets,
                                    const std::map<std::string, std::string>& origins, const SettingsReading& reading)
{
    Findings findings(origins);
    SettingsDraft draft{{}, presets, findings, reading};
    const Section root(&values, "", findings);
    readOrganisations(root, draft);
    readProviders(root, draft);
    readModels(root, draft);
    readRoutes(root, draft);
    readPolicies(root, draft);
    checkMoney(root, draft);
    if (!findings.none()) return tl::unexpected(findings.errors().front());
    return std::move(draft.settings);
}

ApiSettings scaled(ApiSettings settings, double speed)
{
    if (!(speed > 0) || speed == 1) return settings;
    for (ProviderSettings& provider : settings.providers) {
        provider.timeout = shrunk(provider.timeout, speed);
        provider.options = shrunk(provider.options, speed);
        shrink(provider.limits, speed);
        for (AccountSettings& account : provider.accounts) shrink(account.limits, speed);
    }
    for (OrganisationSettings& organisation : settings.organisations) shrink(organisation.limits, speed);
    for (ApiModel& model : settings.models) {
        model.timeout = shrunk(model.timeout, speed);
        model.options = shrunk(model.options, speed);
        shrink(model.limits, speed);
    }
    for (milliseconds* time : {&settings.retry.base, &settings.retry.cap, &settings.retry.budgetWindow,
                               &settings.breaker.window, &settings.breaker.firstPause, &settings.breaker.longestPause})
        *time = shrunk(*time, speed);
    return settings;
}

} // namespace aiflow
