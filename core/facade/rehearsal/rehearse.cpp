#include "aiflow/rehearsal.h"

#include "core/facade/batch_session.h"
#include "core/facade/rehearsal/fault_rules.h"
#include "core/facade/rehearsal/first_items.h"
#include "core/facade/rehearsal/rehearsal_session.h"
#include "core/store/job_directory.h"

#include <algorithm>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

// The state directory that a real job would use: rehearsals live beneath it.
Result<fs::path> realState(const Surroundings& surroundings)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    return (*bench)->state;
}

// What ships: products, a pipeline and services that do not exist.
Result<void> useSample(const Surroundings& surroundings, Surroundings& used, BatchRequest& batch)
{
    const auto files = InstalledFiles::locate(surroundings.resources);
    if (!files) return tl::unexpected(files.error());
    const fs::path starter = files->share / "starter";
    if (!surroundings.configFile) used.configFile = starter / "rehearsal.yaml";
    if (!batch.pipeline) batch.pipeline = (starter / "pipelines" / "listing" / "pipeline.yaml").string();
    batch.input = files->samples() / "products.csv";
    return {};
}

Result<BatchRequest> settledRequest(const RehearsalRequest& request, const fs::path& folder)
{
    BatchRequest batch = request.batch;
    batch.offline = false;
    batch.fresh = true;
    if (!batch.output) batch.output = folder / "out";
    if (!request.limit) return batch;
    return firstItems(std::move(batch), *request.limit, folder);
}

Result<void> checkAsksServices(const JobSession& job)
{
    const auto steps = job.snapshot().steps;
    if (std::ranges::any_of(steps, [](const StepSnapshot& step) { return step.kind == "api"; })) return {};
    return fail(Reason::ConfigInvalid,
                "the pipeline " + job.preparation().pipeline + " asks no remote service: there is nothing to rehearse",
                "run it: aiflow-cli batch; or see a rehearsal of what ships: aiflow-cli rehearse --sample");
}

} // namespace

Result<std::unique_ptr<JobSession>> rehearse(const Surroundings& surroundings, const RehearsalRequest& request,
                                             const CheckProgress& progress)
{
    RehearsalRequest settled = request;
    Surroundings used = surroundings;
    if (request.sample)
        if (auto chosen = useSample(surroundings, used, settled.batch); !chosen) return tl::unexpected(chosen.error());
    const auto state = realState(used);
    if (!state) return tl::unexpected(state.error());
    RehearsalSession::Parts parts;
    parts.speed = std::clamp(request.speed, 1.0, 1000.0);
    parts.ownOutput = request.batch.output.has_value();
    auto folder = RehearsalFolder::make(*state, request.keep);
    if (!folder) return tl::unexpected(folder.error());
    parts.folder = std::move(*folder);
    used.stateDirectory = parts.folder->path() / "state";
    auto batch = settledRequest(settled, parts.folder->path());
    if (!batch) return tl::unexpected(batch.error());

    auto bench = Workbench::setUp(used);
    if (!bench) return tl::unexpected(bench.error());
    parts.settings = (*bench)->tools->services().settings();
    SimulatedWorld world = worldOf(parts.settings, parts.speed, request.seed);
    if (auto added = addFaults(world, request.faults); !added) return tl::unexpected(added.error());
    auto services = SimulatedProvider::start(world);
    if (!services) return tl::unexpected(services.error());
    parts.services = std::move(*services);
    auto lane = openNetworkLane(redirected(scaled(parts.settings, parts.speed), world, *parts.services),
                                {(*bench)->state, (*bench)->clock, (*bench)->random, *(*bench)->log});
    if (!lane) return tl::unexpected(lane.error());
    parts.troubles = std::make_shared<TroubleCount>();
    (*bench)->tools->connectTo(makeRehearsalLane(std::move(*lane), parts.speed, parts.troubles));
    auto job = startBatch(std::move(*bench), *batch, used, progress);
    if (!job) return job;
    if (auto asks = checkAsksServices(**job); !asks) return tl::unexpected(asks.error());
    return std::make_unique<RehearsalSession>(std::move(parts), std::move(*job));
}

} // namespace aiflow
