#include "core/facade/workbench.h"

#include "core/base/file_system.h"
#include "core/store/job_directory.h"

namespace aiflow {

namespace fs = std::filesystem;

// What holds when nobody says anything else.
constexpr const char* kBuiltIn = "aiflow: 1\noutput: out\noffline: false\nmemory: 512MiB\n";

Result<std::unique_ptr<Workbench>> Workbench::setUp(const Surroundings& surroundings)
{
    auto bench = std::make_unique<Workbench>();
    auto files = InstalledFiles::locate(surroundings.resources);
    if (!files) return tl::unexpected(files.error());
    bench->files = *files;
    if (surroundings.configFile && !systemFiles().exists(*surroundings.configFile))
        return fail(Reason::ConfigInvalid, "no configuration file " + surroundings.configFile->string(),
                    "aiflow-cli init writes one to start from");
    auto configuration =
        loadConfiguration({kBuiltIn, userConfigFile(), surroundings.configFile.value_or("aiflow.yaml")});
    if (!configuration) return tl::unexpected(configuration.error());
    bench->configuration = std::move(*configuration);
    std::optional<fs::path> wished = surroundings.stateDirectory;
    if (!wished && !bench->configuration.stateDir.empty()) wished = bench->configuration.stateDir;
    auto state = stateDirectory(wished);
    if (!state) return tl::unexpected(state.error());
    bench->state = std::move(*state);
    if (auto made = systemFiles().makeDirectories(bench->state); !made) return tl::unexpected(made.error());
    auto tools = Toolbox::open(bench->files, bench->configuration, bench->clock, *bench->log);
    if (!tools) return tl::unexpected(tools.error());
    bench->tools = std::move(*tools);
    return bench;
}

} // namespace aiflow
