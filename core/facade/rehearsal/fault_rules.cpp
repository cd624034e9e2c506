#include "core/facade/rehearsal/fault_rules.h"

#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace {

using Kind = RehearsalFault::Kind;

struct Rule {
    FaultKind kind;
    int variant = 0;
};

std::vector<Rule> rulesOf(Kind kind)
{
    switch (kind) {
    case Kind::Outage:
        return {{FaultKind::Unavailable}};
    case Kind::Throttle:
        return {{FaultKind::ThrottleSeconds}, {FaultKind::ThrottleDecimal}, {FaultKind::ThrottleDate},
                {FaultKind::ThrottleMillis},  {FaultKind::ThrottleReset},   {FaultKind::ThrottleBare}};
    case Kind::ServerError:
        return {{FaultKind::ServerError}};
    case Kind::Hang:
        return {{FaultKind::Hang}};
    case Kind::Reset:
        return {{FaultKind::ResetBeforeByte},
                {FaultKind::ResetAfterHeaders},
                {FaultKind::ResetMidBody},
                {FaultKind::ResetAfterBody}};
    case Kind::Refuse:
        return {{FaultKind::ContentRefused}};
    case Kind::Misfit:
        return {{FaultKind::Misfit}};
    case Kind::CutOff:
        return {{FaultKind::CutOff}};
    case Kind::Quota:
        return {{FaultKind::QuotaEmpty}};
    case Kind::Key:
        return {{FaultKind::KeyRevoked}};
    case Kind::Lie:
        break;
    }
    std::vector<Rule> lies;
    for (int variant = 0; variant < kLieVariants; ++variant) lies.push_back({FaultKind::Lie, variant});
    return lies;
}

// The share is that of all the forms of a fault together, each as likely as the others. The rules are tried one after
// the other: what the first ones took, the later ones do not meet.
std::vector<SimulatedFault> rulesFor(const RehearsalFault& fault)
{
    std::vector<SimulatedFault> rules;
    const std::vector<Rule> forms = rulesOf(fault.kind);
    const double each = fault.share / static_cast<double>(forms.size());
    double left = 1;
    for (const Rule& form : forms) {
        SimulatedFault rule;
        rule.kind = form.kind;
        rule.variant = form.variant;
        rule.probability = std::min(1.0, each / left);
        left = std::max(left - each, 1e-9);
        rule.account = fault.account;
        rule.from = fault.from;
        if (fault.lasting) rule.until = fault.from + *fault.lasting;
        rules.push_back(std::move(rule));
    }
    return rules;
}

Error unknown(const std::string& what, const std::string& name, const std::vector<std::string>& names)
{
    const auto near = nearestWord(name, names);
    return {Reason::UsageInvalid,
            "a fault is meant for " + what + " \"" + name + "\", which the configuration does not have",
            near ? "did you mean " + *near + "?" : "there are: " + join(names, ", "), std::nullopt};
}

bool knowsAccount(const SimulatedService& service, const std::string& account)
{
    return std::ranges::any_of(service.accounts, [&](const auto& one) { return one.name == account; });
}

} // namespace

Result<void> addFaults(SimulatedWorld& world, const std::vector<RehearsalFault>& faults)
{
    for (const RehearsalFault& fault : faults) {
        std::vector<std::string> providers, accounts;
        bool met = false;
        for (SimulatedService& service : world.services) {
            providers.push_back(service.name);
            for (const SimulatedAccount& account : service.accounts) accounts.push_back(account.name);
            if (!fault.provider.empty() && fault.provider != service.name) continue;
            if (!fault.account.empty() && !knowsAccount(service, fault.account)) continue;
            met = true;
            for (SimulatedFault& rule : rulesFor(fault)) service.faults.push_back(std::move(rule));
        }
        if (met) continue;
        const bool known = std::ranges::find(providers, fault.provider) != providers.end();
        return tl::unexpected(known ? unknown("the account", fault.account, accounts)
                                    : unknown("the provider", fault.provider, providers));
    }
    return {};
}

} // namespace aiflow
