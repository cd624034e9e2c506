// What references, templates and conditions of a step come to for one task. Pure: values in, JSON out.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/pipeline/pipeline.h"

#include <memory>
#include <string>
#include <string_view>

namespace aiflow {

// A value as far as the pipeline can see it: images and files are there, but are no JSON.
struct Seen {
    bool present = false;       // false: an optional step gave nothing, or a cell is empty
    const Json* json = nullptr; // null: absent, or not JSON
};

// The values of one task. What it returns must live as long as the call that asked.
class ValueLookup {
public:
    virtual ~ValueLookup() = default;
    virtual Seen field(std::string_view column) const = 0;
    // A list of JSON values is to be given as one JSON array.
    virtual Seen output(StepIndex step, std::string_view port) const = 0;
    virtual Seen each() const = 0;
    virtual std::int64_t eachIndex() const = 0; // -1: the step does not fan out
};

// A reference without a path: the value can be passed on as it is, whatever its type.
bool isPlainReference(const Source& source) noexcept;
// Absent values are null. PipelineInvalid: an image or a file where JSON is needed.
Result<Json> evaluate(const Source& source, const Pipeline& pipeline, const ValueLookup& values);
// Is `source` there, and not false, 0, "" or empty?
bool isTruthy(const Source& source, const Pipeline& pipeline, const ValueLookup& values);
// Comparisons with absent values, and of text with numbers, are false.
Result<bool> evaluate(const Condition& condition, const Pipeline& pipeline, const ValueLookup& values);
// Absent values, and those that are no JSON, give nothing.
std::string renderTemplate(const CompiledTemplate& text, const Pipeline& pipeline, const ValueLookup& values);

// Unicode, "." matches no line break, limited in time and memory so that no pattern can hang a job.
// Threads: search() from many at once.
class RegularExpression {
public:
    // PipelineInvalid with what is wrong and where in the pattern.
    static Result<std::shared_ptr<const RegularExpression>> compile(std::string_view pattern);
    ~RegularExpression();
    RegularExpression(const RegularExpression&) = delete;
    RegularExpression& operator=(const RegularExpression&) = delete;
    // Does it match anywhere? PipelineInvalid: the limit was reached.
    Result<bool> search(std::string_view text) const;

private:
    struct Pattern;
    RegularExpression();
    std::unique_ptr<Pattern> m_pattern;
};

} // namespace aiflow
