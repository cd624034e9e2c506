#include "core/forecast/call_shape.h"

#include <algorithm>
#include <limits>

namespace aiflow {

namespace {

std::int64_t& at(CallUse& use, LimitUnit unit) { return use[static_cast<std::size_t>(unit)]; }

CallUse useOf(const ApiModel& model, const ModelledStep& step)
{
    const Usage usage{step.inputTokens, 0, step.outputTokens, step.images, false};
    CallUse use{};
    at(use, LimitUnit::Requests) = 1;
    at(use, LimitUnit::InputTokens) = step.inputTokens;
    at(use, LimitUnit::OutputTokens) = step.outputTokens;
    at(use, LimitUnit::TotalTokens) = step.inputTokens + step.outputTokens;
    at(use, LimitUnit::Images) = step.images;
    at(use, LimitUnit::Money) = costOf(model.price, usage).count();
    return use;
}

bool fits(const LimitSet& limits, const CallUse& use)
{
    if (limits.concurrency && *limits.concurrency < 1) return false;
    return std::ranges::all_of(limits.windows, [&](const WindowLimit& limit) { return callsIn(limit, use) >= 1; });
}

} // namespace

std::int64_t callsIn(const WindowLimit& limit, const CallUse& use) noexcept
{
    const std::int64_t one = use[static_cast<std::size_t>(limit.unit)];
    return one <= 0 ? std::numeric_limits<std::int64_t>::max() : limit.count / one;
}

const OrganisationSettings* organisationOf(const ApiSettings& settings, const AccountSettings& account) noexcept
{
    const auto found = std::ranges::find(settings.organisations, account.organisation, &OrganisationSettings::name);
    return account.organisation.empty() || found == settings.organisations.end() ? nullptr : &*found;
}

CallShape callShape(const ApiSettings& settings, const ModelledStep& step, std::size_t route)
{
    CallShape shape;
    for (const RouteChoice& choice : settings.routes[route].choices) {
        const ApiModel& model = settings.models[choice.model];
        const ProviderSettings& provider = settings.providers[model.provider];
        for (std::size_t i = 0; i < provider.accounts.size(); ++i) {
            const OrganisationSettings* organisation = organisationOf(settings, provider.accounts[i]);
            CallPlace place{choice.model, model.provider, i, useOf(model, step), true};
            place.possible = fits(provider.accounts[i].limits, place.use) && fits(model.limits, place.use) &&
                             fits(provider.limits, place.use) &&
                             (organisation == nullptr || fits(organisation->limits, place.use));
            shape.places.push_back(place);
        }
    }
    return shape;
}

} // namespace aiflow
