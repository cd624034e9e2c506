#include "core/inference/batcher.h"

#include <algorithm>

namespace aiflow {

BatchGroup Batcher::addGroup(BatchLimits limits)
{
    m_groups.push_back(Group{limits, std::max(limits.max, 1), {}});
    return static_cast<BatchGroup>(m_groups.size() - 1);
}

void Batcher::add(BatchTicket ticket, BatchGroup group, LaneOrder order, Bytes size, MonotonicTime now)
{
    const Turn turn{order, m_comers++};
    m_groups[static_cast<std::size_t>(group)].queue.emplace(turn, Entry{ticket, size, now});
    m_places.emplace(ticket, std::pair{group, turn});
    m_bytes += size;
}

MonotonicTime Batcher::dueAt(const Group& group)
{
    MonotonicTime oldest = MonotonicTime::max();
    if (group.limits.delay.count() == 0 || group.queue.size() >= static_cast<std::size_t>(group.max))
        return MonotonicTime::min();
    for (const auto& [turn, entry] : group.queue) oldest = std::min(oldest, entry.since);
    return oldest + group.limits.delay;
}

std::optional<Batch> Batcher::next(MonotonicTime now)
{
    Group* first = nullptr;
    for (Group& group : m_groups) {
        if (group.queue.empty() || dueAt(group) > now) continue;
        if (first == nullptr || group.queue.begin()->first < first->queue.begin()->first) first = &group;
    }
    if (first == nullptr) return std::nullopt;
    Batch batch;
    batch.group = static_cast<BatchGroup>(first - m_groups.data());
    Bytes total;
    while (!first->queue.empty() && batch.tickets.size() < static_cast<std::size_t>(first->max)) {
        const Entry entry = first->queue.begin()->second;
        if (!batch.tickets.empty() && total + entry.size > first->limits.bytes) break;
        total += entry.size;
        batch.tickets.push_back(entry.ticket);
        remove(entry.ticket);
    }
    return batch;
}

std::optional<MonotonicTime> Batcher::nextDue() const
{
    std::optional<MonotonicTime> due;
    for (const Group& group : m_groups)
        if (!group.queue.empty()) due = due ? std::min(*due, dueAt(group)) : dueAt(group);
    return due;
}

bool Batcher::outOfMemory(BatchGroup group, std::size_t size)
{
    if (size <= 1) return false;
    limit(group, static_cast<int>(size / 2));
    return true;
}

void Batcher::limit(BatchGroup group, int max)
{
    Group& limited = m_groups[static_cast<std::size_t>(group)];
    limited.max = std::max(1, std::min(limited.max, max));
}

bool Batcher::remove(BatchTicket ticket)
{
    const auto place = m_places.find(ticket);
    if (place == m_places.end()) return false;
    const auto [group, turn] = place->second;
    auto& queue = m_groups[static_cast<std::size_t>(group)].queue;
    const auto it = queue.find(turn);
    m_bytes -= it->second.size;
    queue.erase(it);
    m_places.erase(place);
    return true;
}

} // namespace aiflow
