#include "core/facade/batch_session.h"

#include "aiflow/version.h"
#include "core/base/text.h"
#include "core/facade/client/job_files.h"
#include "core/facade/running_job.h"
#include "core/input/folder_listing.h"
#include "core/store/journal.h"

#include <algorithm>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

// An unfinished job of the same output folder: the same work goes on; other work is named and left.
struct Earlier {
    std::optional<JobEntry> same;
    std::string leftBehind;
};

Earlier lookBack(const Workbench& bench, const JobPlan& plan, bool fresh)
{
    Earlier earlier;
    const auto jobs = listJobs(bench.state);
    if (!jobs) return earlier;
    for (const JobEntry& job : *jobs) {
        const JobDescription& old = job.description;
        if (job.owner || old.output != plan.output) continue;
        // It died before it kept what standard input gave: nothing is left of it.
        if (plan.temporaryInput && !systemFiles().exists(job.path / "input.snapshot")) continue;
        const auto snapshot = snapshotAtRest(job);
        if (!snapshot || snapshot->state != JobState::Interrupted) return earlier; // the newest one decides
        const bool same = old.inputHash == plan.inputHash && old.pipelineHash == plan.pipeline.contentHash &&
                          old.inputRoot == plan.inputRoot && !fresh;
        if (same)
            earlier.same = job;
        else
            earlier.leftBehind = "job " + old.id.text() + " was left unfinished (" +
                                 (old.inputHash != plan.inputHash ? "other input" : "other pipeline or options") +
                                 "); to finish that one: aiflow-cli resume " + old.id.text();
        return earlier;
    }
    return earlier;
}

JobDescription describe(const JobPlan& plan, const BatchRequest& request)
{
    JobDescription job;
    job.command = request.commandLine;
    job.source = request.source;
    job.version = kVersion;
    job.pipelineName = plan.pipeline.name;
    job.pipelineFile = plan.pipeline.file;
    job.pipelineHash = plan.pipeline.contentHash;
    job.input = plan.temporaryInput ? fs::path("standard input") : plan.inputFile;
    job.inputRoot = plan.inputRoot;
    job.inputHash = plan.inputHash;
    job.inputFormat = plan.preparation.inputFormat;
    job.inputEncoding = plan.preparation.encoding;
    job.output = plan.output;
    job.stepNames = plan.preparation.steps;
    job.settings = plan.options.toJson();
    return job;
}

Result<std::unique_ptr<JobDirectory>> makeFolder(Workbench& bench, JobPlan& plan, const BatchRequest& request)
{
    auto directory = JobDirectory::create(bench.state, describe(plan, request), bench.clock, bench.random);
    if (!directory) return tl::unexpected(directory.error());
    const auto snapshot = snapshotInput(plan.inputFile, (*directory)->inputSnapshot());
    if (!snapshot) return tl::unexpected(snapshot.error());
    if (snapshot->hash != plan.inputHash)
        return fail(Reason::JobChanged, plan.preparation.input + " was changed while it was being checked",
                    "start again when nobody writes to it");
    if (plan.temporaryInput) (void)systemFiles().remove(plan.inputFile);
    const fs::path copy = (*directory)->pipelineCopy();
    if (auto made = systemFiles().makeDirectories(copy); !made) return tl::unexpected(made.error());
    const auto text = std::as_bytes(std::span(plan.pipeline.sourceText.data(), plan.pipeline.sourceText.size()));
    if (auto kept = systemFiles().writeDurably(copy / "pipeline.yaml", text); !kept)
        return tl::unexpected(kept.error());
    return directory;
}

bool fits(const std::vector<std::string>& patterns, Reason reason)
{
    if (patterns.empty()) return true;
    const std::string code(info(reason).code);
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return pattern == code || (pattern.ends_with(".*") && code.starts_with(pattern.substr(0, pattern.size() - 1)));
    });
}

Result<std::set<std::int64_t>> chosenFailures(const fs::path& jobFolder, const RetrySelection& selection)
{
    const auto reader = JournalReader::open(jobFolder / "journal.db");
    if (!reader) return tl::unexpected(reader.error());
    std::set<std::int64_t> chosen;
    for (ItemQuery query{ItemIndex{0}, 1000, TaskState::Failed, {}};;) {
        const auto rows = (*reader)->items(query);
        if (!rows) return tl::unexpected(rows.error());
        for (const ItemRow& row : *rows) {
            if (!fits(selection.reasons, row.reason.value_or(Reason::Internal))) continue;
            if (!selection.items.empty() && std::ranges::find(selection.items, row.id) == selection.items.end())
                continue;
            if (selection.limit && static_cast<std::int64_t>(chosen.size()) >= *selection.limit) return chosen;
            chosen.insert(row.item.value());
        }
        if (static_cast<std::int64_t>(rows->size()) < query.limit) return chosen;
        query.from = ItemIndex(rows->back().item.value() + 1);
    }
}

// What the caller of resume or retry says anew replaces what the job was started with.
void apply(const BatchRequest& request, JobOptions& options)
{
    if (request.cores) options.cores = request.cores;
    if (request.memoryBytes) options.memoryBytes = request.memoryBytes;
    if (request.priority) options.priority = *request.priority;
    if (request.budget) options.budget = request.budget;
    options.stopOnOutage = request.stopOnOutage;
    options.maxWait = request.maxWait;
    options.failFast = request.failFast;
    options.maxFailures = request.maxFailures;
    options.maxFailurePercent = request.maxFailurePercent;
}

// What resume has left to do of a job that came to its end: its lists, which a kill at the last moment may have cost.
std::string noteIfEnded(const JobEntry& entry)
{
    if (entry.owner) return {};
    const auto snapshot = snapshotAtRest(entry);
    if (!snapshot || !isTerminal(snapshot->state) || snapshot->state == JobState::Interrupted ||
        snapshot->items[TaskState::Queued] + snapshot->items[TaskState::Cancelled] > 0)
        return {};
    return "this job had ended (" + std::string(info(snapshot->state).key) + "): nothing is left to run";
}

// Of a job whose process died between the two: the input is copied now, if it still is what the job was made for.
Result<void> keepInput(const JobDirectory& directory)
{
    if (systemFiles().exists(directory.inputSnapshot())) return {};
    const JobDescription& job = directory.description();
    const auto snapshot = snapshotInput(job.input, directory.inputSnapshot());
    if (snapshot && snapshot->hash == job.inputHash) return {};
    (void)systemFiles().remove(directory.inputSnapshot());
    return fail(Reason::JobChanged,
                "job " + job.id.text() + " died before it began, and " + job.input.string() +
                    " is not what it was made for",
                "start a new job: aiflow-cli batch " + job.input.string());
}

Result<std::unique_ptr<JobSession>> openAgain(std::unique_ptr<Workbench> bench, const JobId& id, WorkChoice choice,
                                              const BatchRequest& request, const Surroundings& surroundings,
                                              const std::string& note = {})
{
    auto directory = JobDirectory::own(bench->state, id);
    if (!directory) return tl::unexpected(directory.error());
    if (auto kept = keepInput(**directory); !kept) return tl::unexpected(kept.error());
    auto plan = planAgain(*bench->tools, (*directory)->description(), (*directory)->path());
    if (!plan) return tl::unexpected(plan.error());
    if (auto connected = bench->connect(plan->pipeline); !connected) return tl::unexpected(connected.error());
    apply(request, plan->options);
    if (!note.empty()) plan->preparation.notes.push_back(note);
    return openRunningJob(std::move(bench), std::move(*plan), std::move(*directory), std::move(choice), surroundings);
}

} // namespace

Result<std::unique_ptr<JobSession>> startBatch(std::unique_ptr<Workbench> bench, const BatchRequest& request,
                                               const Surroundings& surroundings, const CheckProgress& progress)
{
    if (request.offline) bench->tools->goOffline();
    auto plan = planBatch(bench->files, bench->configuration, *bench->tools, bench->state, request, progress);
    if (!plan) return tl::unexpected(plan.error());
    const Earlier earlier = lookBack(*bench, *plan, request.fresh);
    if (earlier.same) {
        if (plan->temporaryInput) (void)systemFiles().remove(plan->inputFile);
        return openAgain(std::move(bench), earlier.same->description.id, {}, request, surroundings);
    }
    if (auto connected = bench->connect(plan->pipeline); !connected) return tl::unexpected(connected.error());
    plan->preparation.leftBehind = earlier.leftBehind;
    // Before the job has a folder: what cannot begin must leave nothing behind. The lock is taken for good below.
    if (const auto free = OutputLock::take(plan->output, JobId("(starting)")); !free)
        return tl::unexpected(free.error());
    auto directory = makeFolder(*bench, *plan, request);
    if (!directory) return tl::unexpected(directory.error());
    plan->preparation.job = (*directory)->description().id.text();
    return openRunningJob(std::move(bench), std::move(*plan), std::move(*directory), {request.fresh, {}}, surroundings);
}

Result<std::unique_ptr<JobSession>> JobSession::batch(const Surroundings& surroundings, const BatchRequest& request,
                                                      const CheckProgress& progress)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    return startBatch(std::move(*bench), request, surroundings, progress);
}

Result<std::unique_ptr<JobSession>> JobSession::resume(const Surroundings& surroundings, const std::string& job,
                                                       const BatchRequest& options)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    const auto entry = findJob((*bench)->state, job);
    if (!entry) return tl::unexpected(entry.error());
    return openAgain(std::move(*bench), entry->description.id, {}, options, surroundings, noteIfEnded(*entry));
}

Result<std::unique_ptr<JobSession>> JobSession::retry(const Surroundings& surroundings, const std::string& job,
                                                      const RetrySelection& selection, const BatchRequest& options)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    const auto entry = findJob((*bench)->state, job);
    if (!entry) return tl::unexpected(entry.error());
    auto chosen = chosenFailures(entry->path, selection);
    if (!chosen) return tl::unexpected(chosen.error());
    const std::string id = entry->description.id.text();
    if (chosen->empty())
        return fail(Reason::UsageInvalid, "no failed item of job " + id + " fits", "see: aiflow-cli status " + id);
    return openAgain(std::move(*bench), entry->description.id, {false, std::move(*chosen)}, options, surroundings);
}

int exitCodeOf(const Error& error) noexcept
{
    switch (error.reason) {
    case Reason::UsageInvalid:
    case Reason::PipelineInvalid:
    case Reason::ConfigInvalid:
    case Reason::InputFileBad:
    case Reason::InputFieldMissing:
    case Reason::InputFieldBad:
    case Reason::JobNotFound:
    case Reason::JobChanged:
        return 2;
    case Reason::ProviderAuth:
        return 4;
    case Reason::ProviderOutage:
    case Reason::ProviderQuota:
    case Reason::ProviderRateLimited:
    case Reason::ProviderTimeout:
        return 5;
    case Reason::BudgetReached:
        return 6;
    case Reason::JobLocked:
        return 11;
    default:
        return 1;
    }
}

} // namespace aiflow
