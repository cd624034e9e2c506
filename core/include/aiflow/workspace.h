// The cli's view of what is installed and configured: pipelines, models, configuration, health.
#pragma once

#include "aiflow/engine.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiflow {

struct PipelineLine {
    std::string name;
    std::string titleEn;
    std::string titleZh;
    std::filesystem::path file;
    std::vector<std::string> steps;
    std::vector<std::string> requiredColumns;
    std::vector<Error> errors; // empty: it loads
};

enum class GraphFormat : std::uint8_t { Text, Mermaid, Dot };

struct OpLine {
    std::string name;
    std::string version;
    std::string inputs; // "image: image, mask: mask?"
    std::string outputs;
    std::string description;
};

struct ModelLine {
    std::string name;
    std::string family;
    std::string version;
    std::string licence;
    std::filesystem::path file;
    std::int64_t bytes = 0;
    std::optional<Error> problem; // set by verify: missing or altered
};

struct ConfigLine {
    std::string name;   // "output"
    std::string value;  // keys are never shown, only their source
    std::string origin; // "built in", "~/.config/aiflow/aiflow.yaml:3"
};

struct DoctorCheck {
    enum class Verdict : std::uint8_t { Good, Warning, Bad };
    std::string name;
    Verdict verdict = Verdict::Good;
    std::string detail;
    std::string hint; // what to do; empty when good
};

struct InitSummary {
    std::vector<std::filesystem::path> written;
    std::vector<std::filesystem::path> kept; // were there already, not touched
};

// Threads: one.
class Workspace {
public:
    static Result<std::unique_ptr<Workspace>> open(const Surroundings& surroundings);
    virtual ~Workspace() = default;

    virtual Result<std::vector<PipelineLine>> pipelines() = 0;
    // `nameOrFile` as for batch. `chinese`: titles in Chinese.
    virtual Result<std::string> showPipeline(const std::string& nameOrFile, bool chinese) = 0;
    virtual Result<std::string> pipelineGraph(const std::string& nameOrFile, GraphFormat format, bool chinese) = 0;
    // All mistakes; empty: it is good. The Result fails only when the file cannot be found.
    virtual Result<std::vector<Error>> checkPipeline(const std::string& nameOrFile,
                                                     const std::vector<std::pair<std::string, std::string>>& set) = 0;
    virtual Result<std::vector<OpLine>> ops() = 0;
    virtual Result<std::vector<ModelLine>> models(bool verify) = 0;
    virtual Result<std::vector<ConfigLine>> configuration() = 0;
    virtual std::vector<DoctorCheck> doctor() = 0;
    // A commented aiflow.yaml and a pipeline to start from, in `folder`; existing files are kept.
    virtual Result<InitSummary> init(const std::filesystem::path& folder) = 0;
    // Folder of the sample products that ship (products.csv and images/).
    virtual Result<std::filesystem::path> samples() = 0;
    // Sample crontab or systemd timer: "crontab", "systemd-service", "systemd-timer".
    virtual Result<std::string> example(std::string_view kind) = 0;
};

} // namespace aiflow
