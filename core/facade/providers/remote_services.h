// Who the configuration lets a job call, and the lane that calls them.
#pragma once

#include "core/api/api_lane.h"
#include "core/api/settings/api_settings.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/facade/installed_files.h"
#include "core/pipeline/config_file.h"
#include "core/pipeline/pipeline.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aiflow {

// The services of one configuration. No key is read until somebody is to be called.
class RemoteServices {
public:
    // Errors: ConfigInvalid.
    static Result<RemoteServices> read(const Configuration& configuration, const InstalledFiles& files);

    const ApiSettings& settings() const noexcept { return *m_settings; }
    // With the keys of those providers alone that these routes may ask. Errors: ProviderAuth with the way out.
    Result<ApiSettings> settingsFor(const std::set<std::string>& routes) const;
    // Every provider, with the keys that can be loaded; what cannot stands in `missing`.
    Result<ApiSettings> settingsWithKeys(const std::optional<std::string>& provider, std::vector<Error>& missing) const;

private:
    RemoteServices() = default;

    std::shared_ptr<const Json> m_values;
    std::shared_ptr<const Json> m_presets;
    std::map<std::string, std::string> m_origins;
    std::shared_ptr<const ApiSettings> m_settings; // without keys
};

// The routes that the pipeline's api steps ask.
std::set<std::string> routesOf(const Pipeline& pipeline);
// ConfigInvalid for a route that nobody is configured to answer, naming the step and the way out.
Result<void> checkRoutes(const Pipeline& pipeline, const ApiSettings& settings);

struct LaneSurroundings {
    std::filesystem::path state; // of the shared limits
    const Clock& clock;          // outlives the lane, as the next two
    Random& random;
    Log& log;
};
// The lane over the network, with limits shared by all processes of the state directory.
// Errors: OutputDiskFull, OutputDenied (limits), Internal (libcurl).
Result<std::unique_ptr<ApiLane>> openNetworkLane(ApiSettings settings, const LaneSurroundings& surroundings);

} // namespace aiflow
