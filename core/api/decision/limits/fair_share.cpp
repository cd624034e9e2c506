#include "core/api/decision/limits/fair_share.h"

#include <algorithm>

namespace aiflow {
namespace {

constexpr std::chrono::milliseconds kPatience{250};
constexpr std::int64_t kGrantsOfTheUrgent = 15; // for each of the less urgent
constexpr std::int64_t kAhead = 1;              // of its share, at most
constexpr std::int64_t kMemory = 64;            // grants, after which their weight halves

} // namespace

void FairShare::demands(const std::vector<LimitDemand>& demands)
{
    std::map<std::string, Scope, std::less<>> scopes;
    for (const LimitDemand& demand : demands) {
        if (demand.waiting <= 0) continue;
        const auto [place, added] = scopes.try_emplace(demand.scope);
        const auto before = m_scopes.find(demand.scope);
        if (added && before != m_scopes.end()) {
            place->second = before->second;
            place->second.others.clear();
        }
        place->second.others.push_back(demand);
    }
    m_scopes = std::move(scopes);
}

void FairShare::othersGranted(const std::string& scope)
{
    const auto place = m_scopes.find(scope);
    if (place == m_scopes.end()) return;
    Scope& it = place->second;
    ++it.theirs;
    ++it.sinceOurs;
    it.since.reset();
    if (it.ours + it.theirs > kMemory) {
        it.ours /= 2;
        it.theirs /= 2;
    }
}

void FairShare::granted(const std::string& scope)
{
    if (m_scopes.empty()) return;
    const auto place = m_scopes.find(scope);
    if (place == m_scopes.end()) return;
    ++place->second.ours;
    place->second.sinceOurs = 0;
    place->second.since.reset();
}

bool FairShare::makesWay(const Scope& scope, std::int32_t priority)
{
    const auto moreUrgent = [&](const LimitDemand& other) { return other.priority < priority; };
    if (std::ranges::any_of(scope.others, moreUrgent)) return scope.sinceOurs < kGrantsOfTheUrgent;
    const auto equals =
        std::ranges::count_if(scope.others, [&](const LimitDemand& o) { return o.priority == priority; });
    return equals > 0 && (scope.ours - kAhead) * equals > scope.theirs;
}

BootTime FairShare::mayTake(const std::string& scope, std::int32_t priority, BootTime now)
{
    if (m_scopes.empty()) return BootTime::min();
    const auto place = m_scopes.find(scope);
    if (place == m_scopes.end() || !makesWay(place->second, priority)) return BootTime::min();
    if (!place->second.since) place->second.since = now;
    return *place->second.since + kPatience;
}

} // namespace aiflow
