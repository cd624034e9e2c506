#include "cli/session/display/failure_throttle.h"

namespace aiflow {

namespace {

constexpr std::int64_t kShown = 5;
constexpr std::chrono::minutes kPause{1};

} // namespace

bool FailureThrottle::admits(const JobEvent& event)
{
    if (event.type != "item_finished") return true;
    Counts& counts = m_kinds[{std::string(info(event.reason.value_or(Reason::Internal)).code), event.step}];
    if (++counts.seen > kShown) return false;
    counts.told = counts.seen;
    return true;
}

std::vector<std::pair<FailureThrottle::Kind, std::int64_t>> FailureThrottle::heldBack(Time now)
{
    if (m_told == Time{}) m_told = now;
    if (now - m_told < kPause) return {};
    m_told = now;
    std::vector<std::pair<Kind, std::int64_t>> held;
    for (auto& [kind, counts] : m_kinds)
        if (counts.seen > counts.told) held.emplace_back(kind, counts.seen - std::exchange(counts.told, counts.seen));
    return held;
}

} // namespace aiflow
