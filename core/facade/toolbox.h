// What steps can be made of on this machine: the ops, the models and the routes, and their catalogue for the loader.
#pragma once

#include "core/api/api_lane.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/compute/op_registry.h"
#include "core/facade/installed_files.h"
#include "core/facade/providers/remote_services.h"
#include "core/inference/model_lane.h"
#include "core/pipeline/loader.h"

#include <memory>

namespace aiflow {

// Owns registry and lanes. Nothing heavy is loaded until a step needs it.
// Threads: one for opening; its parts as they say.
class Toolbox final : public StepCatalog {
public:
    // `clock` and `log` must outlive it.
    static Result<std::unique_ptr<Toolbox>> open(const InstalledFiles& files, const Configuration& configuration,
                                                 const Clock& clock, Log& log);

    // From now on stand-ins answer every api step, whatever is configured. Before a pipeline is loaded for a job.
    void goOffline() noexcept { m_offline = true; }
    // Makes the lane that a job of this pipeline needs, and loads the keys for it; nothing when stand-ins answer.
    // Errors: ConfigInvalid for a route that nobody answers, ProviderAuth for a key that is missing.
    Result<void> connect(const Pipeline& pipeline, const LaneSurroundings& surroundings);
    // For a rehearsal: this lane instead of one to the configured services, even if the configuration says `offline`.
    void connectTo(std::unique_ptr<ApiLane> lane)
    {
        m_api = std::move(lane);
        m_offline = false;
    }
    const RemoteServices& services() const noexcept { return *m_services; }

    OpRegistry& ops() { return *m_ops; }
    ModelLane& models() { return *m_models; }
    // False: stand-ins answer every api step.
    bool callsServices() const noexcept { return m_api != nullptr; }
    ApiLane& api() { return m_api ? *m_api : *m_standIns; }

    const Signature* findOp(std::string_view name) const override { return m_ops->find(name); }
    const Signature* findModel(std::string_view name) const override { return m_models->find(name); }
    // A route that is not configured can be loaded when a stand-in knows it; a job that is not offline then ends in
    // connect().
    bool hasRoute(std::string_view name) const override;
    std::string routeIdentity(std::string_view name) const override;
    std::vector<std::string> opNames() const override;
    std::vector<std::string> modelNames() const override;
    std::vector<std::string> routeNames() const override;

private:
    std::unique_ptr<OpRegistry> m_ops;
    std::unique_ptr<ModelLane> m_models;
    std::unique_ptr<RemoteServices> m_services;
    std::unique_ptr<ApiLane> m_standIns;
    std::unique_ptr<ApiLane> m_api; // null: the stand-ins answer
    bool m_offline = false;
};

} // namespace aiflow
