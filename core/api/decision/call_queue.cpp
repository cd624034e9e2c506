#include "core/api/decision/call_queue.h"

namespace aiflow {

Slot CallQueue::add(const CallDemand& demand, RouteBook::ListId list, BootTime now)
{
    Slot slot = static_cast<Slot>(m_calls.size());
    if (m_free.empty()) {
        m_calls.emplace_back();
    } else {
        slot = m_free.back();
        m_free.pop_back();
    }
    const std::uint32_t generation = m_calls[slot].generation;
    Call& call = m_calls[slot];
    call = Call{};
    call.generation = generation;
    call.demand = demand;
    call.list = list;
    call.routeList = list;
    call.since = now;
    call.arrival = ++m_arrivals;
    call.state = Call::State::Open;
    m_byId.insert_or_assign(demand.id, slot);
    return slot;
}

std::optional<Slot> CallQueue::find(CallId id) const
{
    const auto place = m_byId.find(id);
    return place == m_byId.end() ? std::nullopt : std::optional(place->second);
}

CallQueue::Group& CallQueue::groupOf(const Call& call)
{
    Group*& group = m_known[{call.list, call.retries && !call.told, call.demand.onlyAccount}];
    if (!group) {
        group = m_groups.emplace_back(std::make_unique<Group>()).get();
        group->list = call.list;
        group->retries = call.retries && !call.told;
        group->onlyAccount = call.demand.onlyAccount;
    }
    return *group;
}

void CallQueue::enqueue(Slot slot)
{
    Call& call = m_calls[slot];
    leave(call);
    call.state = Call::State::Queued;
    ++m_waiting;
    Group& group = groupOf(call);
    const Rank rank = rankOf(call);
    const std::optional<Slot> before = first(group);
    if (!before || rank < rankOf(m_calls[*before])) group.version = 0;
    group.queue.push({rank, slot, call.generation});
    ++group.size;
}

void CallQueue::delay(Slot slot, BootTime until)
{
    Call& call = m_calls[slot];
    leave(call);
    call.state = Call::State::Delayed;
    ++m_waiting;
    m_timers.push({until, rankOf(call), slot, call.generation});
}

void CallQueue::park(Slot slot, std::uint64_t item)
{
    Call& call = m_calls[slot];
    leave(call);
    call.state = Call::State::Parked;
    ++m_waiting;
    m_parked[item].emplace_back(slot, call.generation);
}

void CallQueue::wake(std::uint64_t item)
{
    const auto place = m_parked.find(item);
    if (place == m_parked.end()) return;
    const auto parked = std::move(place->second);
    m_parked.erase(place);
    for (const auto& [slot, generation] : parked)
        if (m_calls[slot].generation == generation && m_calls[slot].state == Call::State::Parked) enqueue(slot);
}

void CallQueue::leave(Call& call)
{
    if (call.state == Call::State::Free || call.state == Call::State::Open) return;
    if (call.state == Call::State::Queued) --groupOf(call).size;
    --m_waiting;
    ++call.generation;
    call.state = Call::State::Open;
}

void CallQueue::open(Slot slot) { leave(m_calls[slot]); }

void CallQueue::erase(Slot slot)
{
    Call& call = m_calls[slot];
    leave(call);
    m_byId.erase(call.demand.id);
    ++call.generation;
    call.state = Call::State::Free;
    call.story.reset();
    m_free.push_back(slot);
}

void CallQueue::due(BootTime now)
{
    while (!m_timers.empty() && m_timers.top().until <= now) {
        const Timer timer = m_timers.top();
        m_timers.pop();
        const Call& call = m_calls[timer.slot];
        if (call.generation == timer.generation && call.state == Call::State::Delayed) enqueue(timer.slot);
    }
}

std::optional<BootTime> CallQueue::nextDue()
{
    while (!m_timers.empty()) {
        const Timer& timer = m_timers.top();
        const Call& call = m_calls[timer.slot];
        if (call.generation == timer.generation && call.state == Call::State::Delayed) return timer.until;
        m_timers.pop();
    }
    return std::nullopt;
}

std::optional<Slot> CallQueue::first(Group& group)
{
    while (!group.queue.empty()) {
        const Group::Entry& entry = group.queue.top();
        const Call& call = m_calls[entry.slot];
        if (call.generation == entry.generation && call.state == Call::State::Queued) return entry.slot;
        group.queue.pop();
    }
    return std::nullopt;
}

} // namespace aiflow
