#include "core/facade/pipeline_choice.h"

#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

FieldType toFieldType(ColumnType type)
{
    switch (type) {
    case ColumnType::Text:
        return FieldType::Text;
    case ColumnType::Number:
        return FieldType::Number;
    case ColumnType::Integer:
        return FieldType::Integer;
    case ColumnType::Boolean:
        return FieldType::Boolean;
    case ColumnType::Image:
        return FieldType::Image;
    case ColumnType::File:
        return FieldType::File;
    }
    return FieldType::Text;
}

std::string nameOf(const fs::path& pipelineFile)
{
    std::string name = pipelineFile.parent_path().filename().string();
    std::ranges::replace(name, '_', '-');
    return name;
}

bool looksLikeFile(const std::string& text)
{
    return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

} // namespace

std::vector<fs::path> shippedPipelines(const InstalledFiles& files)
{
    std::vector<fs::path> found;
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(files.jobs(), problem))
        if (fs::is_regular_file(entry.path() / "pipeline.yaml", problem))
            found.push_back(entry.path() / "pipeline.yaml");
    std::ranges::sort(found);
    return found;
}

Result<fs::path> findPipeline(const InstalledFiles& files, const std::string& nameOrFile)
{
    std::error_code problem;
    if (looksLikeFile(nameOrFile)) {
        if (fs::is_regular_file(nameOrFile, problem)) return fs::absolute(nameOrFile);
        if (fs::is_regular_file(fs::path(nameOrFile) / "pipeline.yaml", problem))
            return fs::absolute(fs::path(nameOrFile) / "pipeline.yaml");
        return fail(Reason::UsageInvalid, "no pipeline file " + nameOrFile, "aiflow-cli pipelines list");
    }
    std::string wanted = nameOrFile;
    std::ranges::replace(wanted, '_', '-');
    std::vector<std::string> names;
    for (const fs::path& file : shippedPipelines(files)) {
        if (nameOf(file) == wanted) return file;
        names.push_back(nameOf(file));
    }
    const auto near = nearestWord(wanted, names);
    return fail(Reason::UsageInvalid, "no pipeline is called \"" + nameOrFile + "\"",
                near ? "did you mean " + *near + "?" : "there are: " + join(names, ", "));
}

ColumnMapSettings columnSettings(const Pipeline& pipeline,
                                 const std::vector<std::pair<std::string, std::string>>& overrides)
{
    ColumnMapSettings settings;
    settings.idField = pipeline.input.idColumn;
    settings.overrides = overrides;
    for (const Column& column : pipeline.input.columns)
        settings.fields.push_back({column.name, toFieldType(column.type), column.required, column.minimum,
                                   column.maximum, column.aliases, column.oneOf, column.defaultValue});
    return settings;
}

Result<PipelineChoice> choosePipeline(const InstalledFiles& files, const StepCatalog& catalog,
                                      const InputDescription& input,
                                      const std::vector<std::pair<std::string, std::string>>& overrides)
{
    std::optional<PipelineChoice> best;
    double bestFit = 0;
    std::string candidates;
    for (const fs::path& file : shippedPipelines(files)) {
        const auto pipeline = loadPipeline(file, catalog);
        if (!pipeline) continue; // pipelines check tells why
        const auto map = ColumnMap::make(columnSettings(*pipeline, overrides), input);
        if (!map) return tl::unexpected(map.error());
        if (const auto missing = map->missing(); !missing.empty()) {
            candidates += "; " + pipeline->name + " needs " + join(missing, ", ");
            continue;
        }
        if (!best || map->fit() > bestFit) {
            bestFit = map->fit();
            std::vector<std::string> used;
            for (const FieldBinding& binding : map->bindings())
                if (!binding.header.empty()) used.push_back(binding.header);
            best = PipelineChoice{file, pipeline->name + " fits the columns " + join(used, ", ")};
        }
    }
    if (best) return *best;
    std::vector<std::string> header;
    for (const HeaderColumn& column : input.header)
        if (!column.ignored) header.push_back(column.name);
    return fail(Reason::UsageInvalid,
                "no pipeline fits the columns of " + input.displayName + " (" + join(header, ", ") + ")" + candidates,
                "name the columns: --map title=COLUMN --map image=COLUMN, or the pipeline: --pipeline NAME");
}

} // namespace aiflow
