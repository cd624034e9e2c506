// Which limits a model on an account is under, found by index for our own calls and by name for other processes'.
#pragma once

#include "core/api/decision/limits/limit_pool.h"
#include "core/base/limit_store.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aiflow {

// A model on one account of its provider: what a call is sent to.
struct Target {
    std::size_t model = 0;
    std::size_t provider = 0;
    std::size_t account = 0; // index among the provider's
    std::size_t key = 0;     // index among all accounts
    LimitPool* accountPool = nullptr;
    LimitPool* modelPool = nullptr;
    std::vector<LimitPool*> pools; // all, these two first
};

class PoolMap {
public:
    explicit PoolMap(const ApiSettings& settings);

    const ApiSettings& settings() const noexcept { return *m_settings; }
    const std::vector<Target>& targets() const noexcept { return m_targets; }
    // Targets of a model, one per account of its provider.
    std::span<const std::size_t> of(std::size_t model) const { return m_byModel.at(model); }
    std::size_t keys() const noexcept { return m_scopes.size(); } // accounts of all providers
    const std::string& scopeOf(std::size_t key) const { return m_scopes.at(key); }
    const AccountSettings& accountOf(const Target& target) const
    {
        return m_settings->providers[target.provider].accounts[target.account];
    }
    // Caps of a day and a month over everything, by the currency of the amounts.
    Room moneyRoom(const Amounts& amounts, BootTime now);

    int currency(std::string_view name); // interned; 0 for none
    const std::string& currencyName(int id) const { return m_currencies.at(static_cast<std::size_t>(id)); }
    // What a use of another process counts in; empty when nothing of ours.
    std::vector<LimitPool*> poolsOf(const LimitUse& use);
    LimitPool* accountPool(const std::string& scope);
    LimitPool* modelPool(const std::string& scope, const std::string& model);
    // What names an account's places: its scope, or its name where it has none.
    static const std::string& scopeName(const AccountSettings& account) noexcept;

private:
    LimitPool& make(std::map<std::string, LimitPool*, std::less<>>& names, const std::string& name,
                    const LimitSet& limits);
    void addTargets(std::size_t model);
    void addMoney(const std::optional<Money>& cap, std::chrono::milliseconds window);

    const ApiSettings* m_settings;
    std::vector<std::unique_ptr<LimitPool>> m_owned;
    std::map<std::string, LimitPool*, std::less<>> m_accounts, m_models, m_organisations, m_providers;
    std::vector<LimitPool*> m_money;
    std::vector<Target> m_targets;
    std::vector<std::vector<std::size_t>> m_byModel;
    std::vector<std::string> m_scopes;
    std::vector<std::size_t> m_firstKey; // of a provider
    std::vector<std::string> m_currencies{""};
};

} // namespace aiflow
