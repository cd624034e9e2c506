#include "core/facade/toolbox.h"

#include "core/api/offline_lane.h"
#include "core/inference/batching_lane.h"

namespace aiflow {

namespace {

std::vector<std::string> namesOf(const std::vector<const Signature*>& signatures)
{
    std::vector<std::string> names;
    for (const Signature* signature : signatures) names.push_back(signature->name);
    return names;
}

} // namespace

Result<std::unique_ptr<Toolbox>> Toolbox::open(const InstalledFiles& files, const Clock& clock, Log& log)
{
    auto tools = std::make_unique<Toolbox>();
    auto ops = OpRegistry::open({files.modules});
    if (!ops) return tl::unexpected(ops.error());
    tools->m_ops = std::move(*ops);
    auto models = makeModelLane({files.models()}, {files.modules}, {}, clock, log);
    if (!models) return tl::unexpected(models.error());
    tools->m_models = std::move(*models);
    tools->m_api = makeOfflineLane();
    return tools;
}

std::string Toolbox::routeIdentity(std::string_view name) const { return m_api->routeIdentity(name); }

std::vector<std::string> Toolbox::opNames() const { return namesOf(m_ops->all()); }

std::vector<std::string> Toolbox::modelNames() const { return namesOf(m_models->all()); }

} // namespace aiflow
