// A checked pipeline: what the YAML file says, resolved, typed and in topological order. Immutable.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/json_fwd.h"
#include "core/base/signature.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aiflow {

class CompiledTemplate;  // template.h
class RegularExpression; // evaluate.h

struct LocalText {
    std::string en;
    std::string zh; // empty: use en
};

enum class ColumnType : std::uint8_t { Text, Number, Integer, Boolean, Image, File };

struct Column {
    std::string name;
    ColumnType type = ColumnType::Text;
    bool required = false;
    std::optional<double> minimum;
    std::optional<double> maximum;
    std::vector<std::string> aliases;         // other headers that mean it, English and Chinese
    std::vector<std::string> oneOf;           // allowed texts; empty: any
    std::shared_ptr<const Json> defaultValue; // used for an empty cell; may be null
};

struct InputSpec {
    std::string idColumn; // empty: the line number is the id
    std::vector<Column> columns;
};

// Where a value comes from.
struct ItemField {
    std::string column;
}; // $item.title
struct StepOutput {
    StepIndex step;
    std::string port;
    std::vector<std::string> path;
}; // $detect.boxes, then .a.b within JSON
struct ParamValue {
    std::string name;
}; // $params.canvas
struct EachElement {
    std::vector<std::string> path;
};                   // $each: the element that a for_each task works on
struct EachIndex {}; // $each_index
struct Constant {
    std::shared_ptr<const Json> value;
};
struct Template { // rendered with item, params and the steps it names
    std::string mustache;
    std::shared_ptr<const CompiledTemplate> compiled = nullptr; // never null in a loaded pipeline
};
struct Source;
struct ObjectOf {
    std::vector<std::pair<std::string, std::shared_ptr<const Source>>> fields;
}; // a JSON object with references inside
struct ArrayOf {
    std::vector<std::shared_ptr<const Source>> elements;
};
struct Source {
    std::variant<Constant, ItemField, StepOutput, ParamValue, EachElement, EachIndex, Template, ObjectOf, ArrayOf> from;
    PortType type = PortType::Any; // as far as it is known
    std::int64_t line = 0;         // in the pipeline file
};

// `when:` in structured form; true is "run".
struct Condition {
    enum class Kind : std::uint8_t { Truthy, Equals, Less, Greater, In, Matches, Not, All, Any };
    Kind kind = Kind::Truthy;
    std::vector<Source>
        operands; // Truthy: 1; Equals, Less, Greater: 2; In: value, list; Matches: value, regular expression
    std::vector<Condition> conditions;                // Not: 1; All, Any: n
    std::string text;                                 // as written, for "skipped: when ..."
    std::shared_ptr<const RegularExpression> pattern; // Matches: the second operand, compiled
};

enum class StepKind : std::uint8_t { Api, Model, Op };

struct RetryPolicy {
    int attempts = 4; // with the first
};

struct Step {
    std::string name;
    StepKind kind = StepKind::Op;
    std::string target; // route, model or op
    LocalText title;
    std::vector<std::pair<std::string, Source>> inputs; // op, model: by port. api: the request's fields, with "system"
    std::shared_ptr<const Json> params;                 // op, model: an object, `$params.x` and defaults put in
    std::string prompt;                                 // api: the Mustache text itself (read from its file)
    std::shared_ptr<const CompiledTemplate> promptTemplate; // the same, parsed; null when there is no prompt
    std::string promptFile;                                 // as written, for messages
    std::shared_ptr<const Json> schema;                     // api: the answer's JSON Schema; null when none
    std::optional<Source> forEach;
    std::optional<Condition> when;
    bool optional = false;
    bool keep = false;
    bool cache = true;
    int priority = 0;
    std::optional<std::chrono::milliseconds> timeout;
    RetryPolicy retry;
    std::vector<StepIndex> dependsOn;     // from references, `when`, `for_each` and `needs`; sorted, unique
    std::vector<StepIndex> usedBy;        // the reverse
    std::string mainOutput;               // the port that `$step` alone means; empty: a port must be named
    const Signature* signature = nullptr; // op, model; lives as long as the catalogue that checked it
    bool automatic = false;               // put in by the loader (image.load)
    std::int64_t line = 0;
    // Covers everything of the step's own definition that can change its result: target and its version, params,
    // prompt bytes, schema, the shape of its inputs. Not its name's position, title, retry or timeout.
    ContentHash contentHash;
};

struct Output {
    std::string nameTemplate; // Mustache over item and params (and each_index for lists): "{{item.sku}}.png"
    std::shared_ptr<const CompiledTemplate> name; // the same, parsed
    StepIndex step;
    std::string port;
    std::vector<std::string> path;
    std::int64_t line = 0;
};

struct Pipeline {
    std::string name;
    LocalText title;
    LocalText description;
    std::filesystem::path file; // where it was read from
    std::string sourceText;     // its bytes, for the job's snapshot
    InputSpec input;
    std::shared_ptr<const Json> params; // an object: the file's, with --set applied
    std::vector<Step> steps;            // in topological order; StepIndex is the position
    std::vector<Output> outputs;
    ContentHash contentHash; // over all steps and outputs
    std::vector<std::string> warnings;

    const Step* find(std::string_view stepName) const noexcept;
    const Step& at(StepIndex step) const { return steps[static_cast<std::size_t>(step.value())]; }
};

} // namespace aiflow
