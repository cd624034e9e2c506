#include "cli/program/json_text.h"

#include "cli/program/json_services.h"
#include "cli/program/json_writer.h"

namespace aiflow {

namespace {

// The first version: members are only added to it.
JsonObject versioned() { return std::move(JsonObject().number("v", 1)); }

JsonObject objectOf(const JobSnapshot& snapshot) { return std::move(JsonObject(toJson(snapshot)).number("v", 1)); }

std::string objectOf(const Error& error)
{
    JsonObject object;
    object.text("reason", info(error.reason).code).text("message", error.message).textIfAny("hint", error.hint);
    if (!error.where) return object.done();
    object.text("file", error.where->file);
    if (error.where->line > 0) object.number("line", error.where->line);
    if (error.where->column > 0) object.number("column", error.where->column);
    return object.done();
}

std::string pathsOf(std::span<const std::filesystem::path> paths)
{
    return jsonArray(paths, [](const auto& path) { return jsonString(path.string()); });
}

std::string errorsOf(std::span<const Error> errors)
{
    return jsonArray(errors, [](const Error& error) { return objectOf(error); });
}

} // namespace

std::string statusJson(const JobSnapshot& snapshot) { return objectOf(snapshot).done(); }

std::string listJson(std::span<const JobSnapshot> jobs)
{
    return versioned().raw("jobs", jsonArray(jobs, [](const JobSnapshot& job) { return statusJson(job); })).done();
}

std::string reportJson(const JobReport& report)
{
    JsonObject object = objectOf(report.snapshot);
    object.text("outcome", info(report.snapshot.state).key).raw("files", pathsOf(report.files));
    object.number("result_files", report.resultFiles);
    JsonObject tasks;
    tasks.number("run", report.tasksRun).number("reused", report.tasksReused).number("recomputed", report.recomputed);
    object.raw("tasks", tasks.done());
    if (report.cause) object.raw("cause", objectOf(*report.cause));
    if (report.rehearsal) object.raw("rehearsal", rehearsalJson(*report.rehearsal));
    return object.done();
}

std::string errorJson(const Error& error, int exitCode)
{
    return versioned().text("type", "error").raw("error", objectOf(error)).number("exit_code", exitCode).done();
}

std::string exportJson(const ExportSummary& summary)
{
    JsonObject object = versioned();
    object.text("folder", summary.folder.string()).raw("written", pathsOf(summary.written));
    object.number("results", summary.results).number("failures", summary.failures).number("files", summary.files);
    return object.done();
}

std::string pipelinesJson(std::span<const PipelineLine> pipelines)
{
    const auto one = [](const PipelineLine& line) {
        const std::string title = JsonObject().text("en", line.titleEn).text("zh", line.titleZh).done();
        return JsonObject()
            .text("name", line.name)
            .raw("title", title)
            .text("file", line.file.string())
            .texts("steps", line.steps)
            .texts("required_columns", line.requiredColumns)
            .raw("errors", errorsOf(line.errors))
            .done();
    };
    return versioned().raw("pipelines", jsonArray(pipelines, one)).done();
}

std::string checkJson(std::span<const Error> errors) { return versioned().raw("errors", errorsOf(errors)).done(); }

std::string opsJson(std::span<const OpLine> ops)
{
    const auto one = [](const OpLine& op) {
        return JsonObject()
            .text("name", op.name)
            .text("version", op.version)
            .text("inputs", op.inputs)
            .text("outputs", op.outputs)
            .text("description", op.description)
            .done();
    };
    return versioned().raw("ops", jsonArray(ops, one)).done();
}

std::string modelsJson(std::span<const ModelLine> models)
{
    const auto one = [](const ModelLine& model) {
        JsonObject object;
        object.text("name", model.name).text("family", model.family).text("version", model.version);
        object.text("licence", model.licence).text("file", model.file.string()).number("bytes", model.bytes);
        if (model.problem) object.raw("problem", objectOf(*model.problem));
        return object.done();
    };
    return versioned().raw("models", jsonArray(models, one)).done();
}

std::string configJson(std::span<const ConfigLine> lines)
{
    const auto one = [](const ConfigLine& line) {
        return JsonObject().text("name", line.name).text("value", line.value).text("origin", line.origin).done();
    };
    return versioned().raw("configuration", jsonArray(lines, one)).done();
}

std::string doctorJson(std::span<const DoctorCheck> checks)
{
    static constexpr std::string_view kVerdicts[]{"good", "warning", "bad"};
    const auto one = [](const DoctorCheck& check) {
        return JsonObject()
            .text("name", check.name)
            .text("verdict", kVerdicts[static_cast<std::size_t>(check.verdict)])
            .text("detail", check.detail)
            .textIfAny("hint", check.hint)
            .done();
    };
    return versioned().raw("checks", jsonArray(checks, one)).done();
}

} // namespace aiflow
