#include "cli/program/json_text.h"

#include <nlohmann/json.hpp>

namespace aiflow {

namespace {

using nlohmann::json;

std::string textOf(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json objectOf(const JobSnapshot& snapshot)
{
    json object = json::parse(toJson(snapshot), nullptr, false);
    if (!object.is_object()) object = json::object();
    object["v"] = 1;
    return object;
}

json objectOf(const Error& error)
{
    json object{{"reason", info(error.reason).code}, {"message", error.message}};
    if (!error.hint.empty()) object["hint"] = error.hint;
    if (!error.where) return object;
    object["file"] = error.where->file;
    if (error.where->line > 0) object["line"] = error.where->line;
    if (error.where->column > 0) object["column"] = error.where->column;
    return object;
}

json arrayOf(std::span<const Error> errors)
{
    json array = json::array();
    for (const Error& error : errors) array.push_back(objectOf(error));
    return array;
}

json arrayOf(std::span<const std::filesystem::path> paths)
{
    json array = json::array();
    for (const auto& path : paths) array.push_back(path.string());
    return array;
}

} // namespace

std::string statusJson(const JobSnapshot& snapshot) { return textOf(objectOf(snapshot)); }

std::string listJson(std::span<const JobSnapshot> jobs)
{
    json array = json::array();
    for (const JobSnapshot& job : jobs) array.push_back(objectOf(job));
    return textOf({{"v", 1}, {"jobs", array}});
}

std::string reportJson(const JobReport& report, int exitCode)
{
    json object = objectOf(report.snapshot);
    object["outcome"] = info(report.snapshot.state).key;
    object["exit_code"] = exitCode;
    object["files"] = arrayOf(report.files);
    object["result_files"] = report.resultFiles;
    object["tasks"] = {{"run", report.tasksRun}, {"reused", report.tasksReused}, {"recomputed", report.recomputed}};
    if (report.cause) object["cause"] = objectOf(*report.cause);
    return textOf(object);
}

std::string errorJson(const Error& error, int exitCode)
{
    return textOf({{"v", 1}, {"type", "error"}, {"error", objectOf(error)}, {"exit_code", exitCode}});
}

std::string exportJson(const ExportSummary& summary)
{
    return textOf({{"v", 1},
                   {"folder", summary.folder.string()},
                   {"written", arrayOf(summary.written)},
                   {"results", summary.results},
                   {"failures", summary.failures},
                   {"files", summary.files}});
}

std::string pipelinesJson(std::span<const PipelineLine> pipelines)
{
    json array = json::array();
    for (const PipelineLine& line : pipelines)
        array.push_back({{"name", line.name},
                         {"title", {{"en", line.titleEn}, {"zh", line.titleZh}}},
                         {"file", line.file.string()},
                         {"steps", line.steps},
                         {"required_columns", line.requiredColumns},
                         {"errors", arrayOf(line.errors)}});
    return textOf({{"v", 1}, {"pipelines", array}});
}

std::string checkJson(std::span<const Error> errors) { return textOf({{"v", 1}, {"errors", arrayOf(errors)}}); }

std::string opsJson(std::span<const OpLine> ops)
{
    json array = json::array();
    for (const OpLine& op : ops)
        array.push_back({{"name", op.name},
                         {"version", op.version},
                         {"inputs", op.inputs},
                         {"outputs", op.outputs},
                         {"description", op.description}});
    return textOf({{"v", 1}, {"ops", array}});
}

std::string modelsJson(std::span<const ModelLine> models)
{
    json array = json::array();
    for (const ModelLine& model : models) {
        json object{{"name", model.name},       {"family", model.family},      {"version", model.version},
                    {"licence", model.licence}, {"file", model.file.string()}, {"bytes", model.bytes}};
        if (model.problem) object["problem"] = objectOf(*model.problem);
        array.push_back(std::move(object));
    }
    return textOf({{"v", 1}, {"models", array}});
}

std::string configJson(std::span<const ConfigLine> lines)
{
    json array = json::array();
    for (const ConfigLine& line : lines)
        array.push_back({{"name", line.name}, {"value", line.value}, {"origin", line.origin}});
    return textOf({{"v", 1}, {"configuration", array}});
}

std::string doctorJson(std::span<const DoctorCheck> checks)
{
    static constexpr const char* kVerdicts[]{"good", "warning", "bad"};
    json array = json::array();
    for (const DoctorCheck& check : checks)
        array.push_back({{"name", check.name},
                         {"verdict", kVerdicts[static_cast<int>(check.verdict)]},
                         {"detail", check.detail},
                         {"hint", check.hint}});
    return textOf({{"v", 1}, {"checks", array}});
}

} // namespace aiflow
