#include "core/api/decision/limits/pool_map.h"

#include <algorithm>

namespace aiflow {
namespace {

constexpr std::chrono::hours kDay{24};

std::string modelKey(const std::string& scope, const std::string& model) { return scope + '\n' + model; }

LimitPool* found(const std::map<std::string, LimitPool*, std::less<>>& names, const std::string& name)
{
    const auto place = names.find(name);
    return place == names.end() ? nullptr : place->second;
}

} // namespace

PoolMap::PoolMap(const ApiSettings& settings) : m_settings(&settings)
{
    for (const ProviderSettings& provider : settings.providers) {
        m_firstKey.push_back(m_scopes.size());
        if (!provider.limits.empty()) make(m_providers, provider.name, provider.limits);
        for (const AccountSettings& account : provider.accounts) {
            m_scopes.push_back(scopeName(account));
            make(m_accounts, scopeName(account), account.limits);
        }
    }
    for (const OrganisationSettings& organisation : settings.organisations)
        if (!organisation.limits.empty()) make(m_organisations, organisation.name, organisation.limits);
    addMoney(settings.budgets.perDay, kDay);
    addMoney(settings.budgets.perMonth, 30 * kDay);
    m_byModel.resize(settings.models.size());
    for (std::size_t model = 0; model < settings.models.size(); ++model) addTargets(model);
}

const std::string& PoolMap::scopeName(const AccountSettings& account) noexcept
{
    return account.scope.empty() ? account.name : account.scope;
}

LimitPool& PoolMap::make(std::map<std::string, LimitPool*, std::less<>>& names, const std::string& name,
                         const LimitSet& limits)
{
    LimitPool*& pool = names[name];
    if (!pool) pool = m_owned.emplace_back(std::make_unique<LimitPool>()).get();
    pool->limit(limits, currency(limits.currency));
    return *pool;
}

void PoolMap::addTargets(std::size_t model)
{
    const ApiModel& what = m_settings->models[model];
    const ProviderSettings& provider = m_settings->providers[what.provider];
    for (std::size_t i = 0; i < provider.accounts.size(); ++i) {
        const AccountSettings& account = provider.accounts[i];
        Target target{model, what.provider, i, m_firstKey[what.provider] + i, nullptr, nullptr, {}};
        target.accountPool = m_accounts.find(scopeName(account))->second;
        target.modelPool = &make(m_models, modelKey(scopeName(account), what.name), what.limits);
        target.pools = {target.accountPool, target.modelPool};
        if (LimitPool* pool = found(m_organisations, account.organisation)) target.pools.push_back(pool);
        if (LimitPool* pool = found(m_providers, provider.name)) target.pools.push_back(pool);
        target.pools.insert(target.pools.end(), m_money.begin(), m_money.end());
        m_byModel[model].push_back(m_targets.size());
        m_targets.push_back(std::move(target));
    }
}

void PoolMap::addMoney(const std::optional<Money>& cap, std::chrono::milliseconds window)
{
    if (!cap) return;
    LimitSet limits;
    limits.windows.push_back({LimitUnit::Money, cap->amount.count(), window});
    m_money.push_back(m_owned.emplace_back(std::make_unique<LimitPool>()).get());
    m_money.back()->limit(limits, currency(cap->currency));
}

Room PoolMap::moneyRoom(const Amounts& amounts, BootTime now)
{
    Room room;
    for (LimitPool* pool : m_money) room.also(pool->roomFor(amounts, now));
    return room;
}

int PoolMap::currency(std::string_view name)
{
    const auto place = std::ranges::find(m_currencies, name);
    if (place != m_currencies.end()) return static_cast<int>(place - m_currencies.begin());
    m_currencies.emplace_back(name);
    return static_cast<int>(m_currencies.size()) - 1;
}

std::vector<LimitPool*> PoolMap::poolsOf(const LimitUse& use)
{
    std::vector<LimitPool*> pools;
    for (LimitPool* pool : {accountPool(use.scope), modelPool(use.scope, use.model),
                            found(m_organisations, use.organisation), found(m_providers, use.provider)})
        if (pool) pools.push_back(pool);
    pools.insert(pools.end(), m_money.begin(), m_money.end());
    return pools;
}

LimitPool* PoolMap::accountPool(const std::string& scope) { return found(m_accounts, scope); }
LimitPool* PoolMap::modelPool(const std::string& scope, const std::string& model)
{
    return found(m_models, modelKey(scope, model));
}

} // namespace aiflow
