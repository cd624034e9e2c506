// What steps can be made of on this machine: the ops, the models and the routes, and their catalogue for the loader.
#pragma once

#include "core/api/api_lane.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/compute/op_registry.h"
#include "core/facade/installed_files.h"
#include "core/inference/model_lane.h"
#include "core/pipeline/loader.h"

#include <memory>

namespace aiflow {

// Owns registry and lanes. Nothing heavy is loaded until a step needs it.
// Threads: one for opening; its parts as they say.
class Toolbox final : public StepCatalog {
public:
    // `clock` and `log` must outlive it.
    static Result<std::unique_ptr<Toolbox>> open(const InstalledFiles& files, const Clock& clock, Log& log);

    OpRegistry& ops() { return *m_ops; }
    ModelLane& models() { return *m_models; }
    ApiLane& api() { return *m_api; }

    const Signature* findOp(std::string_view name) const override { return m_ops->find(name); }
    const Signature* findModel(std::string_view name) const override { return m_models->find(name); }
    bool hasRoute(std::string_view name) const override { return m_api->hasRoute(name); }
    std::string routeIdentity(std::string_view name) const override;
    std::vector<std::string> opNames() const override;
    std::vector<std::string> modelNames() const override;
    std::vector<std::string> routeNames() const override { return m_api->routes(); }

private:
    std::unique_ptr<OpRegistry> m_ops;
    std::unique_ptr<ModelLane> m_models;
    std::unique_ptr<ApiLane> m_api;
};

} // namespace aiflow
