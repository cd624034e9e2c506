#include "core/facade/rehearsal/ledger_summary.h"

#include <algorithm>
#include <map>
#include <set>

namespace aiflow {

namespace {

struct AccountSum {
    std::int64_t calls = 0;
    std::int64_t refusals = 0;
    std::map<std::string, Nanos> cost; // by currency
};

// The price's currency of a model as services name it.
std::map<std::pair<std::string, std::string>, std::string> currencies(const ApiSettings& settings)
{
    std::map<std::pair<std::string, std::string>, std::string> found;
    for (std::size_t i = 0; i < settings.models.size(); ++i) {
        const ApiModel& model = settings.models[i];
        const std::string& name = model.remoteName.empty() ? model.name : model.remoteName;
        found[{settings.providerOf(i).name, name}] = model.price.currency;
    }
    return found;
}

RehearsalAccount accountOf(const std::string& name, const AccountSum& sum, const Verdict& verdict)
{
    RehearsalAccount account;
    account.account = name;
    account.calls = sum.calls;
    account.refusals = sum.refusals;
    if (const auto most = verdict.concurrencyOf.find(name); most != verdict.concurrencyOf.end())
        account.highestConcurrency = most->second;
    // An account is one service's, and services charge in one currency; the first one stands for all otherwise.
    if (!sum.cost.empty()) account.cost = {sum.cost.begin()->second.units(), sum.cost.begin()->first};
    return account;
}

} // namespace

void addLedger(const SimulatedProvider& provider, const ApiSettings& settings, RehearsalReport& report)
{
    const Verdict verdict = provider.verdict();
    report.calls = verdict.calls;
    report.refusals = verdict.refusals;
    report.violations = verdict.violations;
    report.paidTwice = verdict.paidTwice;
    report.highestConcurrency = verdict.highestConcurrency;
    for (const auto& [currency, amount] : verdict.cost)
        if (!currency.empty()) report.cost.push_back({amount.units(), currency});
    const auto known = currencies(settings);
    std::map<std::string, AccountSum> sums;
    for (const LedgerEntry& entry : provider.ledger()) {
        if (!entry.paid) continue;
        AccountSum& sum = sums[entry.account];
        ++sum.calls;
        if (entry.refused) ++sum.refusals;
        if (!entry.charged) continue;
        const auto currency = known.find({entry.service, entry.model});
        if (currency == known.end() || currency->second.empty())
            report.unpriced = true;
        else
            sum.cost[currency->second] += entry.cost;
    }
    for (const auto& [name, sum] : sums)
        if (!name.empty()) report.accounts.push_back(accountOf(name, sum, verdict));
}

} // namespace aiflow
