#include "aiflow/workspace.h"

#include "core/base/file_system.h"
#include "core/base/text.h"
#include "core/facade/doctor.h"
#include "core/facade/pipeline_choice.h"
#include "core/facade/running_job.h"
#include "core/facade/starter_files.h"
#include "core/inference/model_manifest.h"
#include "core/pipeline/describe.h"

#include <sstream>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

std::string portsText(const std::vector<Port>& ports)
{
    std::vector<std::string> parts;
    for (const Port& port : ports)
        parts.push_back(port.name + ": " + std::string(name(port.type)) + (port.required ? "" : "?"));
    return join(parts, ", ");
}

PipelineLine lineOf(const fs::path& file, const StepCatalog& catalog)
{
    PipelineLine line;
    line.file = file;
    line.name = file.parent_path().filename().string();
    const auto pipeline = loadPipeline(file, catalog, {}, &line.errors);
    if (!pipeline) return line;
    line.name = pipeline->name;
    line.titleEn = pipeline->title.en;
    line.titleZh = pipeline->title.zh;
    for (const Step& step : pipeline->steps) line.steps.push_back(step.name);
    for (const Column& column : pipeline->input.columns)
        if (column.required) line.requiredColumns.push_back(column.name);
    return line;
}

const char* familyName(ModelFamilyKind family)
{
    switch (family) {
    case ModelFamilyKind::Detect:
        return "detect";
    case ModelFamilyKind::Segment:
        return "segment";
    case ModelFamilyKind::Embed:
        return "embed";
    case ModelFamilyKind::Classify:
        return "classify";
    }
    return "";
}

class BenchWorkspace final : public Workspace {
public:
    explicit BenchWorkspace(std::unique_ptr<Workbench> bench) : m_bench(std::move(bench)) {}

    Result<std::vector<PipelineLine>> pipelines() override
    {
        std::vector<PipelineLine> lines;
        for (const fs::path& file : shippedPipelines(m_bench->files)) lines.push_back(lineOf(file, *m_bench->tools));
        return lines;
    }

    Result<std::string> showPipeline(const std::string& nameOrFile, bool chinese) override
    {
        const auto pipeline = load(nameOrFile);
        if (!pipeline) return tl::unexpected(pipeline.error());
        return describePipeline(*pipeline, chinese ? Language::Chinese : Language::English);
    }

    Result<std::string> pipelineGraph(const std::string& nameOrFile, GraphFormat format, bool chinese) override
    {
        const auto pipeline = load(nameOrFile);
        if (!pipeline) return tl::unexpected(pipeline.error());
        const Language language = chinese ? Language::Chinese : Language::English;
        switch (format) {
        case GraphFormat::Mermaid:
            return toMermaid(*pipeline, language);
        case GraphFormat::Dot:
            return toDot(*pipeline, language);
        case GraphFormat::Text:
            break;
        }
        return drawGraph(*pipeline, language);
    }

    Result<std::vector<Error>> checkPipeline(const std::string& nameOrFile,
                                             const std::vector<std::pair<std::string, std::string>>& set) override
    {
        const auto file = findPipeline(m_bench->files, nameOrFile);
        if (!file) return tl::unexpected(file.error());
        std::vector<Error> errors;
        const auto pipeline = loadPipeline(*file, *m_bench->tools, {set}, &errors);
        if (!pipeline && errors.empty()) errors.push_back(pipeline.error());
        return errors;
    }

    Result<std::vector<OpLine>> ops() override
    {
        std::vector<OpLine> lines;
        for (const Signature* op : m_bench->tools->ops().all())
            lines.push_back({op->name, op->version, portsText(op->inputs), portsText(op->outputs), op->description});
        return lines;
    }

    Result<std::vector<ModelLine>> models(bool verify) override
    {
        const auto manifest = ModelManifest::open({m_bench->files.models()});
        if (!manifest) return tl::unexpected(manifest.error());
        std::vector<ModelLine> lines;
        for (const ModelEntry& model : (*manifest)->all()) {
            ModelLine line{
                model.name, familyName(model.family), model.version, model.licence, model.path(), model.bytes, {}};
            if (verify)
                if (const auto verified = (*manifest)->verify(model); !verified) line.problem = verified.error();
            lines.push_back(std::move(line));
        }
        return lines;
    }

    Result<std::vector<ConfigLine>> configuration() override
    {
        std::vector<ConfigLine> lines;
        const Configuration& values = m_bench->configuration;
        std::istringstream text(describeConfiguration(values, false));
        for (std::string line; std::getline(text, line);) {
            const auto colon = line.find(": ");
            if (colon == std::string::npos) continue;
            const std::string name = line.substr(0, colon);
            if (name == "aiflow") continue; // the format's number
            const auto origin = values.origins.find(name);
            lines.push_back({name, line.substr(colon + 2), origin == values.origins.end() ? "" : origin->second});
        }
        lines.push_back({"state directory", m_bench->state.string(), "in force"});
        lines.push_back({"resources", m_bench->files.share.string(), "in force"});
        return lines;
    }

    std::vector<DoctorCheck> doctor() override { return checkEnvironment(m_bench->files, m_bench->state); }

    Result<InitSummary> init(const fs::path& folder) override { return writeStarterFiles(m_bench->files, folder); }

    Result<fs::path> samples() override
    {
        if (!systemFiles().exists(m_bench->files.samples() / "products.csv"))
            return fail(Reason::ConfigInvalid,
                        "the sample products are missing from " + m_bench->files.samples().string(),
                        "install AIFlow again");
        return m_bench->files.samples();
    }

    Result<std::string> example(std::string_view kind) override { return exampleText(m_bench->files, kind); }

private:
    Result<Pipeline> load(const std::string& nameOrFile)
    {
        const auto file = findPipeline(m_bench->files, nameOrFile);
        if (!file) return tl::unexpected(file.error());
        return loadPipeline(*file, *m_bench->tools);
    }

    std::unique_ptr<Workbench> m_bench;
};

} // namespace

Result<std::unique_ptr<Workspace>> Workspace::open(const Surroundings& surroundings)
{
    auto bench = Workbench::setUp(surroundings);
    if (!bench) return tl::unexpected(bench.error());
    return std::make_unique<BenchWorkspace>(std::move(*bench));
}

} // namespace aiflow
