#include "core/forecast/pool_capacity.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace aiflow {

namespace {

std::int64_t sum(std::int64_t left, std::int64_t right)
{
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    return left > most - right ? most : left + right;
}

// What every one of the calls takes at least.
struct LeastCall {
    CallUse use{};
    Nanoseconds duration = 0;
    bool seen = false;
    void note(const CallUse& other, Nanoseconds length)
    {
        if (!seen) use = other;
        for (std::size_t i = 0; i < use.size(); ++i) use[i] = std::min(use[i], other[i]);
        duration = seen ? std::min(duration, length) : length;
        seen = true;
    }
};

} // namespace

PoolCapacity::Rates PoolCapacity::ratesOf(const LimitSet& limits, const CallUse& use, Nanoseconds duration)
{
    Rates rates;
    for (const WindowLimit& limit : limits.windows) {
        const std::int64_t each = callsIn(limit, use);
        const auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(limit.window).count();
        if (each < kNoBound && span > 0) rates.push_back({each, span});
    }
    if (limits.concurrency && duration > 0) rates.push_back({*limits.concurrency, duration});
    return rates;
}

// By what limits are about.
struct PoolCapacity::Least {
    using AccountName = std::pair<std::size_t, std::size_t>; // provider, account
    std::map<std::pair<AccountName, std::size_t>, LeastCall> models;
    std::map<AccountName, LeastCall> accounts;
    std::map<std::size_t, LeastCall> providers;
    std::map<std::pair<std::size_t, const OrganisationSettings*>, LeastCall> groups;
};

PoolCapacity::PoolCapacity(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                           const std::vector<std::size_t>& steps)
{
    Least least;
    for (const std::size_t step : steps) {
        for (const CallPlace& place : callShape(settings, flow.steps[step], shape.steps[step].route).places) {
            if (!place.possible) continue;
            const Nanoseconds duration = shape.steps[step].least;
            const Least::AccountName name{place.provider, place.account};
            const auto* shared = organisationOf(settings, settings.providers[place.provider].accounts[place.account]);
            least.models[{name, place.model}].note(place.use, duration);
            least.accounts[name].note(place.use, duration);
            least.providers[place.provider].note(place.use, duration);
            least.groups[{place.provider, shared}].note(place.use, duration);
        }
    }
    addProviders(settings, least);
    addAccounts(settings, least);
}

void PoolCapacity::addProviders(const ApiSettings& settings, const Least& least)
{
    for (const auto& [index, call] : least.providers) {
        Provider provider{index, ratesOf(settings.providers[index].limits, call.use, call.duration), {}};
        for (const auto& [group, shared] : least.groups) {
            if (group.first != index) continue;
            Group added{group.second, {}, {}};
            if (added.organisation != nullptr)
                added.shared = ratesOf(added.organisation->limits, shared.use, shared.duration);
            provider.groups.push_back(std::move(added));
        }
        m_providers.push_back(std::move(provider));
    }
}

void PoolCapacity::addAccounts(const ApiSettings& settings, const Least& least)
{
    for (const auto& [name, call] : least.accounts) {
        const AccountSettings& known = settings.providers[name.first].accounts[name.second];
        Account account{ratesOf(known.limits, call.use, call.duration), {}};
        for (const auto& [model, one] : least.models)
            if (model.first == name)
                account.models.push_back(ratesOf(settings.models[model.second].limits, one.use, one.duration));
        const auto provider = std::ranges::find(m_providers, name.first, &Provider::index);
        const auto group = std::ranges::find(provider->groups, organisationOf(settings, known), &Group::organisation);
        group->accounts.push_back(std::move(account));
    }
}

std::int64_t PoolCapacity::starts(const Rates& rates, Nanoseconds elapsed)
{
    std::int64_t most = kNoBound;
    for (const Rate& rate : rates) {
        const std::int64_t spans = elapsed / rate.span + 1;
        most = std::min(most, spans > kNoBound / std::max<std::int64_t>(1, rate.each) ? kNoBound : spans * rate.each);
    }
    return most;
}

std::int64_t PoolCapacity::starts(const Account& account, Nanoseconds elapsed)
{
    std::int64_t models = 0;
    for (const Rates& rates : account.models) models = sum(models, starts(rates, elapsed));
    return std::min(models, starts(account.own, elapsed));
}

std::int64_t PoolCapacity::startsBy(Nanoseconds elapsed) const
{
    std::int64_t all = 0;
    for (const Provider& provider : m_providers) {
        std::int64_t here = 0;
        for (const Group& group : provider.groups) {
            std::int64_t accounts = 0;
            for (const Account& account : group.accounts) accounts = sum(accounts, starts(account, elapsed));
            here = sum(here, std::min(accounts, starts(group.shared, elapsed)));
        }
        all = sum(all, std::min(here, starts(provider.shared, elapsed)));
    }
    return all;
}

Nanoseconds PoolCapacity::earliestStart(std::int64_t n) const
{
    if (startsBy(0) >= n) return 0;
    Nanoseconds low = 0, high = 1'000'000'000;
    while (startsBy(high) < n && high < kNoBound / 4) {
        low = high;
        high *= 2;
    }
    // More are possible at `high` than at `low`, the first moment with n lies between.
    while (high - low > 1) {
        const Nanoseconds middle = low + (high - low) / 2;
        (startsBy(middle) >= n ? high : low) = middle;
    }
    return high;
}

} // namespace aiflow
