#include "core/facade/open_calls_text.h"

#include "core/base/text.h"

#include <vector>

namespace aiflow {

namespace {

std::string counted(std::int64_t count, const char* one, const char* many)
{
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string decisionOf(const UnknownSettings& policy)
{
    switch (policy.policy) {
    case UnknownPolicy::RetryOnce:
        return "sent once more where that costs at most " + toText(Money{nanosOf(policy.ceilingPerCall), "a call"});
    case UnknownPolicy::Ask:
        return "left for you to decide (on_unknown: ask)";
    case UnknownPolicy::Fail:
        break;
    }
    return "given up (on_unknown: fail)";
}

} // namespace

std::string openCallsText(const EarlierCalls& earlier, const UnknownSettings& policy)
{
    if (earlier.count() == 0) return {};
    std::vector<std::string> parts;
    if (earlier.answered > 0)
        parts.push_back(
            counted(earlier.answered, "was answered and is read again", "were answered and are read again"));
    if (earlier.resumable > 0)
        parts.push_back(counted(earlier.resumable, "goes on at the service", "go on at the service"));
    if (earlier.unknown > 0) {
        std::vector<std::string> sums;
        for (const auto& [currency, amount] : earlier.atRisk) sums.push_back(toText(Money{amount, currency}));
        const std::string risk = sums.empty() ? "" : " (at most " + join(sums, " and ") + " at risk)";
        parts.push_back(counted(earlier.unknown, "has an unknown outcome", "have unknown outcomes") + risk +
                        "; without a key or id to look them up they are " + decisionOf(policy));
    }
    return counted(earlier.count(), "call was", "calls were") +
           " open when the last process ended: " + join(parts, ", ");
}

} // namespace aiflow
