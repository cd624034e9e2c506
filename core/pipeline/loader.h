// Reads a pipeline file and checks everything that can be known before anything runs.
#pragma once

#include "core/pipeline/pipeline.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// What the loader may ask about the world: which ops, models and routes exist.
class StepCatalog {
public:
    virtual ~StepCatalog() = default;
    virtual const Signature* findOp(std::string_view name) const = 0;
    virtual const Signature* findModel(std::string_view name) const = 0;
    virtual bool hasRoute(std::string_view name) const = 0;
    // "text" or "image": which ports an api step has when its schema does not say. Empty: unknown, all are allowed.
    virtual std::string routeKind(std::string_view) const { return {}; }
    // Names everything of a route that changes an answer; part of the step's content hash.
    virtual std::string routeIdentity(std::string_view name) const = 0;
    virtual std::vector<std::string> opNames() const = 0;
    virtual std::vector<std::string> modelNames() const = 0;
    virtual std::vector<std::string> routeNames() const = 0;
};

struct LoadOptions {
    std::vector<std::pair<std::string, std::string>> set; // --set canvas=1600: parameter and YAML value
};

// PipelineInvalid with file, line, column, the wrong word and the nearest right one.
// All mistakes that were found: the first is the Result's error; `allErrors`, when given, receives every one.
Result<Pipeline> loadPipeline(const std::filesystem::path& file, const StepCatalog& catalog,
                              const LoadOptions& options = {}, std::vector<Error>* allErrors = nullptr);
// The same from text; prompts and schemas are looked for beneath `folder`.
Result<Pipeline> parsePipeline(std::string_view text, const std::filesystem::path& folder, const std::string& fileName,
                               const StepCatalog& catalog, const LoadOptions& options = {},
                               std::vector<Error>* allErrors = nullptr);

} // namespace aiflow
