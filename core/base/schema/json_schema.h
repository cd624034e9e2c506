// JSON Schema (draft 7): checks answers and files. valijson stays behind it.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <memory>
#include <string>
#include <vector>

namespace aiflow {

// Immutable. Threads: misfits() from many at once.
class JsonSchema {
public:
    // PipelineInvalid: not a schema, or it refers to one elsewhere.
    static Result<std::shared_ptr<const JsonSchema>> compile(const Json& schema);
    ~JsonSchema();
    JsonSchema(const JsonSchema&) = delete;
    JsonSchema& operator=(const JsonSchema&) = delete;
    // "scene_prompt: Missing required property ...", at most `limit`. Empty: it fits.
    std::vector<std::string> misfits(const Json& value, std::size_t limit = 10) const;

private:
    struct Compiled;
    JsonSchema();
    std::unique_ptr<Compiled> m_compiled;
};

} // namespace aiflow
