#include "core/api/decision/last_words.h"
#include "core/api/decision/real_dispatcher.h"

namespace aiflow {
namespace {

// Failures that leave open whether the provider is still at work.
bool mayStillRun(FailureClass failure)
{
    using enum FailureClass;
    return failure == TimedOut || failure == Unknown || failure == Cancelled;
}

bool mayHaveBeenDone(const Failure& failure)
{
    return failure.failure == FailureClass::ServerError || mayStillRun(failure.failure);
}

// Nothing of it can have arrived. An answer, or an end in the middle, tells that something did, whole or not.
bool neverSent(bool wired, const AttemptEnd& end)
{
    if (!end.failure) return false;
    if (end.failure->failure == FailureClass::NotSent) return true;
    const bool silent = end.failure->failure == FailureClass::Outage || end.failure->failure == FailureClass::Cancelled;
    return !wired && silent && end.failure->status == 0;
}

bool speaksAgainstModel(FailureClass failure)
{
    using enum FailureClass;
    return failure == Outage || failure == ServerError || failure == TimedOut || failure == Unknown ||
           failure == TooLarge || failure == CutOff || failure == Misfit || failure == LyingSuccess ||
           failure == JobFailed;
}

} // namespace

Amounts RealDispatcher::realAmounts(const Attempt& attempt, const AttemptEnd& end) const
{
    Amounts real = attempt.amounts;
    const bool notExecuted = end.failure && definitelyNotExecuted(end.failure->failure) && !end.failure->charged;
    if (notExecuted) {
        real.nanos = 0;
        // Whether a provider counts what it refuses is unknown, and that it counted is the safe guess.
        if (end.failure->failure == FailureClass::Throttled) return real;
        real.outputTokens = 0;
        real.images = 0;
    } else if (end.usageKnown) {
        real.inputTokens = end.usage.inputTokens;
        real.outputTokens = end.usage.outputTokens;
        real.images = end.usage.images;
        real.nanos = costOf(m_shop->settings.models[m_shop->target(attempt.target).model].price, end.usage).count();
    }
    return real;
}

void RealDispatcher::settle(const Attempt& attempt, const AttemptEnd& end)
{
    const std::uint64_t id = end.attempt.value();
    const Target& target = m_shop->target(attempt.target);
    Amounts real = realAmounts(attempt, end);
    if (neverSent(attempt.wired, end) && !attempt.adopted) {
        real = {};
        m_shop->limiter.release(id);
    } else {
        m_shop->limiter.onWire(id, m_now);
        m_shop->limiter.settle(id, real);
        const bool lingers = end.failure && mayStillRun(end.failure->failure);
        m_shop->limiter.finish(id, lingers ? m_now + m_shop->settings.retry.base * 10 : m_now, m_now);
    }
    const Money cost{Nanos(real.nanos), attempt.worst.currency};
    m_shop->spending.settle(m_queue->at(attempt.slot).demand.budgetItem, attempt.worst, cost);
    m_spent[target.key].add(real.nanos, m_now);
    (void)m_spent[target.key].used(m_now);
    if (!cost.currency.empty()) m_spentCurrency[target.key] = cost.currency;
    --m_shop->open[target.key];
}

void RealDispatcher::judgeRoute(const Attempt& attempt, const AttemptEnd& end)
{
    if (end.failure && !speaksAgainstModel(end.failure->failure)) return;
    m_shop->routes.ended(m_queue->at(attempt.slot).demand.route, m_shop->target(attempt.target).model,
                         end.failure.has_value());
}

void RealDispatcher::ended(const AttemptEnd& end, BootTime now)
{
    m_now = std::max(m_now, now);
    const auto place = m_attempts.find(end.attempt.value());
    if (place == m_attempts.end()) return;
    const Attempt attempt = std::move(place->second);
    m_attempts.erase(place);
    changed();
    settle(attempt, end);
    judgeRoute(attempt, end);

    const bool counts = !end.failure || end.failure->failure != FailureClass::Cancelled;
    const Target& target = m_shop->target(attempt.target);
    const bool inPause = m_shop->health.gate(attempt.target, m_now).at > m_now;
    const bool answeredOthers = m_shop->health.answeredSince(attempt.target, attempt.sentAt);
    if (m_shop->health.ended(
            {attempt.target, end.attempt.value(), attempt.sentAt, end.failure ? &*end.failure : nullptr, counts},
            m_now))
        m_shop->learnt.refused(target, end.failure->modelOnly, m_now, m_shop->settings.breaker.window);
    if (!end.failure)
        m_shop->ramps[target.key].answered();
    else if (end.failure->failure == FailureClass::Throttled && !inPause)
        m_shop->ramps[target.key].refused(m_shop->open[target.key]);
    if (!end.learnt.empty()) m_shop->learnt.answered(target, end.learnt, attempt.sentAt, m_now);

    const std::uint64_t item = m_queue->at(attempt.slot).demand.budgetItem;
    if (end.failure) {
        followUp(attempt, end, answeredOthers);
    } else {
        if (end.latency.count() > 0) m_shop->latencies.answered(attempt.target, target.model, end.latency);
        m_queue->erase(attempt.slot);
    }
    m_queue->wake(item);
}

EndFacts RealDispatcher::factsOf(const Attempt& attempt, const AttemptEnd& end) const
{
    const Target& target = m_shop->target(attempt.target);
    const ProviderSettings& provider = m_shop->settings.providers[target.provider];
    const Call& call = m_queue->at(attempt.slot);
    EndFacts facts;
    facts.asksAgain = end.asksAgain;
    facts.otherModel = m_shop->routes.models(m_shop->routes.without(call.routeList, target.model)).size() > 0;
    facts.repeatable = provider.capability == CapabilityClass::A || provider.protocol == ProtocolKind::ModelService;
    facts.cheap = attempt.worst.amount <= nanosOf(m_shop->settings.unknown.ceilingPerCall);
    return facts;
}

void RealDispatcher::followUp(const Attempt& attempt, const AttemptEnd& end, bool answeredOthers)
{
    Call& call = m_queue->at(attempt.slot);
    if (!call.story) call.story = std::make_unique<CallStory>();
    call.story->where = m_shop->placeOf(attempt.target);
    call.story->last = *end.failure;
    ++call.story->counts[end.failure->failure];
    EndFacts facts = factsOf(attempt, end);
    facts.othersAnswered = answeredOthers;
    const RetryVerdict verdict = m_shop->policy.judge(*end.failure, facts, call.past);
    if (verdict.step == RetryVerdict::Step::GiveUp) {
        m_pending.giveUps.push_back(
            {call.demand.id, gaveUpError(m_shop->settings, call, attempt.worst, verdict.asks), call.past.sends});
        m_queue->erase(attempt.slot);
        return;
    }
    again(attempt.slot, attempt, end, verdict);
}

void RealDispatcher::again(Slot slot, const Attempt& attempt, const AttemptEnd& end, const RetryVerdict& verdict)
{
    using Step = RetryVerdict::Step;
    Call& call = m_queue->at(slot);
    const Target& target = m_shop->target(attempt.target);
    CallDemand& demand = call.demand;
    call.retries = true;
    call.told = verdict.told || verdict.step != Step::Again;
    if (end.maxOutputTokens) demand.maxOutputTokens = *end.maxOutputTokens;
    if (end.inputTokens) demand.inputTokens = *end.inputTokens;
    if (verdict.step == Step::Reask) {
        CallDemand same = demand;
        same.onlyModel = target.model;
        call.list = m_shop->routes.listFor(same);
        demand.onlyAccount.reset();
    } else if (verdict.step == Step::OtherModel) {
        demand.onlyAccount.reset();
        call.routeList = m_shop->routes.without(call.routeList, target.model);
        call.list = call.routeList;
        call.demoted = true;
    } else if (mayHaveBeenDone(*end.failure) &&
               m_shop->settings.providers[target.provider].capability == CapabilityClass::A) {
        // The same idempotency key again, on the account that knows it.
        CallDemand same = demand;
        same.onlyModel = target.model;
        call.list = m_shop->routes.listFor(same);
        demand.onlyAccount = target.account;
    }
    if (!verdict.waits) {
        m_queue->enqueue(slot);
    } else {
        const int failures = call.past.sends;
        m_queue->delay(slot, m_now + m_shop->policy.backoff(failures, m_shop->random));
    }
    if (verdict.step != Step::Again) return;
    const Gate gate = m_shop->health.gate(attempt.target, m_now);
    const bool known = gate.at > m_now && gate.at != BootTime::max();
    m_pending.waits.push_back({demand.id, reasonOf(end.failure->failure),
                               call.story->where + ": " + std::string(nameOf(end.failure->failure)),
                               known ? std::optional(gate.at) : std::nullopt});
}

AttemptId RealDispatcher::adopt(CallId call, std::size_t model, const std::string& accountName, BootTime now)
{
    m_now = std::max(m_now, now);
    std::optional<Slot> slot = m_queue->find(call);
    if (!slot) {
        CallDemand demand;
        demand.id = call;
        demand.onlyModel = model;
        slot = m_queue->add(demand, m_shop->routes.listFor(demand), m_now);
    }
    m_queue->open(*slot);
    const auto targets = m_shop->limiter.pools().of(model);
    std::size_t chosen = targets.front();
    for (const std::size_t target : targets)
        if (m_shop->limiter.pools().accountOf(m_shop->target(target)).name == accountName) chosen = target;
    const AttemptId id(m_parts.newAttemptId());
    Call& it = m_queue->at(*slot);
    m_shop->limiter.adopt(id.value(), chosen, m_placement.timeoutOf(it.demand, model), m_now);
    ++m_shop->open[m_shop->target(chosen).key];
    ++it.past.sends;
    const std::string& currency = m_shop->settings.models[model].price.currency;
    m_attempts.emplace(id.value(), Attempt{*slot, chosen, {}, {Nanos{}, currency}, m_now, true, true});
    changed();
    return id;
}

} // namespace aiflow
