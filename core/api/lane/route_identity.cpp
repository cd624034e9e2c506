#include "core/api/lane/route_identity.h"

#include "core/base/text.h"

#include <algorithm>
#include <set>

namespace aiflow {

std::string identityOf(const ApiSettings& settings, const RouteSettings& route)
{
    static constexpr const char* kKinds[] = {"text", "image", "embedding", "model"};
    std::set<std::string> models;
    for (const RouteChoice& choice : route.choices)
        models.insert(settings.providerOf(choice.model).name + "/" + settings.models[choice.model].remoteName);
    return std::string(kKinds[static_cast<std::size_t>(route.kind)]) + ": " +
           join(std::vector<std::string>(models.begin(), models.end()), ", ");
}

bool isOffline(const ApiSettings& settings, const RouteSettings& route)
{
    return std::ranges::all_of(route.choices, [&](const RouteChoice& choice) {
        return settings.providerOf(choice.model).protocol == ProtocolKind::Offline;
    });
}

} // namespace aiflow
