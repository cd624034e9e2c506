// A pipeline while it is being read: steps in file order, with what is needed to check references to them.
#pragma once

#include "core/pipeline/loader.h"
#include "core/pipeline/yaml_reader.h"

#include <map>

namespace aiflow {

struct DraftPort {
    std::string name;
    PortType type = PortType::Any;
    PortType element = PortType::Any;     // of a List
    std::shared_ptr<const Json> schema{}; // of an answer's field, to check paths within it
};

struct DraftStep {
    Step step;
    const YamlNode* node = nullptr;          // null: automatic
    YamlPlace place;                         // of the name
    std::shared_ptr<const MapReader> reader; // null: automatic
    std::vector<DraftPort> outputs;
    bool known = true; // the target exists; otherwise every port is taken to exist
    bool fansOut = false;
    PortType element = PortType::Any; // of $each
    struct Use {
        int step = 0; // position in the draft
        YamlPlace place;
    };
    std::vector<Use> uses;
};

// A source as read, with what the checks of its place need.
struct ReadSource {
    Source source;
    PortType element = PortType::Any; // of a List
    YamlPlace place;
};

struct Draft {
    Draft(const StepCatalog& stepCatalog, std::filesystem::path promptFolder, Problems& found)
        : catalog(stepCatalog), folder(std::move(promptFolder)), problems(found)
    {
    }

    const StepCatalog& catalog;
    std::filesystem::path folder; // of prompts and schemas
    Problems& problems;
    Pipeline pipeline; // without steps until link()
    std::vector<DraftStep> steps;
    std::map<std::string, int, std::less<>> byName;
    struct Load {
        std::string wish; // "image" of load_image
        int step = 0;
    };
    std::map<std::string, Load> loads; // what is decoded ("item.image") and the step that does it

    std::string name(int step) const { return steps[static_cast<std::size_t>(step)].step.name; }
    const Column* column(std::string_view columnName) const;
    std::vector<std::string> columnNames() const;
    std::vector<std::string> paramNames() const;
    std::vector<std::string> stepNames() const;
};

// What a column's cell is when it travels.
PortType typeOf(ColumnType type) noexcept;
PortType typeOf(const Json& value) noexcept;
// "list of image".
std::string typeText(PortType type, PortType element);

// The input section: columns with types and limits.
InputSpec readInput(const YamlNode& node, Problems& problems);
// A text, or { en, zh }.
LocalText readLocalText(const MapReader& reader, std::string_view key, Problems& problems);
// First pass: names, kinds, targets, schemas and ports of all steps.
void readStepHeads(const YamlNode& steps, Draft& draft);
// The picture in the file that `read` names, for `step`: made by an automatic step, one for each such file.
// Nothing after a mistake, which is reported.
std::optional<ReadSource> decode(Draft& draft, int step, const ReadSource& read);
// Second pass: everything else; may append automatic steps.
void readStepBodies(Draft& draft);
void readOutputs(const YamlNode& outputs, Draft& draft);
// The type of a value that fits a JSON Schema.
PortType schemaType(const Json& schema);
// The ports of an api step: its schema's fields, else what its route gives.
std::vector<DraftPort> apiPorts(const Json* schema, std::string_view routeKind);
// Reads a prompt or schema beneath the pipeline's folder; what is missing is reported at `place`.
std::optional<std::string> readBeside(Draft& draft, const std::string& file, const std::string& what, YamlPlace place);
// Names the automatic steps, finds cycles, puts steps into topological order and fills the pipeline.
void link(Draft& draft);
// Content hashes of steps and pipeline.
void hashPipeline(Pipeline& pipeline, const StepCatalog& catalog);

} // namespace aiflow
