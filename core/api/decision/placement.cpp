#include "core/api/decision/placement.h"

#include "core/api/decision/last_words.h"

#include <algorithm>

namespace aiflow {
namespace {

constexpr std::chrono::minutes kDefaultTimeout{10};
constexpr std::chrono::hours kLongestMoneyWait{1}; // beyond it the job stops, to be resumed
constexpr std::size_t kFamilies = 4096;            // remembered at most

} // namespace

// What was seen of the models so far, in the order of the list.
struct CallPlacement::Search {
    Placing placing;
    std::size_t seen = 0; // models that could answer in principle
    bool allOut = true;   // of those
    bool spreads = false;
    BootTime soonestEnd = BootTime::max(); // of a call on those
    bool park = false;
    bool waitsForMoney = false;
    bool jobOver = false;
    bool tooDear = false;
    bool tooLarge = false;
    bool noAccount = false;
    std::optional<BootTime> moneyAt; // of the day or month
    std::string over;                // which models, and why not
};

std::chrono::nanoseconds CallPlacement::timeoutOf(const CallDemand& call, std::size_t model) const
{
    const ApiModel& what = m_shop.settings.models[model];
    std::chrono::milliseconds timeout = what.timeout;
    if (timeout.count() == 0) timeout = m_shop.settings.providers[what.provider].timeout;
    if (timeout.count() == 0) timeout = kDefaultTimeout;
    return std::max(timeout, call.timeout);
}

Amounts CallPlacement::amountsOf(const CallDemand& call, std::size_t model, Money& worst)
{
    const ApiModel& what = m_shop.settings.models[model];
    const bool answersTokens = call.route >= m_shop.settings.routes.size() ||
                               m_shop.settings.routes[call.route].kind == RouteKind::Text ||
                               m_shop.settings.routes[call.route].kind == RouteKind::Image;
    Usage usage;
    usage.inputTokens = call.inputTokens;
    usage.images = call.images;
    if (answersTokens) usage.outputTokens = call.maxOutputTokens > 0 ? call.maxOutputTokens : what.maxOutputTokens;
    worst = {costOf(what.price, usage), what.price.currency};
    return {1,
            usage.inputTokens,
            usage.outputTokens,
            usage.images,
            worst.amount.count(),
            m_shop.limiter.pools().currency(what.price.currency)};
}

CallPlacement::Spot CallPlacement::spotOn(std::size_t target, const Call& call, const CallQueue::Group& group,
                                          const Amounts& amounts, const std::vector<const LimitPool*>& claimed,
                                          BootTime now)
{
    Spot spot;
    const Gate gate = m_shop.health.gate(target, now);
    if (gate.at > now) return {gate.at, gate.out, false, false, false, gate.reason};
    const Target& it = m_shop.target(target);
    const Room room = m_shop.limiter.roomFor(target, amounts, now);
    if (!room.isNow(now)) return {room.at, false, room.never, true, false, Reason::ProviderRateLimited};
    if (!m_shop.ramps[it.key].mayOpen(m_shop.open[it.key]) && m_shop.unlimited(it))
        return {Room::kWhenFreed, false, false, false, false, Reason::ProviderRateLimited};
    for (const LimitPool* pool : claimed)
        if (std::ranges::find(it.pools, pool) != it.pools.end()) spot.at = Room::kWhenFreed;
    if (group.retries) {
        const BootTime allowed = m_shop.budgets.mayRetry(it, now);
        spot.retryBudget = allowed > now;
        spot.at = std::max(spot.at, allowed);
    }
    if (m_shop.fair.contended()) {
        const BootTime turn = m_shop.fair.mayTake(m_shop.limiter.pools().scopeOf(it.key), call.demand.priority, now);
        if (turn > now) spot.at = std::max(spot.at, turn);
    }
    return spot;
}

CallPlacement::ModelRoom CallPlacement::roomOf(std::size_t model, const Call& call, const CallQueue::Group& group,
                                               const Amounts& amounts, const std::vector<const LimitPool*>& claimed,
                                               BootTime now)
{
    ModelRoom room;
    m_free.clear();
    BootTime limitsUntil = BootTime::max();
    for (const std::size_t target : m_shop.limiter.pools().of(model)) {
        if (group.onlyAccount && m_shop.target(target).account != *group.onlyAccount) continue;
        room.exists = true;
        const Spot spot = spotOn(target, call, group, amounts, claimed, now);
        room.out = room.out && spot.out;
        room.never = room.never && spot.never;
        room.retryBudget = room.retryBudget || spot.retryBudget;
        if (spot.never) continue;
        if (spot.at <= now) m_free.push_back(target);
        if (spot.at < room.at || !spot.out) room.reason = spot.reason;
        if (spot.at < room.at) {
            room.at = spot.at;
            room.soonest = target;
        }
        if (spot.limits && (!room.blockedBy || spot.at < limitsUntil)) {
            room.blockedBy = target;
            limitsUntil = spot.at;
        }
    }
    if (!m_free.empty()) room.now = best(m_free, call.demand.promptFamily);
    return room;
}

std::size_t CallPlacement::best(const std::vector<std::size_t>& targets, std::uint64_t family) const
{
    if (targets.size() == 1) return targets.front();
    std::int64_t fastest = 0;
    for (const std::size_t target : targets) {
        const std::int64_t latency = m_shop.latencies.target(target);
        if (latency > 0 && (fastest == 0 || latency < fastest)) fastest = latency;
    }
    // Latencies within a quarter of each other are the same: noise must not load one account.
    const auto slow = [&](std::size_t target) { return m_shop.latencies.target(target) > fastest + fastest / 4; };
    if (family != 0) {
        const auto last = m_families.find(family);
        if (last != m_families.end() && !slow(last->second) &&
            std::ranges::find(targets, last->second) != targets.end())
            return last->second;
    }
    const auto load = [&](std::size_t target) {
        const Target& it = m_shop.target(target);
        const double weight = std::max(0.001, m_shop.limiter.pools().accountOf(it).weight);
        return static_cast<std::int64_t>(static_cast<double>(m_shop.open[it.key] * 1000) / weight);
    };
    return *std::ranges::min_element(targets, {}, [&](std::size_t target) {
        return std::tuple{slow(target), load(target), target};
    });
}

bool CallPlacement::affordable(const Call& call, const Amounts& amounts, const Money& worst, Search& search,
                               BootTime now)
{
    using Answer = Spending::Answer;
    if (worst.amount.count() <= 0) return true;
    const Answer answer = m_shop.spending.mayReserve(call.demand.budgetItem, worst);
    search.park |= answer == Answer::ItemFull;
    search.waitsForMoney |= answer == Answer::JobFull;
    search.jobOver |= answer == Answer::JobOver;
    search.tooDear |= answer == Answer::OverCall || answer == Answer::ItemOver;
    if (answer != Answer::Fits) return false;
    const Room money = m_shop.limiter.pools().moneyRoom(amounts, now);
    search.tooDear |= money.never;
    if (!money.never && money.at > now) search.moneyAt = std::min(search.moneyAt.value_or(BootTime::max()), money.at);
    return money.isNow(now);
}

// Whether a model may answer although those before it in the list are not out.
bool CallPlacement::passesOver(const Search& search, std::size_t model, BootTime now) const
{
    if (search.seen == 0 || search.allOut || search.spreads) return true;
    if (search.soonestEnd == BootTime::max()) return false;
    const std::chrono::nanoseconds takes(m_shop.latencies.model(model));
    return now + takes + m_shop.settings.retry.cap < search.soonestEnd;
}

void CallPlacement::remember(Search& search, std::size_t model, const ModelRoom& room, const Amounts& amounts) const
{
    const std::chrono::nanoseconds takes(m_shop.latencies.model(model));
    if (room.at != Room::kWhenFreed) search.soonestEnd = std::min(search.soonestEnd, room.at + takes);
    search.allOut = search.allOut && room.out;
    Placing& placing = search.placing;
    if (search.seen++ == 0 || room.at < placing.at) placing.reason = room.reason;
    placing.at = std::min(placing.at, room.at);
    placing.retryBudget = placing.retryBudget || room.retryBudget;
    if (!placing.blockedBy && room.blockedBy) {
        placing.blockedBy = room.blockedBy;
        placing.amounts = amounts;
    }
    if (!search.over.empty()) search.over += ", ";
    search.over += m_shop.settings.models[model].name + ": " +
                   (room.out ? std::string(info(room.reason).code) : std::string("busy for long"));
}

Placing CallPlacement::choose(const Call& call, const CallQueue::Group& group,
                              const std::vector<const LimitPool*>& claimed, BootTime now)
{
    Search search;
    search.spreads = m_shop.routes.spreads(call.list);
    for (const std::size_t model : m_shop.routes.models(call.list)) {
        Money worst;
        const Amounts amounts = amountsOf(call.demand, model, worst);
        if (!affordable(call, amounts, worst, search, now)) {
            search.over += (search.over.empty() ? "" : ", ") + m_shop.settings.models[model].name + ": over budget";
            continue;
        }
        const ModelRoom room = roomOf(model, call, group, amounts, claimed, now);
        if (room.never) {
            search.tooLarge |= room.exists;
            search.noAccount |= !room.exists;
            continue;
        }
        if (room.now && passesOver(search, model, now)) {
            search.placing.kind = Placing::Kind::Send;
            search.placing.target = *room.now;
            search.placing.amounts = amounts;
            search.placing.worst = std::move(worst);
            search.placing.why =
                !search.over.empty() ? search.over
                : call.demoted ? "after " + call.story->where + ": " + std::string(nameOf(call.story->last.failure))
                               : m_shop.routes.label(call.list);
            return std::move(search.placing);
        }
        if (!room.now) remember(search, model, room, amounts);
    }
    return finished(call, search, now);
}

Placing CallPlacement::finished(const Call& call, Search& search, BootTime now) const
{
    Placing& placing = search.placing;
    placing.kind = Placing::Kind::Wait;
    placing.out = search.seen > 0 && search.allOut;
    // What is open may turn out cheaper.
    const bool noneOpen = std::ranges::all_of(m_shop.open, [](std::int64_t open) { return open == 0; });
    const bool dayOver =
        noneOpen && search.moneyAt && *search.moneyAt != Room::kWhenFreed && *search.moneyAt - now > kLongestMoneyWait;
    if (search.seen > 0 || search.waitsForMoney) return std::move(placing);
    if (search.moneyAt && !dayOver) {
        placing.at = *search.moneyAt;
        placing.reason = Reason::BudgetReached;
        return std::move(placing);
    }
    if (search.park) {
        placing.kind = Placing::Kind::Park;
    } else if (search.jobOver || dayOver) {
        placing.kind = Placing::Kind::StopJob;
        placing.error = budgetError(m_shop.settings, search.jobOver);
    } else {
        placing.kind = Placing::Kind::GiveUp;
        placing.error = search.tooDear    ? tooDearError(m_shop.settings, call)
                        : search.tooLarge ? tooLargeError(m_shop.settings, call)
                                          : noAccountError(m_shop.settings, call);
    }
    return std::move(placing);
}

void CallPlacement::placed(const Call& call, std::size_t target)
{
    if (call.demand.promptFamily == 0) return;
    if (m_families.size() >= kFamilies) m_families.clear();
    m_families[call.demand.promptFamily] = target;
}

} // namespace aiflow
