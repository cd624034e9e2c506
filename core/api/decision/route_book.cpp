#include "core/api/decision/route_book.h"

#include <algorithm>
#include <cmath>

namespace aiflow {
namespace {

constexpr std::string_view kFirst = "first choice";

// Spreads neighbouring numbers over all bits, so that a percentage of items is one.
std::uint64_t mixed(std::uint64_t bits) noexcept
{
    bits ^= bits >> 33U;
    bits *= 0xff51afd7ed558ccdU;
    bits ^= bits >> 33U;
    bits *= 0xc4ceb9fe1a85ec53U;
    return bits ^ (bits >> 33U);
}

std::uint64_t millionths(double share) noexcept
{
    return static_cast<std::uint64_t>(std::llround(std::max(0.0, share) * 1'000'000));
}

} // namespace

RouteBook::RouteBook(const ApiSettings& settings) : m_settings(&settings), m_routes(settings.routes.size())
{
    for (std::size_t i = 0; i < m_routes.size(); ++i) {
        const RouteSettings& route = settings.routes[i];
        if (route.canaryPercent > 0 && route.choices.size() > 1) m_routes[i].canary = Canary::Trying;
    }
}

RouteBook::ListId RouteBook::intern(List list)
{
    const auto [place, added] =
        m_known.try_emplace({list.route, list.models, list.label}, static_cast<ListId>(m_lists.size()));
    if (added) m_lists.push_back(std::move(list));
    return place->second;
}

std::vector<std::size_t> RouteBook::ordered(std::size_t route, std::size_t first) const
{
    const auto& choices = m_settings->routes[route].choices;
    std::vector<std::size_t> models{choices[first].model};
    const bool out = m_routes[route].canary == Canary::Out;
    for (std::size_t i = 0; i < choices.size(); ++i)
        if (i != first && !(out && i + 1 == choices.size())) models.push_back(choices[i].model);
    return models;
}

std::size_t RouteBook::weightedChoice(const RouteSettings& route, std::uint64_t hash) const
{
    std::uint64_t sum = 0;
    for (const RouteChoice& choice : route.choices) sum += millionths(choice.weight);
    if (sum == 0) return 0;
    std::uint64_t at = hash % sum;
    for (std::size_t i = 0; i < route.choices.size(); ++i) {
        const std::uint64_t weight = millionths(route.choices[i].weight);
        if (at < weight) return i;
        at -= weight;
    }
    return 0;
}

RouteBook::ListId RouteBook::listFor(const CallDemand& call)
{
    if (call.onlyModel)
        return intern({call.route, {*call.onlyModel}, "the model that the call began with", false, true});
    const RouteSettings& route = m_settings->routes[call.route];
    if (route.choices.empty()) return intern({call.route, {}, std::string(kFirst), false, false});
    const std::uint64_t hash = mixed(route.stickyByItem ? call.itemHash : call.id.value());
    const std::size_t last = route.choices.size() - 1;
    const Canary canary = m_routes[call.route].canary;
    if (canary == Canary::Promoted ||
        (canary == Canary::Trying && hash % 100'000'000 < millionths(route.canaryPercent)))
        return intern({call.route, ordered(call.route, last), "canary", false, false});
    if (route.weighted)
        return intern({call.route, ordered(call.route, weightedChoice(route, mixed(hash + 1))),
                       "share of a weighted route", true, false});
    return intern({call.route, ordered(call.route, 0), std::string(kFirst), false, false});
}

RouteBook::ListId RouteBook::without(ListId list, std::size_t model)
{
    List rest = m_lists[list];
    std::erase(rest.models, model);
    return intern(std::move(rest));
}

void RouteBook::ended(std::size_t route, std::size_t model, bool bad)
{
    if (route >= m_routes.size() || m_routes[route].canary != Canary::Trying) return;
    const auto& choices = m_settings->routes[route].choices;
    Tally* tally = model == choices.back().model    ? &m_routes[route].last
                   : model == choices.front().model ? &m_routes[route].first
                                                    : nullptr;
    if (!tally) return;
    ++tally->calls;
    tally->bad += bad ? 1 : 0;
    judge(route);
}

void RouteBook::judge(std::size_t route)
{
    const RouteSettings& settings = m_settings->routes[route];
    const Tally& canary = m_routes[route].last;
    const Tally& first = m_routes[route].first;
    const std::int64_t wanted = std::max<std::int64_t>(1, settings.canaryCalls);
    const auto tolerated = static_cast<std::int64_t>(millionths(settings.canaryTolerance));
    // What it may have failed in all its calls, in millionths of a call: without the first's record, the tolerance.
    const std::int64_t firstRate = first.calls == 0 ? 0 : first.bad * 1'000'000 / first.calls;
    const std::int64_t allowed = (firstRate + tolerated) * wanted;
    if (canary.bad * 1'000'000 > allowed) {
        takeOut(route);
    } else if (canary.calls >= wanted) {
        promote(route);
    }
}

void RouteBook::promote(std::size_t route)
{
    m_routes[route].canary = Canary::Promoted;
    const std::size_t model = m_settings->routes[route].choices.back().model;
    for (List& list : m_lists) {
        if (list.route != route || list.fixed) continue;
        const auto place = std::ranges::find(list.models, model);
        if (place == list.models.end()) continue;
        std::rotate(list.models.begin(), place, place + 1);
        list.label = "canary";
    }
    m_known.clear();
}

void RouteBook::takeOut(std::size_t route)
{
    m_routes[route].canary = Canary::Out;
    const std::size_t model = m_settings->routes[route].choices.back().model;
    for (List& list : m_lists) {
        if (list.route != route || list.fixed || list.models.size() < 2) continue;
        std::erase(list.models, model);
        list.label = kFirst;
    }
    m_known.clear();
}

} // namespace aiflow
