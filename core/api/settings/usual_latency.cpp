#include "core/api/settings/usual_latency.h"

#include "core/base/json.h"

namespace aiflow {

namespace {

using namespace std::chrono_literals;

constexpr double kUsualSpread = 0.25;

std::chrono::milliseconds usualFor(RouteKind kind)
{
    switch (kind) {
    case RouteKind::Text:
        return 15s;
    case RouteKind::Image:
        return 40s;
    case RouteKind::Embedding:
        return 1s;
    case RouteKind::Model:
        return 500ms;
    }
    return 15s;
}

std::optional<std::chrono::milliseconds> told(const std::shared_ptr<const Json>& options)
{
    if (!options || !options->is_object()) return std::nullopt;
    const auto found = options->find("latency_ms");
    if (found == options->end() || !found->is_number()) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(found->get<double>()));
}

} // namespace

RouteKind kindOf(const ApiSettings& settings, std::size_t model)
{
    for (const RouteSettings& route : settings.routes)
        for (const RouteChoice& choice : route.choices)
            if (choice.model == model) return route.kind;
    const ApiModel& asked = settings.models[model];
    if (settings.providerOf(model).protocol == ProtocolKind::ModelService) return RouteKind::Model;
    return asked.price.perImage.count() > 0 ? RouteKind::Image : RouteKind::Text;
}

UsualLatency usualLatency(const ApiSettings& settings, std::size_t model)
{
    if (const auto own = told(settings.models[model].options)) return {*own, 0, true};
    if (const auto shared = told(settings.providerOf(model).options)) return {*shared, 0, true};
    return {usualFor(kindOf(settings, model)), kUsualSpread, false};
}

} // namespace aiflow
