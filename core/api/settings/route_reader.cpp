#include "core/api/settings/readers.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace {

std::optional<std::size_t> modelNamed(const std::string& name, const ApiSettings& settings)
{
    for (std::size_t i = 0; i < settings.models.size(); ++i)
        if (settings.models[i].name == name) return i;
    return std::nullopt;
}

RouteKind kindFrom(const std::string& word)
{
    if (word == "image") return RouteKind::Image;
    if (word == "embedding") return RouteKind::Embedding;
    return word == "model" ? RouteKind::Model : RouteKind::Text;
}

// What the name says, unless its first model is a service of the user's own.
RouteKind guessedKind(const RouteSettings& route, const ApiSettings& settings)
{
    if (!route.choices.empty() &&
        settings.providerOf(route.choices.front().model).protocol == ProtocolKind::ModelService)
        return RouteKind::Model;
    if (route.name.starts_with("image") || route.name.starts_with("picture")) return RouteKind::Image;
    return route.name.starts_with("embedding") ? RouteKind::Embedding : RouteKind::Text;
}

void addChoice(const Section& place, std::string_view key, const std::string& name, RouteSettings& route,
               const SettingsDraft& draft, const Section& models)
{
    const auto model = modelNamed(name, draft.settings);
    if (!model) {
        const Json* known = models.find(name);
        const bool local = known != nullptr && known->is_object() && known->contains("file");
        std::vector<std::string> names;
        for (const ApiModel& one : draft.settings.models) names.push_back(one.name);
        const auto near = nearestWord(name, names);
        place.wrong(key, "\"" + name + "\" is " + (local ? "a network of this machine" : "no model that is configured"),
                    local  ? "use a step of kind `model` for it, or name a model of a provider"
                    : near ? "did you mean \"" + *near + "\"?"
                           : "add it under `models:` with its provider");
        return;
    }
    const bool twice = std::ranges::any_of(route.choices, [&](const auto& one) { return one.model == *model; });
    if (twice)
        place.wrong(key, "names \"" + name + "\" twice", "leave one of them out");
    else
        route.choices.push_back({*model, 1});
}

void readWeights(const Section& section, RouteSettings& route, const ApiSettings& settings)
{
    if (!section.has("weights")) return;
    const Section weights = section.map("weights");
    route.weighted = true;
    for (const std::string& name : weights.keys()) {
        const auto found = std::ranges::find_if(
            route.choices, [&](const auto& one) { return settings.models[one.model].name == name; });
        if (found == route.choices.end())
            weights.wrong(name, "is not a model of this route", "add it to `models:`, or leave its weight out");
        else
            found->weight = weights.number(name, 1, 0, 1'000'000);
    }
    const bool any = std::ranges::any_of(route.choices, [](const auto& one) { return one.weight > 0; });
    if (!any && !route.choices.empty()) section.wrong("weights", "are all 0", "give at least one model a weight");
}

void readCanary(const Section& section, RouteSettings& route)
{
    route.canaryPercent = section.number("canary", 0, 0, 100);
    if (route.canaryPercent > 0 && route.choices.size() < 2)
        section.wrong("canary", "needs two models: the last one is tried", "add the new model at the end of `models:`");
    if (route.canaryPercent > 0 && route.weighted)
        section.wrong("canary", "cannot stand beside `weights`", "use one of the two");
    const Section promotion = section.map("promotion");
    promotion.allowOnly({"calls", "tolerance"});
    route.canaryCalls = promotion.integer("calls", route.canaryCalls, 1, 1'000'000);
    route.canaryTolerance = promotion.number("tolerance", route.canaryTolerance, 0, 1);
    route.stickyByItem = section.oneOf("sticky", {"item", "off"}, "item") == "item";
}

void readRouteMap(const Section& section, RouteSettings& route, const SettingsDraft& draft, const Section& models)
{
    section.allowOnly({"kind", "models", "weights", "canary", "sticky", "promotion"});
    for (const std::string& name : section.texts("models")) addChoice(section, "models", name, route, draft, models);
    readWeights(section, route, draft.settings);
    readCanary(section, route);
}

// Accounts whose keys are missing were left out: a model that nobody can be asked for is no choice.
bool dropUnanswered(RouteSettings& route, const ApiSettings& settings)
{
    const std::size_t before = route.choices.size();
    std::erase_if(route.choices,
                  [&](const auto& choice) { return settings.providerOf(choice.model).accounts.empty(); });
    if (route.choices.size() < 2 && before >= 2) route.canaryPercent = 0;
    return !route.choices.empty();
}

} // namespace

void readRoutes(const Section& root, SettingsDraft& draft)
{
    const Section routes = root.map("routes");
    const Section models = root.map("models");
    for (const std::string& name : routes.keys()) {
        RouteSettings route;
        route.name = name;
        const Json* value = routes.find(name);
        const bool isMap = value != nullptr && value->is_object();
        if (isMap)
            readRouteMap(routes.map(name), route, draft, models);
        else
            for (const std::string& model : routes.texts(name)) addChoice(routes, name, model, route, draft, models);
        const std::string kind =
            isMap ? routes.map(name).oneOf("kind", {"text", "image", "embedding", "model"}, "") : "";
        route.kind = kind.empty() ? guessedKind(route, draft.settings) : kindFrom(kind);
        if (route.choices.empty() && draft.findings.none())
            routes.wrong(name, "names no model", "write it as a list of models, the first choice first");
        if (!dropUnanswered(route, draft.settings)) {
            if (draft.reading.missing != nullptr)
                draft.reading.missing->push_back(Error{Reason::ProviderAuth,
                                                       "route \"" + name + "\" has nobody to ask: keys are missing",
                                                       "give one of its providers a key", std::nullopt});
            continue;
        }
        draft.settings.routes.push_back(std::move(route));
    }
}

} // namespace aiflow
