#include "tests/core/api/decision/simulated_world.h"

#include <algorithm>
#include <sstream>

namespace aiflow::test {
namespace {

using namespace std::chrono_literals;
constexpr BootTime kStart{1000h};

bool isWaiting(FailureClass failure)
{
    using enum FailureClass;
    return failure == NotSent || failure == Throttled || failure == QuotaExhausted || failure == KeyRefused ||
           failure == Outage;
}

bool changesRequest(FailureClass failure)
{
    using enum FailureClass;
    return failure == Misfit || failure == CutOff || failure == TooLarge;
}

} // namespace

// What one life of a process knows, and what its job keeps over its lives.
struct SimulatedWorld::Process {
    std::uint64_t life = 0;
    std::unique_ptr<Dispatcher> dispatcher;
    std::unique_ptr<SeededRandom> random;
    std::size_t usesRead = 0, noticesRead = 0;
    std::optional<BootTime> wakesAt;
    bool alive = false;
    bool stopped = false; // its budget is reached
    std::optional<WorldKill> doomed;
    std::map<AttemptId, SendOrder> open;
    std::map<std::pair<std::size_t, std::size_t>, BootTime> told; // by provider and account
    // Of the job.
    std::set<std::uint64_t> undone; // submitted, not over
    std::int64_t submitted = 0;
    std::map<std::uint64_t, std::map<FailureClass, int>> failures;
    std::map<std::uint64_t, std::pair<Failure, std::size_t>> lastFailure; // with the model
    std::map<std::uint64_t, bool> reasked;
    std::map<std::uint64_t, Nanos> items;
    Nanos spent;
};

SimulatedWorld::SimulatedWorld(WorldPlan plan) : m_plan(std::move(plan)), m_random(m_plan.seed), m_now(kStart)
{
    const ApiSettings& settings = m_plan.settings;
    for (const ProviderSettings& provider : settings.providers) {
        m_judge.limit("provider " + provider.name, provider.limits);
        for (const AccountSettings& account : provider.accounts) {
            m_judge.limit("account " + account.scope, account.limits);
            for (const ApiModel& model : settings.models)
                if (settings.providers[model.provider].name == provider.name)
                    m_judge.limit("model " + model.name + " on " + account.scope, model.limits);
        }
    }
    for (const OrganisationSettings& organisation : settings.organisations)
        m_judge.limit("organisation " + organisation.name, organisation.limits);
    for (std::size_t i = 0; i < m_plan.jobs.size(); ++i) {
        m_processes.push_back(std::make_unique<Process>());
        at(kStart + m_plan.jobs[i].begins, [this, i] { start(i, false); });
    }
    for (const WorldKill& it : m_plan.kills) at(it.at, [this, it] { kill(it); });
}

SimulatedWorld::~SimulatedWorld() = default;

void SimulatedWorld::at(BootTime when, std::function<void()> what)
{
    m_events.push({std::max(when, m_now), ++m_eventNumber, std::move(what)});
}

void SimulatedWorld::wrong(const std::string& what)
{
    if (!m_wrong.empty()) return;
    std::ostringstream text;
    text << "after " << std::chrono::duration_cast<std::chrono::milliseconds>(m_now - kStart).count()
         << " ms: " << what;
    m_wrong = text.str();
}

std::chrono::nanoseconds SimulatedWorld::between(std::chrono::nanoseconds low, std::chrono::nanoseconds high)
{
    const double share = m_random.uniform();
    return low + std::chrono::nanoseconds(static_cast<std::int64_t>(share * static_cast<double>((high - low).count())));
}

void SimulatedWorld::start(std::size_t index, bool again)
{
    Process& process = *m_processes[index];
    process.life = ++m_lives;
    process.random = std::make_unique<SeededRandom>(m_plan.seed * 1000 + process.life);
    process.dispatcher = Dispatcher::create({m_plan.settings, *process.random, [this] { return ++m_lastId; }});
    process.usesRead = process.noticesRead = 0;
    process.wakesAt.reset();
    process.alive = true;
    process.dispatcher->setSpent(process.spent, "USD");
    if (again) {
        for (const std::uint64_t call : process.undone)
            process.dispatcher->submit(demandOf(index, static_cast<std::int64_t>(call)), m_now);
    }
    submitNext(index, process.submitted);
    step(index);
}

void SimulatedWorld::kill(const WorldKill& it)
{
    Process& process = *m_processes[it.process];
    if (!process.alive) return;
    if (it.atSend && !process.doomed) {
        process.doomed = it;
        return;
    }
    process.doomed.reset();
    // What was open may be charged in full.
    for (const auto& [attempt, order] : process.open) {
        process.spent += order.reserved.amount;
        process.items[order.call.value()] += order.reserved.amount;
    }
    process.open.clear();
    process.alive = false;
    m_demands.erase(process.life);
    process.dispatcher.reset();
    at(m_now + it.away, [this, index = it.process] { start(index, true); });
}

CallDemand SimulatedWorld::demandOf(std::size_t process, std::int64_t index)
{
    SeededRandom random(m_plan.seed * 7919 + static_cast<std::uint64_t>(index) * 31 + process);
    CallDemand call;
    call.id = CallId(static_cast<std::uint64_t>(index));
    call.route = random.next() % m_plan.settings.routes.size();
    call.priority = m_plan.jobs[process].priority;
    call.item = ItemIndex(index / 3);
    call.stepFromEnd = static_cast<std::int32_t>(index % 3);
    call.itemHash = random.next();
    call.promptFamily = random.next() % 4;
    call.inputTokens = 1 + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(m_plan.inputTokens));
    call.images = m_plan.images;
    call.budgetItem = static_cast<std::uint64_t>(index);
    return call;
}

void SimulatedWorld::submitNext(std::size_t index, std::int64_t number)
{
    Process& process = *m_processes[index];
    const WorldJob& job = m_plan.jobs[index];
    const std::uint64_t life = process.life;
    if (number != process.submitted || number >= job.calls || process.stopped) return;
    const std::int64_t batch = job.spacing.count() == 0 ? job.calls - number : 1;
    for (std::int64_t i = 0; i < batch; ++i) {
        process.undone.insert(static_cast<std::uint64_t>(process.submitted));
        process.dispatcher->submit(demandOf(index, process.submitted), m_now);
        ++process.submitted;
    }
    if (process.submitted < job.calls)
        at(m_now + job.spacing, [this, index, life, next = process.submitted] {
            Process& it = *m_processes[index];
            if (!it.alive || it.life != life) return;
            submitNext(index, next);
            step(index);
        });
}

LimitNews SimulatedWorld::newsFor(Process& process)
{
    LimitNews news;
    for (; process.usesRead < m_uses.size(); ++process.usesRead)
        if (m_uses[process.usesRead].first != process.life) news.uses.push_back(m_uses[process.usesRead].second);
    for (; process.noticesRead < m_notices.size(); ++process.noticesRead)
        if (m_notices[process.noticesRead].first != process.life)
            news.notices.push_back(m_notices[process.noticesRead].second);
    for (const auto& [life, demands] : m_demands)
        if (life != process.life) news.demands.insert(news.demands.end(), demands.begin(), demands.end());
    return news;
}

void SimulatedWorld::publish(Process& process, LimitChanges changes)
{
    bool any = changes.demands.has_value();
    for (LimitUse& use : changes.uses) m_uses.emplace_back(process.life, std::move(use));
    for (LimitNotice& notice : changes.notices) m_notices.emplace_back(process.life, std::move(notice));
    any = any || !changes.uses.empty() || !changes.notices.empty();
    if (changes.demands) m_demands[process.life] = std::move(*changes.demands);
    if (!any) return;
    for (std::size_t i = 0; i < m_processes.size(); ++i) {
        Process& other = *m_processes[i];
        if (&other == &process || !other.alive) continue;
        const BootTime when = m_now + between(1ms, 40ms);
        if (other.wakesAt && *other.wakesAt <= when) continue;
        other.wakesAt = when;
        at(when, [this, i, life = other.life, when] {
            if (m_processes[i]->alive && m_processes[i]->life == life && m_processes[i]->wakesAt == when) step(i);
        });
    }
}

void SimulatedWorld::step(std::size_t index)
{
    Process& process = *m_processes[index];
    process.dispatcher->learn(newsFor(process), m_now);
    Decisions decisions = process.dispatcher->decide(m_now);
    publish(process, process.dispatcher->takeChanges(m_now));
    for (const SendOrder& order : decisions.sends) handle(index, order);
    if (process.doomed && !decisions.sends.empty()) return kill(WorldKill(*process.doomed));
    for (const GiveUp& giveUp : decisions.giveUps) checkGiveUp(giveUp, index);
    if (decisions.jobStops) {
        process.stopped = true;
        for (const std::uint64_t call : std::vector(process.undone.begin(), process.undone.end()))
            if (process.dispatcher->withdraw(CallId(call))) process.undone.erase(call);
    }
    schedule(index);
}

void SimulatedWorld::schedule(std::size_t index)
{
    Process& process = *m_processes[index];
    const auto next = process.dispatcher->nextDecision();
    process.wakesAt = next ? std::optional(std::max(*next, m_now)) : std::nullopt;
    if (!next) return;
    if (*next < m_now) wrong("asked to decide in the past");
    at(*process.wakesAt, [this, index, life = process.life, when = *process.wakesAt] {
        Process& it = *m_processes[index];
        if (it.alive && it.life == life && it.wakesAt == when) step(index);
    });
}

void SimulatedWorld::handle(std::size_t index, const SendOrder& order)
{
    Process& process = *m_processes[index];
    if (!process.undone.contains(order.call.value())) wrong("a call that is over was sent");
    for (const auto& [attempt, open] : process.open)
        if (open.call == order.call) wrong("a call was sent while it was open");
    process.open[order.attempt] = order;
    checkTold(index, order);
    note(index, order);
    const bool never = chance(0.002);
    at(m_now + between(0ms, 40ms), [this, index, order, never, life = process.life] {
        Process& it = *m_processes[index];
        if (!it.alive || it.life != life) return;
        if (!never) return wire(index, order);
        Outcome outcome;
        outcome.failure.emplace();
        outcome.failure->failure = FailureClass::NotSent;
        end(index, order.attempt, outcome, m_now);
    });
}

void SimulatedWorld::wire(std::size_t index, const SendOrder& order)
{
    Process& process = *m_processes[index];
    process.dispatcher->onWire(order.attempt, m_now);
    const Outcome outcome = outcomeOf(order);
    checkMoney(order, outcome);
    const BootTime arrival = m_now + between(0ms, 19ms);
    const bool arrives = !outcome.failure || outcome.failure->failure != FailureClass::NotSent;
    if (arrives) at(arrival, [this, order, outcome] { arrive(order, outcome); });
    at(arrival + outcome.latency, [this, index, order, outcome, wired = m_now, life = process.life] {
        if (m_processes[index]->alive && m_processes[index]->life == life) end(index, order.attempt, outcome, wired);
    });
    step(index);
}

std::vector<std::string> SimulatedWorld::poolsOf(const SendOrder& order) const
{
    const ProviderSettings& provider = m_plan.settings.providers[order.provider];
    const AccountSettings& account = provider.accounts[order.account];
    std::vector<std::string> pools{"provider " + provider.name, "account " + account.scope,
                                   "model " + m_plan.settings.models[order.model].name + " on " + account.scope};
    if (!account.organisation.empty()) pools.push_back("organisation " + account.organisation);
    return pools;
}

void SimulatedWorld::arrive(const SendOrder& order, const Outcome& outcome)
{
    const std::vector<std::string> pools = poolsOf(order);
    const std::string broken = m_judge.arrive(pools, outcome.counted, m_now);
    if (!broken.empty()) wrong("limit broken: " + broken);
    at(m_now + outcome.holdsPlace, [this, pools] { m_judge.leave(pools); });
}

void SimulatedWorld::end(std::size_t index, AttemptId attempt, const Outcome& outcome, BootTime wired)
{
    Process& process = *m_processes[index];
    const SendOrder order = process.open.at(attempt);
    process.open.erase(attempt);
    AttemptEnd end;
    end.attempt = attempt;
    end.failure = outcome.failure;
    end.usage = outcome.usage;
    end.usageKnown = outcome.usageKnown;
    end.latency = m_now - wired;
    end.asksAgain = outcome.asksAgain;
    const std::uint64_t call = order.call.value();
    const bool free = outcome.failure && definitelyNotExecuted(outcome.failure->failure);
    const Price& price = m_plan.settings.models[order.model].price;
    const Nanos cost = free ? Nanos{} : outcome.usageKnown ? costOf(price, outcome.usage) : order.reserved.amount;
    process.spent += cost;
    process.items[call] += cost;
    if (!outcome.failure) {
        ++m_answered;
        process.undone.erase(call);
    } else {
        ++process.failures[call][outcome.failure->failure];
        process.lastFailure[call] = {*outcome.failure, order.model};
        process.reasked[call] = outcome.asksAgain;
        if (outcome.failure->failure == FailureClass::Throttled && outcome.failure->retryAfter) {
            BootTime& told = process.told[{order.provider, order.account}];
            told = std::max(told, m_now + *outcome.failure->retryAfter);
        }
    }
    process.dispatcher->ended(end, m_now);
    step(index);
}

std::string SimulatedWorld::run()
{
    const BootTime horizon = kStart + m_plan.horizon;
    const auto over = [this] {
        for (std::size_t i = 0; i < m_processes.size(); ++i) {
            const Process& process = *m_processes[i];
            if (!process.stopped && (process.submitted < m_plan.jobs[i].calls || !process.undone.empty())) return false;
        }
        return true;
    };
    while (m_wrong.empty() && !m_events.empty() && !over()) {
        Event event = m_events.top();
        m_events.pop();
        m_now = event.at;
        if (m_now > horizon) wrong("work does not end");
        event.what();
    }
    if (m_wrong.empty() && !over()) wrong("nothing happens any more, and work is left");
    if (m_wrong.empty()) m_wrong = checkRetries(m_sent, m_plan.settings.retry);
    return m_wrong;
}

SimulatedWorld::Outcome SimulatedWorld::outcomeOf(const SendOrder& order)
{
    Outcome outcome;
    outcome.latency = between(m_plan.shortest, m_plan.longest);
    outcome.holdsPlace = outcome.latency;
    Usage& usage = outcome.usage;
    usage.inputTokens =
        order.use.inputTokens - static_cast<std::int64_t>(m_random.next() % 3) * order.use.inputTokens / 10;
    usage.outputTokens = order.use.outputTokens * static_cast<std::int64_t>(m_random.next() % 101) / 100;
    usage.images = order.use.images;
    outcome.usageKnown = true;
    for (const WorldFault& fault : m_plan.faults) {
        if (fault.provider != order.provider || (fault.account && *fault.account != order.account)) continue;
        if (m_now < fault.from || m_now >= fault.until || !chance(fault.probability)) continue;
        failing(outcome, fault, order);
        break;
    }
    const bool free = outcome.failure && definitelyNotExecuted(outcome.failure->failure);
    outcome.counted = {1, usage.inputTokens, free ? 0 : usage.outputTokens, free ? 0 : usage.images, 0, 0};
    outcome.counted.nanos = free ? 0 : costOf(m_plan.settings.models[order.model].price, usage).count();
    if (m_plan.lyingUsage && !outcome.failure && chance(0.2)) usage.outputTokens = order.use.outputTokens * 2;
    return outcome;
}

void SimulatedWorld::failing(Outcome& outcome, const WorldFault& fault, const SendOrder&)
{
    using enum FailureClass;
    outcome.failure.emplace();
    outcome.failure->failure = fault.failure;
    outcome.failure->message = "fault";
    outcome.failure->retryAfter = fault.retryAfter;
    outcome.usageKnown = false;
    switch (fault.failure) {
    case Throttled:
    case Outage:
    case QuotaExhausted:
    case KeyRefused:
    case BadRequest:
        outcome.latency = between(5ms, 200ms);
        break;
    case TimedOut:
        outcome.latency = 60s;
        break;
    default:
        break;
    }
    outcome.holdsPlace = outcome.latency;
    if (fault.failure == TimedOut || fault.failure == Unknown) outcome.holdsPlace += between(0ms, 4500ms);
    if (fault.failure == Misfit || fault.failure == CutOff) {
        outcome.usageKnown = true;
        outcome.asksAgain = chance(0.8);
    }
}

void SimulatedWorld::checkGiveUp(const GiveUp& giveUp, std::size_t index)
{
    Process& process = *m_processes[index];
    ++m_givenUp;
    if (process.undone.erase(giveUp.call.value()) == 0) wrong("a call that is over was given up");
    if (giveUp.error.message.empty()) wrong("given up without a word");
    if (giveUp.error.reason == Reason::BudgetReached) return;
    int outages = 0;
    for (const auto& [failure, count] : process.failures[giveUp.call.value()]) {
        if (!isWaiting(failure)) return;
        outages += failure == FailureClass::Outage || failure == FailureClass::NotSent ? count : 0;
    }
    if (outages < m_plan.settings.retry.attempts * 4) wrong("given up for waiting: " + giveUp.error.message);
}

void SimulatedWorld::checkTold(std::size_t index, const SendOrder& order)
{
    const auto& told = m_processes[index]->told;
    const auto place = told.find({order.provider, order.account});
    if (place != told.end() && m_now < place->second) wrong("sent before the told time");
}

void SimulatedWorld::checkMoney(const SendOrder& order, const Outcome&)
{
    const BudgetSettings& budgets = m_plan.settings.budgets;
    if (m_plan.lyingUsage || order.reserved.amount.count() == 0) return;
    if (budgets.perCall && order.reserved.amount > budgets.perCall->amount) wrong("dearer than a call may be");
    Nanos ofDay;
    for (const auto& process : m_processes) {
        Nanos ofJob = process->spent;
        for (const auto& [attempt, open] : process->open) ofJob += open.reserved.amount;
        if (budgets.perJob && ofJob > budgets.perJob->amount) wrong("the job's budget is exceeded");
        for (const auto& [item, spent] : process->items)
            if (budgets.perItem && m_plan.kills.empty() && spent > budgets.perItem->amount)
                wrong("an item's budget is exceeded");
        ofDay += ofJob;
    }
    if (budgets.perDay && m_now < kStart + 23h && ofDay > budgets.perDay->amount) wrong("the day's budget is exceeded");
}

void SimulatedWorld::note(std::size_t index, const SendOrder& order)
{
    Process& process = *m_processes[index];
    SentCall sent{process.life, order.call, order.provider, order.account, order.model, m_now, m_now, false, false};
    const auto last = process.lastFailure.find(order.call.value());
    if (order.number == 1) {
        sent.first = true;
    } else if (last != process.lastFailure.end()) {
        const Failure& failure = last->second.first;
        const bool told = failure.failure == FailureClass::Throttled && failure.retryAfter;
        const bool other = last->second.second != order.model && !isWaiting(failure.failure);
        sent.retry = !told && !other && !changesRequest(failure.failure);
    }
    m_sent.push_back(sent);
}

std::string checkRetries(const std::vector<SentCall>& sent, const RetrySettings& retry)
{
    struct Tally {
        std::vector<std::pair<BootTime, std::int64_t>> moves; // thousandths
    };
    std::map<std::pair<std::uint64_t, std::size_t>, Tally> tallies;
    for (const SentCall& call : sent) {
        if (!call.first && !call.retry) continue;
        tallies[{call.life, call.provider}].moves.emplace_back(call.decided, call.retry ? 1000 : -100);
    }
    for (const auto& [key, tally] : tallies) {
        for (std::size_t i = 0; i < tally.moves.size(); ++i) {
            std::int64_t sum = 0;
            for (std::size_t k = i; k < tally.moves.size(); ++k) {
                if (tally.moves[k].first - tally.moves[i].first > retry.budgetWindow) break;
                sum += tally.moves[k].second;
                if (sum > retry.budgetFloor * 1000)
                    return "too many retries at provider " + std::to_string(key.second) + " in life " +
                           std::to_string(key.first);
            }
        }
    }
    return {};
}

} // namespace aiflow::test
