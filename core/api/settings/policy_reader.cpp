#include "core/api/settings/readers.h"
#include "core/base/json.h"

#include <array>
#include <set>
#include <utility>

namespace aiflow {

namespace {

constexpr std::array kBudgets{
    std::pair{"per_call", &BudgetSettings::perCall},   std::pair{"per_item", &BudgetSettings::perItem},
    std::pair{"per_job", &BudgetSettings::perJob},     std::pair{"per_day", &BudgetSettings::perDay},
    std::pair{"per_month", &BudgetSettings::perMonth},
};

void readBudgets(const Section& section, BudgetSettings& budgets)
{
    section.allowOnly({"per_call", "per_item", "per_job", "per_day", "per_month"});
    std::string currency;
    for (const auto& [key, member] : kBudgets) {
        budgets.*member = section.money(key);
        if (!(budgets.*member)) continue;
        const std::string& own = (budgets.*member)->currency;
        if (!currency.empty() && own != currency)
            section.wrong(key, "is in " + own + ", another budget is in " + currency,
                          "give all budgets in one currency");
        currency = own;
    }
}

void readRetry(const Section& section, RetrySettings& retry)
{
    section.allowOnly({"base", "cap", "attempts", "budget_share", "budget_floor", "budget_window", "reasks"});
    retry.base = section.duration("base", retry.base);
    retry.cap = section.duration("cap", retry.cap);
    retry.attempts = static_cast<int>(section.integer("attempts", retry.attempts, 1, 100));
    retry.budgetShare = section.number("budget_share", retry.budgetShare, 0, 10);
    retry.budgetFloor = section.integer("budget_floor", retry.budgetFloor, 0, 1'000'000);
    retry.budgetWindow = section.duration("budget_window", retry.budgetWindow);
    retry.reasks = static_cast<int>(section.integer("reasks", retry.reasks, 0, 20));
    if (retry.cap < retry.base) section.wrong("cap", "is shorter than `base`", "make it at least as long");
}

void readBreaker(const Section& section, BreakerSettings& breaker)
{
    section.allowOnly(
        {"failures", "failure_share", "minimum_calls", "window", "first_pause", "longest_pause", "probes"});
    breaker.failures = static_cast<int>(section.integer("failures", breaker.failures, 1, 1'000'000));
    breaker.failureShare = section.number("failure_share", breaker.failureShare, 0.01, 1);
    breaker.minimumCalls = static_cast<int>(section.integer("minimum_calls", breaker.minimumCalls, 1, 1'000'000));
    breaker.window = section.duration("window", breaker.window);
    breaker.firstPause = section.duration("first_pause", breaker.firstPause);
    breaker.longestPause = section.duration("longest_pause", breaker.longestPause);
    breaker.probes = static_cast<int>(section.integer("probes", breaker.probes, 1, 1000));
    if (breaker.longestPause < breaker.firstPause)
        section.wrong("longest_pause", "is shorter than `first_pause`", "make it at least as long");
}

// on_unknown: ask, or a map with its policy and ceiling.
void readUnknown(const Section& root, UnknownSettings& unknown)
{
    const Json* value = root.find("on_unknown");
    if (value == nullptr) return;
    const bool isMap = value->is_object();
    const Section section = isMap ? root.map("on_unknown") : root;
    if (isMap) section.allowOnly({"policy", "ceiling"});
    const std::string word =
        section.oneOf(isMap ? "policy" : "on_unknown", {"retry_once", "ask", "fail"}, "retry_once");
    unknown.policy = word == "ask"    ? UnknownPolicy::Ask
                     : word == "fail" ? UnknownPolicy::Fail
                                      : UnknownPolicy::RetryOnce;
    if (isMap) unknown.ceilingPerCall = section.number("ceiling", unknown.ceilingPerCall, 0, 1'000'000);
}

std::string budgetCurrency(const BudgetSettings& budgets)
{
    for (const auto& [key, member] : kBudgets)
        if (budgets.*member) return (budgets.*member)->currency;
    return {};
}

std::string moneyLimitOf(const ProviderSettings& provider)
{
    if (!provider.limits.currency.empty()) return provider.limits.currency;
    for (const AccountSettings& account : provider.accounts)
        if (!account.limits.currency.empty()) return account.limits.currency;
    return {};
}

// The user's own machines cost nothing that this program could count.
bool isOwnMachine(const ProviderSettings& provider)
{
    return provider.protocol == ProtocolKind::ModelService || provider.protocol == ProtocolKind::Offline ||
           provider.baseUrl.starts_with("http://");
}

void checkModel(const Section& root, const ApiModel& model, const std::string& cap, const std::string& capName,
                const ProviderSettings& provider)
{
    if (cap.empty()) return;
    const Section section = root.map("models").map(model.name);
    if (model.price.currency.empty() && !isOwnMachine(provider))
        root.findings().add(section.path(), "has no price, so that " + capName + " could not be kept",
                            "add `price: { input: .., output: .., currency: " + cap + " }`");
    else if (!model.price.currency.empty() && model.price.currency != cap)
        root.findings().add(section.path(),
                            "is priced in " + model.price.currency + ", but " + capName + " is in " + cap,
                            "give both in one currency");
}

} // namespace

void readPolicies(const Section& root, SettingsDraft& draft)
{
    readBudgets(root.map("budgets"), draft.settings.budgets);
    readRetry(root.map("retry"), draft.settings.retry);
    readBreaker(root.map("breaker"), draft.settings.breaker);
    readUnknown(root, draft.settings.unknown);
}

void checkMoney(const Section& root, SettingsDraft& draft)
{
    const ApiSettings& settings = draft.settings;
    const std::string budget = budgetCurrency(settings.budgets);
    std::set<std::size_t> used;
    for (const RouteSettings& route : settings.routes)
        for (const RouteChoice& choice : route.choices) used.insert(choice.model);
    for (const std::size_t index : used) {
        const ApiModel& model = settings.models[index];
        const ProviderSettings& provider = settings.providerOf(index);
        checkModel(root, model, budget, "budgets", provider);
        checkModel(root, model, moneyLimitOf(provider), "the money limit of \"" + provider.name + "\"", provider);
        checkModel(root, model, model.limits.currency, "its own money limit", provider);
    }
}

} // namespace aiflow
