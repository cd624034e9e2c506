#include "core/api/decision/dispatcher.h"

#include "core/api/decision/last_words.h"
#include "core/api/decision/real_dispatcher.h"

#include <algorithm>
#include <utility>

namespace aiflow {

std::unique_ptr<Dispatcher> Dispatcher::create(DispatcherParts parts)
{
    return std::make_unique<RealDispatcher>(std::move(parts));
}

RealDispatcher::RealDispatcher(DispatcherParts parts)
    : m_parts(std::move(parts)), m_shop(std::make_unique<Workshop>(m_parts)), m_queue(std::make_unique<CallQueue>()),
      m_placement(*m_shop), m_toldHunger(m_shop->limiter.pools().keys()),
      m_spent(m_shop->limiter.pools().keys(), SlidingLog(std::chrono::hours(24))),
      m_spentCurrency(m_shop->limiter.pools().keys())
{
}

void RealDispatcher::submit(const CallDemand& call, BootTime now)
{
    m_now = std::max(m_now, now);
    m_queue->enqueue(m_queue->add(call, m_shop->routes.listFor(call), now));
}

bool RealDispatcher::withdraw(CallId call)
{
    const std::optional<Slot> slot = m_queue->find(call);
    if (!slot || m_queue->at(*slot).state == Call::State::Open) return false;
    m_queue->erase(*slot);
    changed();
    return true;
}

void RealDispatcher::setSpent(Nanos byJob, const std::string& currency)
{
    m_shop->spending.setSpent(byJob, currency);
    m_jobStopped = false;
    changed();
}

void RealDispatcher::learn(const LimitNews& news, BootTime now)
{
    m_now = std::max(m_now, now);
    m_shop->fair.demands(news.demands);
    for (const LimitUse& use : news.uses)
        if (m_shop->limiter.learn(use, m_now)) m_shop->fair.othersGranted(use.scope);
    for (const LimitNotice& notice : news.notices) {
        m_shop->health.learn(notice, m_now);
        m_shop->learnt.learn(notice, m_now);
    }
    changed();
}

Decisions RealDispatcher::decide(BootTime now)
{
    m_now = std::max(m_now, now);
    m_shop->limiter.tick(m_now);
    m_queue->due(m_now);
    Decisions decisions = std::exchange(m_pending, {});
    plan(decisions);
    m_shop->health.tell(decisions.pauses, m_now);
    fillWaiting(decisions.pauses);
    m_tick = m_shop->limiter.tick(m_now);
    return decisions;
}

void RealDispatcher::plan(Decisions& decisions)
{
    const auto later = [](const auto& a, const auto& b) { return b.first < a.first; };
    m_round.clear();
    m_claimed.clear();
    for (const auto& group : m_queue->groups())
        if (const std::optional<Slot> first = m_queue->first(*group))
            m_round.emplace_back(rankOf(m_queue->at(*first)), group.get());
    std::ranges::make_heap(m_round, later);
    while (!m_round.empty()) {
        std::ranges::pop_heap(m_round, later);
        Group& group = *m_round.back().second;
        m_round.pop_back();
        const bool stillBlocked = group.version == m_version && group.until > m_now;
        const std::optional<Slot> first = m_queue->first(group);
        if (stillBlocked || !place(group, *first, decisions)) {
            m_claimed.insert(m_claimed.end(), group.claims.begin(), group.claims.end());
        } else if (const std::optional<Slot> next = m_queue->first(group)) {
            m_round.emplace_back(rankOf(m_queue->at(*next)), &group);
            std::ranges::push_heap(m_round, later);
        }
    }
}

bool RealDispatcher::place(Group& group, Slot slot, Decisions& decisions)
{
    const Call& call = m_queue->at(slot);
    Placing placing = m_placement.choose(call, group, m_claimed, m_now);
    switch (placing.kind) {
    case Placing::Kind::Send:
        send(group, slot, placing, decisions);
        return true;
    case Placing::Kind::Park:
        m_queue->park(slot, call.demand.budgetItem);
        return true;
    case Placing::Kind::GiveUp:
        decisions.giveUps.push_back({call.demand.id, std::move(placing.error), call.past.sends});
        m_queue->erase(slot);
        return true;
    case Placing::Kind::StopJob:
        if (!m_jobStopped) decisions.jobStops = std::move(placing.error);
        m_jobStopped = true;
        placing.at = Room::kWhenFreed;
        placing.reason = Reason::BudgetReached;
        break;
    case Placing::Kind::Wait:
        break;
    }
    block(group, call, placing, decisions);
    return false;
}

void RealDispatcher::block(Group& group, const Call& call, Placing& placing, Decisions& decisions)
{
    group.version = m_version;
    group.until = placing.at;
    group.hungry = !placing.out && !placing.retryBudget && placing.reason != Reason::BudgetReached;
    group.claims.clear();
    if (placing.blockedBy) {
        for (LimitPool* pool : m_shop->target(*placing.blockedBy).pools)
            if (!pool->roomFor(placing.amounts, m_now).isNow(m_now)) group.claims.push_back(pool);
    }
    const bool worthTelling = placing.out || placing.reason == Reason::BudgetReached;
    if (worthTelling && group.told != placing.reason) {
        const auto until = placing.at == Room::kWhenFreed ? std::nullopt : std::optional(placing.at);
        decisions.waits.push_back(
            {call.demand.id, placing.reason, std::string(info(placing.reason).headlineEn), until});
        group.told = placing.reason;
    }
}

void RealDispatcher::send(Group& group, Slot slot, Placing& placing, Decisions& decisions)
{
    m_queue->open(slot);
    Call& call = m_queue->at(slot);
    const Target& target = m_shop->target(placing.target);
    const AttemptId id(m_parts.newAttemptId());
    const std::chrono::nanoseconds timeout = m_placement.timeoutOf(call.demand, target.model);
    m_shop->limiter.reserve(id.value(), placing.target, placing.amounts, timeout, m_now);
    m_shop->spending.reserve(call.demand.budgetItem, placing.worst);
    if (!call.told) m_shop->budgets.sent(target, call.retries, m_now);
    m_shop->fair.granted(m_shop->limiter.pools().scopeOf(target.key));
    ++m_shop->open[target.key];
    m_placement.placed(call, placing.target);
    ++call.past.sends;

    SendOrder order;
    order.call = call.demand.id;
    order.attempt = id;
    order.model = target.model;
    order.provider = target.provider;
    order.account = target.account;
    order.number = call.past.sends;
    order.probe = m_shop->health.sent(placing.target, id.value(), m_now + timeout, m_now);
    order.use = m_shop->limiter.useOf(id.value());
    order.reserved = placing.worst;
    order.why = std::move(placing.why);
    m_attempts.emplace(id.value(), Attempt{slot, placing.target, placing.amounts, std::move(placing.worst), m_now});
    decisions.sends.push_back(std::move(order));

    group.told.reset();
    if (!group.claims.empty()) {
        group.claims.clear();
        changed();
    }
}

std::optional<BootTime> RealDispatcher::nextDecision() const
{
    if (!m_pending.empty()) return m_now;
    std::optional<BootTime> next = m_queue->nextDue();
    const auto also = [&next](BootTime time) { next = next ? std::min(*next, time) : time; };
    if (m_tick) also(*m_tick);
    for (const auto& group : m_queue->groups()) {
        if (!m_queue->first(*group)) continue;
        if (group->version != m_version) return m_now;
        if (group->until != Room::kWhenFreed) also(group->until);
    }
    return next;
}

void RealDispatcher::onWire(AttemptId attempt, BootTime now)
{
    m_now = std::max(m_now, now);
    const auto place = m_attempts.find(attempt.value());
    if (place == m_attempts.end() || place->second.wired) return;
    place->second.wired = true;
    place->second.sentAt = now;
    m_shop->limiter.onWire(attempt.value(), now);
    if (m_queue->waiting() > 0) changed();
}

} // namespace aiflow
