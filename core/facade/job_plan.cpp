#include "core/facade/job_plan.h"

#include "core/api/settings/money.h"

#include "core/base/file_system.h"
#include "core/facade/client/job_input.h"
#include "core/facade/pipeline_choice.h"
#include "core/input/folder_listing.h"
#include "core/input/validation.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShownErrors = 5;

std::string formatName(InputFormat format)
{
    return format == InputFormat::Csv ? "csv" : format == InputFormat::Jsonl ? "jsonl" : "folder";
}

JobOptions optionsOf(const BatchRequest& request, const Configuration& configuration)
{
    JobOptions options;
    options.columnMap = request.columnMap;
    options.set = request.set;
    options.offline = request.offline || configuration.offline;
    options.strict = request.strict;
    options.failFast = request.failFast;
    options.maxFailures = request.maxFailures;
    options.maxFailurePercent = request.maxFailurePercent;
    options.cores = request.cores;
    if (!options.cores && configuration.cores > 0) options.cores = configuration.cores;
    options.memoryBytes = request.memoryBytes;
    if (!options.memoryBytes && configuration.memory) options.memoryBytes = configuration.memory->count();
    options.priority = request.priority.value_or(5);
    options.budget = request.budget;
    options.stopOnOutage = request.stopOnOutage;
    options.maxWait = request.maxWait;
    return options;
}

// Standard input cannot be read twice: it is kept in a file first.
Result<fs::path> keepStandardInput(const fs::path& state)
{
    const fs::path folder = state / "incoming";
    if (auto made = systemFiles().makeDirectories(folder); !made) return tl::unexpected(made.error());
    const fs::path file = folder / ("stdin-" + std::to_string(::getpid()));
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << std::cin.rdbuf();
    out.flush();
    if (!out) return fail(Reason::OutputDiskFull, "cannot keep standard input in " + file.string());
    return file;
}

Result<void> takeInput(JobPlan& plan, const fs::path& state, const BatchRequest& request)
{
    std::error_code problem;
    if (request.input == "-") {
        auto kept = keepStandardInput(state);
        if (!kept) return tl::unexpected(kept.error());
        plan.inputFile = std::move(*kept);
        plan.temporaryInput = true;
        plan.inputRoot = request.inputRoot.value_or(fs::current_path());
    } else {
        if (!fs::exists(request.input, problem))
            return fail(Reason::InputFileBad, "no file or folder " + request.input.string(),
                        "check the name; relative names begin in " + fs::current_path().string());
        plan.inputFile = fs::absolute(request.input).lexically_normal();
        const bool folder = fs::is_directory(plan.inputFile, problem);
        plan.inputRoot = request.inputRoot.value_or(folder ? plan.inputFile : plan.inputFile.parent_path());
    }
    plan.inputRoot = fs::absolute(plan.inputRoot).lexically_normal();
    return {};
}

InputSettings inputSettings(const BatchRequest& request)
{
    InputSettings settings;
    settings.encoding = request.encoding.value_or("");
    settings.delimiter = request.delimiter.value_or('\0');
    settings.displayName = request.input == "-" ? "standard input" : request.input.filename().string();
    return settings;
}

// A list of failures that an earlier job left in its output folder, corrected and fed back: its rows mean what they
// meant there, so their paths begin where they began, and pipeline, parameters and output folder are that job's unless
// the caller says otherwise.
Result<void> takeUpEarlierJob(JobPlan& plan, const fs::path& state, const BatchRequest& request,
                              std::optional<JobDescription>& earlier)
{
    std::error_code problem;
    if (fs::is_directory(plan.inputFile, problem)) return {};
    const auto reader = RecordReader::open(plan.inputFile, inputSettings(request));
    if (!reader) return tl::unexpected(reader.error());
    const auto& header = (*reader)->description().header;
    const bool fedBack =
        std::ranges::any_of(header, [](const HeaderColumn& c) { return c.ignored && c.name == "_reason"; });
    if (!fedBack) return {};
    const auto jobs = listJobs(state);
    if (!jobs) return {};
    const auto job = std::ranges::find_if(
        *jobs, [&](const JobEntry& entry) { return entry.description.output == plan.inputFile.parent_path(); });
    if (job == jobs->end()) return {};
    earlier = job->description;
    plan.options.continues = earlier->id.text();
    const auto options = JobOptions::fromJson(earlier->settings);
    if (options && plan.options.set.empty()) plan.options.set = options->set;
    if (options && plan.options.columnMap.empty()) plan.options.columnMap = options->columnMap;
    if (!request.inputRoot) plan.inputRoot = earlier->inputRoot;
    plan.preparation.notes.push_back("these are failures of job " + plan.options.continues + ": paths begin in " +
                                     plan.inputRoot.string());
    return {};
}

Result<void> settlePipeline(JobPlan& plan, const InstalledFiles& files, const Configuration& configuration,
                            const Toolbox& tools, const BatchRequest& request,
                            const std::optional<JobDescription>& earlier)
{
    fs::path file;
    const std::string asked =
        request.pipeline.value_or(earlier ? earlier->pipelineFile.string() : configuration.pipeline);
    if (!asked.empty()) {
        auto found = findPipeline(files, asked);
        if (!found) return tl::unexpected(found.error());
        file = std::move(*found);
    } else {
        const auto reader = RecordReader::open(plan.inputFile, inputSettings(request));
        if (!reader) return tl::unexpected(reader.error());
        auto choice = choosePipeline(files, tools, (*reader)->description(), plan.options.columnMap);
        if (!choice) return tl::unexpected(choice.error());
        file = std::move(choice->file);
        plan.preparation.pipelineChoice = std::move(choice->why);
    }
    auto pipeline = loadPipeline(file, tools, {plan.options.set});
    if (!pipeline) return tl::unexpected(pipeline.error());
    plan.pipeline = std::move(*pipeline);
    return {};
}

void describe(JobPlan& plan, const ValidationReport& report)
{
    Preparation& told = plan.preparation;
    told.pipeline = plan.pipeline.name;
    for (const Step& step : plan.pipeline.steps) told.steps.push_back(step.name);
    told.inputFormat = formatName(report.description.format);
    if (report.description.format != InputFormat::Folder) told.encoding = name(report.description.encoding.encoding);
    told.columns = std::ranges::count_if(report.description.header, [](const HeaderColumn& c) { return !c.ignored; });
    told.total = report.totalRows;
    told.badRows = report.badRows();
    told.badRowSamples.assign(report.errors.begin(), report.errors.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                                 kShownErrors, report.errors.size())));
    for (const FieldBinding& binding : report.columns->bindings())
        if (!binding.header.empty()) told.columnMap.emplace_back(binding.field.name, binding.header);
    told.output = plan.output;
    told.notes.insert(told.notes.end(), plan.pipeline.warnings.begin(), plan.pipeline.warnings.end());
}

Result<void> checkInput(JobPlan& plan, const BatchRequest& request, const CheckProgress& progress)
{
    ValidationOptions options;
    options.input = inputSettings(request);
    options.columns = columnSettings(plan.pipeline, plan.options.columnMap);
    if (progress) options.progress = [&](const ValidationProgress& at) { progress(at.rows); };
    auto report = validateInput(plan.inputFile, options);
    if (!report) return tl::unexpected(report.error());
    if (report->totalRows == 0)
        return fail(Reason::InputFileBad, options.input.displayName + " has a header but no rows");
    if (plan.options.strict && report->badRows() > 0) {
        Error error = report->errors.front();
        error.hint = std::to_string(report->badRows()) + " of " + std::to_string(report->totalRows) +
                     " rows are bad; without --strict the good ones run";
        return tl::unexpected(std::move(error));
    }
    plan.input = report->description;
    plan.inputHash = report->contentHash;
    plan.options.delimiter = report->description.delimiter;
    describe(plan, *report);
    plan.columns = std::move(report->columns);
    return {};
}

Error changed(const JobDescription& job, const std::string& what)
{
    return Error{Reason::JobChanged, what + " is not what job " + job.id.text() + " began with",
                 "start a new job, which reuses what still holds: aiflow-cli batch " + job.input.string(),
                 std::nullopt};
}

Result<void> checkUnchanged(const JobDescription& job)
{
    std::error_code problem;
    if (job.inputFormat == "folder" || !fs::is_regular_file(job.input, problem)) return {};
    const auto hash = sha256File(job.input);
    if (hash && *hash != job.inputHash) return tl::unexpected(changed(job, job.input.string()));
    return {};
}

} // namespace

Result<JobPlan> planBatch(const InstalledFiles& files, const Configuration& configuration, const Toolbox& tools,
                          const fs::path& state, const BatchRequest& request, const CheckProgress& progress)
{
    JobPlan plan;
    plan.options = optionsOf(request, configuration);
    if (request.budget)
        if (const auto budget = parseMoney(*request.budget); !budget)
            return fail(Reason::UsageInvalid, "--budget: " + budget.error().message, budget.error().hint);
    plan.preparation.input = request.input.string();
    if (auto taken = takeInput(plan, state, request); !taken) return tl::unexpected(taken.error());
    std::optional<JobDescription> earlier;
    if (auto looked = takeUpEarlierJob(plan, state, request, earlier); !looked) return tl::unexpected(looked.error());
    fs::path output = configuration.output.empty() ? fs::path("out") : configuration.output;
    if (earlier) output = earlier->output;
    plan.output = fs::absolute(request.output.value_or(output)).lexically_normal();
    if (auto settled = settlePipeline(plan, files, configuration, tools, request, earlier); !settled)
        return tl::unexpected(settled.error());
    if (auto checked = checkInput(plan, request, progress); !checked) return tl::unexpected(checked.error());
    return plan;
}

Result<JobPlan> planAgain(Toolbox& tools, const JobDescription& job, const fs::path& jobFolder)
{
    JobPlan plan;
    auto options = JobOptions::fromJson(job.settings);
    if (!options) return tl::unexpected(options.error());
    plan.options = std::move(*options);
    if (plan.options.offline) tools.goOffline();
    auto pipeline = loadPipeline(job.pipelineFile, tools, {plan.options.set});
    if (!pipeline) return tl::unexpected(pipeline.error());
    if (pipeline->contentHash != job.pipelineHash)
        return tl::unexpected(changed(job, "the pipeline " + job.pipelineFile.string()));
    plan.pipeline = std::move(*pipeline);
    if (auto same = checkUnchanged(job); !same) return tl::unexpected(same.error());

    ValidationOptions check;
    check.input = snapshotSettings(job);
    check.columns = columnSettings(plan.pipeline, plan.options.columnMap);
    plan.inputFile = jobFolder / "input.snapshot";
    auto report = validateInput(plan.inputFile, check);
    if (!report) return tl::unexpected(report.error());
    plan.input = report->description;
    plan.inputHash = job.inputHash;
    plan.inputRoot = job.inputRoot;
    plan.output = job.output;
    plan.preparation.input = job.input.string();
    plan.preparation.resumed = true;
    plan.preparation.job = job.id.text();
    describe(plan, *report);
    plan.preparation.inputFormat = job.inputFormat;
    plan.columns = std::move(report->columns);
    return plan;
}

} // namespace aiflow
