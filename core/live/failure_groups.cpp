#include "core/live/failure_groups.h"

#include "core/base/normalise_message.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::size_t kMostGroups = 500;
constexpr std::size_t kMostSamples = 5;

} // namespace

void FailureGroups::add(Reason reason, const std::string& step, const std::string& message, const std::string& item)
{
    Key key{reason, step, normaliseMessage(message)};
    if (m_groups.size() >= kMostGroups && !m_groups.contains(key)) std::get<2>(key).clear();
    auto [place, isNew] = m_groups.try_emplace(key);
    FailureGroupSnapshot& group = place->second;
    if (isNew) {
        group.reason = reason;
        group.step = step;
        group.message = std::get<2>(key);
        group.sampleMessage = message;
    }
    ++group.count;
    if (group.sampleItems.size() < kMostSamples) group.sampleItems.push_back(item);
}

std::vector<FailureGroupSnapshot> FailureGroups::snapshot() const
{
    std::vector<FailureGroupSnapshot> groups;
    groups.reserve(m_groups.size());
    for (const auto& [key, group] : m_groups) groups.push_back(group);
    std::ranges::stable_sort(groups, std::ranges::greater{}, &FailureGroupSnapshot::count);
    return groups;
}

} // namespace aiflow
