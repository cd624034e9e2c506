// Which models may answer a call, in which order: fallbacks, weights, canaries.
#pragma once

#include "core/api/decision/dispatcher.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace aiflow {

// Candidates are lists with an id, so that thousands of waiting calls share them, and a canary's end reaches all.
class RouteBook {
public:
    using ListId = std::uint32_t;

    explicit RouteBook(const ApiSettings& settings);

    // The order for a call that was not sent yet.
    ListId listFor(const CallDemand& call);
    // The same without a model that failed it.
    ListId without(ListId list, std::size_t model);
    const std::vector<std::size_t>& models(ListId list) const { return m_lists[list].models; }
    std::size_t route(ListId list) const { return m_lists[list].route; }
    // "first choice", "canary", "share of a weighted route"; what the front of the list is.
    const std::string& label(ListId list) const { return m_lists[list].label; }
    // Whether any model of the list is as welcome as its first.
    bool spreads(ListId list) const { return m_lists[list].spreads; }

    // A call of a route ended on a model; `bad`: in a way that speaks against the model.
    void ended(std::size_t route, std::size_t model, bool bad);

private:
    enum class Canary { None, Trying, Promoted, Out };
    struct Tally {
        std::int64_t calls = 0;
        std::int64_t bad = 0;
    };
    struct Route {
        Canary canary = Canary::None;
        Tally first, last;
    };
    struct List {
        std::size_t route = 0;
        std::vector<std::size_t> models;
        std::string label;
        bool spreads = false;
        bool fixed = false; // one model that the call must have
    };
    ListId intern(List list);
    std::vector<std::size_t> ordered(std::size_t route, std::size_t first) const;
    std::size_t weightedChoice(const RouteSettings& route, std::uint64_t hash) const;
    void judge(std::size_t route);
    void promote(std::size_t route);
    void takeOut(std::size_t route);

    const ApiSettings* m_settings;
    std::vector<Route> m_routes;
    std::vector<List> m_lists;
    std::map<std::tuple<std::size_t, std::vector<std::size_t>, std::string>, ListId> m_known;
};

} // namespace aiflow
