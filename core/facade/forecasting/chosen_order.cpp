#include "core/facade/forecasting/chosen_order.h"

#include "core/forecast/tuned_order.h"

#include <algorithm>
#include <fmt/format.h>

namespace aiflow {

namespace {

constexpr std::int64_t kFewestItems = 20;

const OrganisationSettings* organisationOf(const AccountSettings& account, const ApiSettings& settings)
{
    const auto found = std::ranges::find(settings.organisations, account.organisation, &OrganisationSettings::name);
    return found == settings.organisations.end() ? nullptr : &*found;
}

bool isLimited(const ApiModel& model, const ApiSettings& settings)
{
    const ProviderSettings& provider = settings.providers[model.provider];
    if (!model.limits.empty() || !provider.limits.empty()) return true;
    return std::ranges::any_of(provider.accounts, [&](const AccountSettings& account) {
        const OrganisationSettings* shared = organisationOf(account, settings);
        return !account.limits.empty() || (shared != nullptr && !shared->limits.empty());
    });
}

bool hasLimitedCalls(const ModelledFlow& flow, const ApiSettings& settings)
{
    return std::ranges::any_of(flow.steps, [&](const ModelledStep& step) {
        const RouteSettings* route = settings.findRoute(step.route);
        return step.lane == ModelledStep::Lane::Api && route != nullptr &&
               std::ranges::any_of(route->choices, [&](const RouteChoice& choice) {
                   return isLimited(settings.models[choice.model], settings);
               });
    });
}

std::string seconds(std::chrono::nanoseconds time)
{
    return fmt::format("{:.0f} s", std::chrono::duration<double>(time).count());
}

} // namespace

ChosenOrder chooseOrder(const Pipeline& pipeline, const ApiSettings& settings, const JobSize& size, Log& log)
{
    if (size.items < kFewestItems) return {};
    const ModelledFlow flow = modelled(pipeline, settings, size);
    if (!hasLimitedCalls(flow, settings)) return {};
    // Money ends a job early; the order is for those that end well.
    ApiSettings unbudgeted = settings;
    unbudgeted.budgets = {};
    const auto tuned = tuneOrder(flow, unbudgeted, 1);
    if (!tuned) {
        log.info("items are called in plain order: their time cannot be foreseen", {{"why", tuned.error().text()}});
        return {};
    }
    const bool plain = tuned->callingItems == 0 && tuned->stepLag == 0;
    log.info(plain ? "items are called in plain order: in virtual time no other is shorter"
                   : "items are called in the order that is shortest in virtual time",
             {{"calling_items", std::to_string(tuned->callingItems)},
              {"step_lag", std::to_string(tuned->stepLag)},
              {"takes", seconds(tuned->makespan)},
              {"plain_takes", seconds(tuned->plain)},
              {"items", std::to_string(tuned->items)}});
    return {tuned->callingItems, tuned->stepLag};
}

} // namespace aiflow
